package likeness

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/dcgm"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/release"
)

// dcgmPage is a page of dcgm-exporter's on the way to a setup.
type dcgmPage struct {
	*page
	gpus   []*shownGPU // by index
	events []event
	setup  fakes.Setup
	told   []string
}

// shownGPU is a GPU as its lines show it.
type shownGPU struct {
	index     int
	whole     bool // there are lines of all of it
	gpu       gpu
	instances map[int]instance
	hidden    bool // it has instances that are not shown
}

// dcgmExporter derives setups of a dcgm-exporter: with each counters file of the image, and with one made of the families on the page.
func dcgmExporter(p *page) []Likeness {
	d := &dcgmPage{page: p, setup: fakes.Setup{Env: map[string]string{}, Files: map[string]string{}}}
	d.findGPUs()
	d.findHost()
	d.findKubernetes()
	d.findFlags()
	s := d.scenario().text()
	var out []Likeness
	for i, file := range dcgm.ImageCounters() {
		l := Likeness{Setup: d.setup, Scenario: s, Told: slices.Clone(d.told), rank: i}
		if i > 0 {
			l.Setup.Args = append(slices.Clone(d.setup.Args), "--collectors="+file)
			l.Told = append(l.Told, "--collectors "+file)
		}
		out = append(out, l)
	}
	own := Likeness{Setup: d.setup, Scenario: s, Told: slices.Clone(d.told), rank: len(out)}
	text, n := d.counters()
	own.Setup.Files = map[string]string{ownCounters: text}
	for name, content := range d.setup.Files {
		own.Setup.Files[name] = content
	}
	own.Setup.Args = append(slices.Clone(d.setup.Args), "--collectors="+ownCounters)
	own.Told = append(own.Told, fmt.Sprintf("a counters file of %s, as the page has them", plural(n, "line")))
	return append(out, own)
}

// ownCounters is the name of the counters file that is made of the page.
const ownCounters = "/etc/dcgm-exporter/as-scraped.csv"

// counters is a counters file with the families of the page and the fields that are labels there.
func (d *dcgmPage) counters() (text string, lines int) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	add := func(name, kind, help string) {
		if !dcgm.KnownCounter(name) {
			return
		}
		lines++
		if err := w.Write([]string{name, kind, help}); err != nil {
			panic("likeness: " + err.Error()) // a strings.Builder takes everything
		}
	}
	for _, f := range d.families {
		kind := f.Type
		if kind != "counter" {
			kind = "gauge"
		}
		add(f.Name, kind, f.Help)
	}
	for _, name := range d.fieldLabels() {
		add(name, "label", "as scraped")
	}
	w.Flush()
	return b.String(), lines
}

func (d *dcgmPage) fieldLabels() []string {
	var names []string
	for _, f := range d.families {
		for _, s := range f.Samples {
			for _, l := range s.Labels {
				if strings.HasPrefix(l.Name, "DCGM_") && !slices.Contains(names, l.Name) {
					names = append(names, l.Name)
				}
			}
		}
	}
	return names
}

// uuidOf is the UUID of a line's GPU, "" where the line is of none.
func uuidOf(s *exposition.Line) string {
	for _, name := range []string{"UUID", "uuid", "gpu_uuid"} {
		if v := s.Label(name); v != "" {
			return v
		}
	}
	return ""
}

