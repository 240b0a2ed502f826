package dcgm

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
)

// writer appends the lines of one family about one entity, none where the entity leaves the value blank.
type writer func(dst []byte, s *snapshot) []byte

// group is what is printed of one kind of entity.
type group struct {
	families []family
}

type family struct {
	head    string // HELP and TYPE
	writers []writer
}

// layout is all that a page is made from.
type layout struct {
	world    *fakes.World
	id       fakes.Identity
	dialect  dialect
	options  *options
	lines    []counterLine
	files    map[string]string
	hostname string // "" for none
	xids     map[int]string
	numbers  map[int]func(*gpuState) float64
	totals   map[int]func(*gpuState) float64
}

// unit is a GPU, or an instance of one, that lines are about.
type unit struct {
	gpu      *fakes.GPU
	instance *fakes.Instance // nil for the GPU as a whole
}

func (u *unit) pod() (fakes.Pod, bool) {
	if u.instance != nil {
		return u.instance.Pod()
	}
	return u.gpu.Pod()
}

func (u *unit) state(s *snapshot) *gpuState {
	state := &s.gpus[u.gpu.Index()]
	if u.instance == nil {
		return state
	}
	part := state.of(*u.instance)
	return &part
}

// units are the GPUs and instances that are looked at: of a GPU in MIG mode by default only its instances.
func (e *layout) units() []unit {
	d := e.options.devices
	var units []unit
	for _, gpu := range e.world.GPUs() {
		instances := gpu.Instances()
		if d.flex && len(instances) == 0 || d.gpus && (d.gpuIDs == nil || slices.Contains(d.gpuIDs, gpu.Index())) {
			units = append(units, unit{gpu: gpu})
		}
		for i := range instances {
			if d.flex || d.instances && (d.instanceIDs == nil || slices.Contains(d.instanceIDs, instances[i].ID)) {
				units = append(units, unit{gpu: gpu, instance: &instances[i]})
			}
		}
	}
	return units
}

// groups lay out the page. The real one prints its kinds of entity in an order that changes from scrape to scrape.
func (e *layout) groups() []group {
	groups := []group{e.gpuGroup()}
	if e.dialect.entities {
		groups = append(groups, e.switchGroup(), e.linkGroup())
	}
	if e.dialect.cpus {
		groups = append(groups, e.cpuGroup(), e.coreGroup())
	}
	return groups
}

// group is that of the counters that an entity has: each with one writer per member of it.
func (e *layout) group(has func(counterLine) bool, writers func(counterLine) []writer) group {
	var g group
	for _, line := range e.lines {
		if line.kind == label || !has(line) {
			continue
		}
		g.families = append(g.families, family{
			head:    "# HELP " + line.name + " " + line.help + "\n# TYPE " + line.name + " " + line.kind + "\n",
			writers: writers(line),
		})
	}
	return g
}

func (e *layout) gpuGroup() group {
	units := e.units()
	labels := make([]labelSet, len(units))
	for i := range units {
		labels[i] = e.gpuLabels(&units[i])
	}
	return e.group(func(line counterLine) bool {
		return line.entity == entityGPU || line.entity == entityGPULink && !e.dialect.gpuLinks
	}, func(line counterLine) []writer {
		all := make([]writer, len(units))
		for i := range units {
			all[i] = e.forJobs(&units[i], labels[i], func(l labelSet) writer { return e.gpuWriter(line, &units[i], l) })
		}
		return all
	})
}

// forJobs writes a line for each job of a batch system that the GPU has, one without where it has none.
func (e *layout) forJobs(u *unit, labels labelSet, make func(labelSet) writer) writer {
	jobs := e.jobs(u.gpu.Index())
	if len(jobs) == 0 {
		return make(labels)
	}
	var all []writer
	for _, job := range jobs {
		all = append(all, make(labels.with(nil, []labelPair{{"hpc_job", job}})))
	}
	return func(dst []byte, s *snapshot) []byte {
		for _, w := range all {
			dst = w(dst, s)
		}
		return dst
	}
}