func (d *dcgmPage) findGPUs() {
	for _, f := range d.families {
		for _, s := range f.Samples {
			index, err := strconv.Atoi(s.Label("gpu"))
			if err != nil || index < 0 || uuidOf(s) == "" {
				continue
			}
			d.line(d.gpu(index), f, s)
		}
	}
	slices.SortFunc(d.gpus, func(a, b *shownGPU) int { return a.index - b.index })
	for _, g := range d.gpus {
		g.gpu.NVLinks = max(g.gpu.NVLinks, d.nvlinks(g))
		d.virtual(g)
		// The driver keeps no utilisation of a GPU that is split into instances.
		const busy = "DCGM_FI_DEV_GPU_UTIL"
		g.hidden = g.whole && len(g.instances) == 0 && !g.gpu.VGPU && d.byName[busy] != nil && len(d.of(g, busy)) == 0
		if g.gpu.Model == "" && len(d.of(g, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS")) == 0 {
			g.gpu.Model = olderChip
		}
	}
}

// olderChip is what a GPU is taken for that is not named, as in the first releases, and does not remap rows of its memory.
const olderChip = "Tesla T4"

func (d *dcgmPage) gpu(index int) *shownGPU {
	for _, g := range d.gpus {
		if g.index == index {
			return g
		}
	}
	g := &shownGPU{index: index, instances: map[int]instance{}}
	d.gpus = append(d.gpus, g)
	return g
}

// line takes in what a line says of its GPU.
func (d *dcgmPage) line(g *shownGPU, f *exposition.Family, s *exposition.Line) {
	g.gpu.UUID = uuidOf(s)
	for _, name := range []string{"modelName", "model_name"} {
		if v := s.Label(name); v != "" {
			g.gpu.Model = v
		}
	}
	if link, err := strconv.Atoi(s.Label("nvlink")); err == nil {
		g.gpu.NVLinks = max(g.gpu.NVLinks, link+1)
		return
	}
	if id, err := strconv.Atoi(s.Label("GPU_I_ID")); err == nil {
		one := g.instances[id]
		one.ID, one.Profile = id, s.Label("GPU_I_PROFILE")
		if shown := podOf(s); shown != nil {
			one.Pod = shown
		}
		g.instances[id] = one
	} else {
		g.whole = true
		if shown := podOf(s); shown != nil {
			g.gpu.Pod = shown
		}
	}
	code, err := exposition.ParseValue(s.Value)
	if f.Name == "DCGM_FI_DEV_XID_ERRORS" && err == nil && code >= 1 {
		known := slices.ContainsFunc(d.events, func(e event) bool { return e.GPUs[0] == g.index })
		if !known {
			d.events = append(d.events, event{At: "0s", GPUs: []int{g.index}, XID: int(code)})
		}
	}
}

// notPods are the labels that dcgm-exporter gives a line by itself. What else there is are labels of the pod.
func notPods() []string {
	return []string{"gpu", "UUID", "uuid", "gpu_uuid", "pci_bus_id", "device", "modelName", "model_name",
		"GPU_I_PROFILE", "GPU_I_ID", "Hostname", "hostname",
		"container", "namespace", "pod", "pod_uid", "pod_name", "pod_namespace", "container_name", "vgpu", "hpc_job", "err_code", "err_msg", "nvlink",
		"nvswitch", "cpu", "cpucore", "xid", "window_size_in_ms", "clock_event", "health_watch", "health_error_code", "peer_gpu", "link_status"}
}

// podOf is the pod that a line names.
func podOf(s *exposition.Line) *pod {
	out := pod{Name: s.Label("pod"), Namespace: s.Label("namespace"), Container: s.Label("container"), UID: s.Label("pod_uid")}
	if out.Name == "" {
		out.Name, out.Namespace, out.Container = s.Label("pod_name"), s.Label("pod_namespace"), s.Label("container_name")
	}
	if out.Name == "" || out.Container == "" {
		return nil
	}
	for _, l := range s.Labels {
		if !slices.Contains(notPods(), l.Name) && !strings.HasPrefix(l.Name, "DCGM_") && l.Value != "" {
			if out.Labels == nil {
				out.Labels = map[string]string{}
			}
			out.Labels[l.Name] = l.Value
		}
	}
	return &out
}

// of are the samples of a family about a GPU.
func (d *dcgmPage) of(g *shownGPU, family string) []*exposition.Line {
	f := d.byName[family]
	if f == nil {
		return nil
	}
	index := strconv.Itoa(g.index)
	return slices.DeleteFunc(slices.Clone(f.Samples), func(s *exposition.Line) bool { return s.Label("gpu") != index })
}

// perLink is the end of a family's name that is about one NVLink.
var perLink = regexp.MustCompile(`^DCGM_FI_(?:DEV|PROF)_NVLINK_.*_?L(\d+)(?:_[TR]X_BYTES)?$`)

// nvlinks is how many NVLinks a GPU seems to have: as many as families name, else what its like has where it has any.
func (d *dcgmPage) nvlinks(g *shownGPU) int {
	links := 0
	for _, f := range d.families {
		if m := perLink.FindStringSubmatch(f.Name); m != nil && len(d.of(g, f.Name)) > 0 {
			n, _ := strconv.Atoi(m[1]) // digits, by the pattern
			links = max(links, n+1)
		}
	}
	for _, name := range []string{"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "DCGM_FI_PROF_NVLINK_TX_BYTES", "DCGM_FI_PROF_NVLINK_RX_BYTES"} {
		for _, s := range d.of(g, name) {
			if v, err := exposition.ParseValue(s.Value); links == 0 && (d.blankIsLeftOut() || err == nil && v > 0) {
				links = usualLinks(g.gpu.Model)
			}
		}
	}
	return links
}

// blankIsLeftOut says whether a release prints nothing of what a GPU does not have, rather than 0.
func (d *dcgmPage) blankIsLeftOut() bool {
	r, err := dcgm.Canonical(d.version)
	return err == nil && r.Since("4.5.2")
}

// usualLinks is how many NVLinks a GPU of that name has.
func usualLinks(model string) int {
	for links, names := range map[int][]string{
		18: {"H100", "H200", "H800", "GH200", "B200", "B300", "GB200", "GB300"}, 12: {"A100", "A800"}, 6: {"V100"},
	} {
		if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(model, name) }) {
			return links
		}
	}
	return 4
}

// virtualName is the name of a virtual GPU: that of the GPU with the memory and the kind of licence.
var virtualName = regexp.MustCompile(`-\d+[QCAB]$`)

func (d *dcgmPage) virtual(g *shownGPU) {
	if virtualName.MatchString(g.gpu.Model) && len(d.of(g, "DCGM_FI_DEV_GPU_TEMP"))+len(d.of(g, "DCGM_FI_DEV_POWER_USAGE")) == 0 {
		g.gpu.VGPU = true
	}
}

// findHost finds the name that lines have of the host.
func (d *dcgmPage) findHost() {
	r, err := release.Parse(strings.TrimSpace(d.version))
	named := d.values("Hostname", nil)
	if len(named) == 0 {
		named = d.values("hostname", nil)
	}
	switch {
	case len(named) > 0:
		d.setup.Hostname = named[0]
		d.told = append(d.told, "host "+named[0])
	case err == nil && r.Since("2.1.4"):
		d.setup.Args = append(d.setup.Args, "--no-hostname")
		d.told = append(d.told, "--no-hostname")
	}
}

func (d *dcgmPage) findKubernetes() {
	set := func(name string) {
		d.setup.Env[name] = "true"
		d.told = append(d.told, name+"=true")
	}
	shown := false
	for _, f := range d.families {
		for _, s := range f.Samples {
			shown = shown || slices.ContainsFunc(s.Labels, func(l exposition.Label) bool { return l.Name == "pod" || l.Name == "pod_name" })
		}
	}
	if !shown {
		return
	}
	set("DCGM_EXPORTER_KUBERNETES")
	if len(d.values("pod_uid", nil)) > 0 {
		set("DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID")
	}
	if d.anyPod(func(p *pod) bool { return len(p.Labels) > 0 }) {
		set("DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS")
	}
}

func (d *dcgmPage) anyPod(is func(*pod) bool) bool {
	for _, g := range d.gpus {
		if g.gpu.Pod != nil && is(g.gpu.Pod) {
			return true
		}
		for _, i := range g.instances {
			if i.Pod != nil && is(i.Pod) {
				return true
			}
		}
	}
	return false
}