// jobs are the lines of the file that a batch system's prolog leaves for a GPU, named by its number.
func (e *layout) jobs(gpu int) []string {
	if e.options.jobDir == "" || !e.dialect.jobs {
		return nil
	}
	text := strings.TrimSuffix(e.files[path.Join(e.options.jobDir, strconv.Itoa(gpu))], "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func (e *layout) gpuWriter(line counterLine, u *unit, labels labelSet) writer {
	switch {
	case line.exp:
		return e.ownWriter(line, u, labels)
	case line.id == fieldXID:
		return e.xidWriter(line, u, labels)
	case line.format == formatString:
		text, ok := e.texts(u)[line.id]
		if !ok {
			return blank
		}
		return constantLine(line.name + "{" + labels.String() + "} " + text + "\n")
	}
	value := e.gpuValue(line, u)
	if value == nil {
		return blank
	}
	prefix := line.name + "{" + labels.String() + "} "
	return func(dst []byte, s *snapshot) []byte {
		v, ok := value(u.state(s))
		if !ok {
			return dst
		}
		return append(line.format.number(append(dst, prefix...), v), '\n')
	}
}

func blank(dst []byte, _ *snapshot) []byte { return dst }

func constantLine(text string) writer {
	return func(dst []byte, _ *snapshot) []byte { return append(dst, text...) }
}

// number writes a value as dcgm-exporter writes one of that format.
func (f valueFormat) number(dst []byte, v float64) []byte {
	if f == formatDouble {
		return strconv.AppendFloat(dst, v, 'f', 6, 64)
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

// fieldXID is the number of DCGM_FI_DEV_XID_ERRORS.
const fieldXID = 230

// gpuValue is how to read a field of a GPU, nil where the GPU leaves it blank for good.
func (e *layout) gpuValue(line counterLine, u *unit) func(*gpuState) (float64, bool) {
	if e.leavesBlank(line.field, u) {
		return nil
	}
	if total := e.totals[line.id]; total != nil && line.kind == counter && u.hasLinkOf(line.field) {
		return func(s *gpuState) (float64, bool) { return total(s), true }
	}
	if l, ok := linkFieldOf(line.field); ok {
		if _, there := l.value(&gpuState{gpu: u.gpu}); there {
			return l.value
		}
		return e.missing()
	}
	if line.entity == entityGPULink {
		if u.gpu.NVLinks() == 0 {
			return e.missing()
		}
		return func(s *gpuState) (float64, bool) { return s.ofLinks(line.field, float64(u.gpu.NVLinks())), true }
	}
	if slices.Contains(retiredPages(), line.id) && chipOf(u.gpu).remapsRows() {
		return e.missing()
	}
	value := e.numbers[line.id]
	if value == nil {
		return nil
	}
	return func(s *gpuState) (float64, bool) { return value(s), true }
}

func (u *unit) hasLinkOf(f field) bool {
	l, ok := linkFieldOf(f)
	if !ok {
		return true
	}
	_, there := l.value(&gpuState{gpu: u.gpu})
	return there
}

// missing reads what the GPU does not have.
func (e *layout) missing() func(*gpuState) (float64, bool) {
	if e.dialect.blankZero {
		return func(*gpuState) (float64, bool) { return 0, true }
	}
	return nil
}

// retiredPages are fields that GPUs no longer have that remap rows of their memory instead.
func retiredPages() []int { return []int{390, 391, 392} }

// leavesBlank says whether a field is blank because of what it is asked of: of a chip that has no such thing, of a virtual GPU, which
// does not know what the machine below does, of a GPU in MIG mode, or of a GPU instance.
func (e *layout) leavesBlank(f field, u *unit) bool {
	id, kind := f.id, chipOf(u.gpu)
	switch {
	case isRowOfMemory(id) && !kind.remapsRows(), isActivity(id) && !kind.profiles():
		return true
	case e.dialect.lost == lostMemory && id >= 250 && id <= 253, e.dialect.lost == lostActivity && isActivity(id) && kind.isOneOf("L40S"):
		return true
	case u.gpu.Virtual() && slices.ContainsFunc(onlyBelow(), func(span [2]int) bool { return span[0] <= id && id <= span[1] }):
		return true
	case len(u.gpu.Instances()) > 0 && slices.Contains(utilisation(), id):
		return true
	}
	return u.instance != nil && !e.knownOfInstances(f)
}

// knownOfInstances says whether a field is one of GPU instances, too.
func (e *layout) knownOfInstances(f field) bool {
	_, link := linkFieldOf(f)
	switch {
	case isCoreActivity(f.id), f.id == fieldXID:
		return true
	case e.dialect.instances == instanceActivity, isActivity(f.id):
		return false
	}
	return !link || f.id == 449
}

// isActivity is about what is measured within a chip, isCoreActivity about what of it is measured within a GPU instance: not what the
// instances share, such as the bus.
func isActivity(id int) bool { return id > 1000 && id < 1100 }

func isCoreActivity(id int) bool { return id >= 1001 && id <= 1008 || id >= 1013 && id <= 1016 }

func isRowOfMemory(id int) bool {
	return id >= 385 && id <= 396 && !slices.Contains(retiredPages(), id)
}

// onlyBelow are the spans of fields that only the machine below a virtual GPU knows: temperatures, power, energy, the bus, rows of its
// memory, and all that is measured within the chip.
func onlyBelow() [][2]int {
	return [][2]int{{150, 164}, {191, 191}, {200, 202}, {235, 238}, {385, 396}, {1001, 1083}}
}

// utilisation are the fields that the driver does not keep of a GPU in MIG mode.
func utilisation() []int { return []int{203, 204, 206, 207} }

// xidWriter writes the last error of a GPU with what it is called.
func (e *layout) xidWriter(line counterLine, u *unit, labels labelSet) writer {
	if e.leavesBlank(line.field, u) {
		return blank
	}
	return func(dst []byte, s *snapshot) []byte {
		state := u.state(s)
		if !state.failed && !e.dialect.blankZero {
			return dst
		}
		code, l := 0, labels
		if state.failed {
			code = state.xid
		}
		if e.dialect.errorLabel {
			l = l.with(nil, []labelPair{{"err_code", strconv.Itoa(code)}, {"err_msg", xidText(e.xids, code)}})
		}
		dst = append(append(append(append(dst, line.name...), '{'), l.String()...), "} "...)
		return append(strconv.AppendInt(dst, int64(code), 10), '\n')
	}
}