func (d *dcgmPage) findFlags() {
	add := func(flag string) { d.setup.Args = append(d.setup.Args, flag); d.told = append(d.told, flag) }
	if len(d.values("uuid", nil))+len(d.values("pod_name", nil)) > 0 {
		add("--use-old-namespace")
	}
	for flag, family := range map[string]string{
		"--xid-count-window-size=": "DCGM_EXP_XID_ERRORS_COUNT", "--clock-events-count-window-size=": "DCGM_EXP_CLOCK_EVENTS_COUNT",
	} {
		if windows := d.values("window_size_in_ms", is(family)); len(windows) > 0 && windows[0] != "300000" {
			add(flag + windows[0])
		}
	}
	if devices := d.devices(); devices != "" {
		add("--devices=" + devices)
	}
	d.findJobs(add)
	d.tellMachine()
}

// devices is what --devices has been told, "" where nothing.
func (d *dcgmPage) devices() string {
	var numbers []string
	contiguous, both := true, false
	for i, g := range d.gpus {
		numbers = append(numbers, strconv.Itoa(g.index))
		contiguous = contiguous && g.index == i
		both = both || g.whole && len(g.instances) > 0
	}
	instances := slices.ContainsFunc(d.gpus, func(g *shownGPU) bool { return len(g.instances) > 0 })
	switch {
	case !contiguous && instances:
		return "g:" + strings.Join(numbers, ",") + "+i"
	case !contiguous:
		return "g:" + strings.Join(numbers, ",")
	case both:
		return "g+i"
	case !instances && slices.ContainsFunc(d.gpus, func(g *shownGPU) bool { return g.hidden }):
		return "g"
	}
	return ""
}

// findJobs finds the jobs of a batch system.
func (d *dcgmPage) findJobs(add func(string)) {
	const dir = "/var/run/jobs"
	for _, g := range d.gpus {
		var jobs []string
		for _, f := range d.families {
			for _, s := range d.of(g, f.Name) {
				if job := s.Label("hpc_job"); job != "" && !slices.Contains(jobs, job) {
					jobs = append(jobs, job)
				}
			}
		}
		if len(jobs) > 0 {
			d.setup.Files[dir+"/"+strconv.Itoa(g.index)] = strings.Join(jobs, "\n") + "\n"
		}
	}
	if len(d.setup.Files) > 0 {
		add("--hpc-job-mapping-dir=" + dir)
	}
}

func (d *dcgmPage) tellMachine() {
	instances := 0
	for _, g := range d.gpus {
		instances += len(g.instances)
	}
	d.told = append(d.told, plural(len(d.gpus), "GPU"))
	if instances > 0 {
		d.told = append(d.told, plural(instances, "GPU instance"))
	}
	for _, e := range d.events {
		d.told = append(d.told, fmt.Sprintf("XID error %d of GPU %d", e.XID, e.GPUs[0]))
	}
}

func (d *dcgmPage) scenario() scenario {
	s := scenario{Events: d.events}
	for _, g := range d.gpus {
		for len(s.GPUs) < g.index && g.index < 64 {
			s.GPUs = append(s.GPUs, gpu{}) // one that is not looked at
		}
		for _, one := range g.instances {
			g.gpu.MIG = append(g.gpu.MIG, one)
		}
		if g.hidden {
			g.gpu.MIG = []instance{{Profile: "1g.5gb", ID: 7}}
		}
		if len(g.gpu.MIG) > 0 {
			g.gpu.Pod = nil
			g.gpu.Memory = &memory{Total: 192 << 10} // for whatever instances there are
		}
		slices.SortFunc(g.gpu.MIG, func(a, b instance) int { return a.ID - b.ID })
		s.GPUs = append(s.GPUs, g.gpu)
	}
	s.Host.NVSwitches = len(d.values("nvswitch", nil))
	s.Host.GraceCPUs = len(d.values("cpu", nil))
	s.Host.CPUs = len(d.values("cpucore", nil))
	return s
}
