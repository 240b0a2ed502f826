package truth

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/replay"
	"github.com/panelgate/panelgate/fakes/standard"
)

// World is the acted-out world as Prometheus has it: the models, GPUs and hosts, each
// with the labels that it is known by after all relabelling.
type World struct {
	acted    *fakes.World
	from, to time.Time     // of the first sample and the last
	laid     time.Time     // the last moment of a past that was laid down; zero where nothing tells
	scrape   time.Duration // the longest scrape interval
	lag      time.Duration // how old what Prometheus shows may be: a scrape interval and a collection
	subjects []*subject
	// strangers are what no fake shows but a recording or a live target: nobody knows what
	// is true of them, nor of what a query adds them to.
	strangers []stranger
}

// stranger is a series of a witness that no fake has printed.
type stranger struct {
	*subject
	of about
}

// subject is one model, GPU or machine as one target shows it.
type subject struct {
	exporter string
	at       string // the target
	model    *fakes.Model
	gpu      *fakes.GPU
	host     *fakes.Host
	sets     []model.LabelSet // the label sets of its series
}

// collection is how rarely an exporter brings its gauges up to date, at most:
// dcgm-exporter does every 30 s.
const collection = 30 * time.Second

// Witnesses are the series by which the subjects are known, one selector for all.
// Each is printed for every subject and has all labels that its siblings have.
func Witnesses() string {
	return `{__name__=~"` + strings.Join([]string{modelWitness, tritonGPUWitness, tritonHostWitness, dcgmWitness, nodeWitness}, "|") + `"}`
}

const (
	modelWitness      = "nv_inference_request_success"
	tritonGPUWitness  = "nv_gpu_utilization"
	tritonHostWitness = "nv_cpu_memory_total_bytes"
	dcgmWitness       = "DCGM_FI_DEV_FB_USED"
	nodeWitness       = "node_memory_MemTotal_bytes"
)

// NewWorld is the world of an instance, given its series of Witnesses and the longest
// scrape interval of its jobs. It is nil where nothing is acted out.
func NewWorld(in env.Instance, witnesses []model.LabelSet, interval time.Duration) *World {
	if in.World == nil {
		return nil
	}
	w := &World{acted: in.World, from: in.From, to: in.Now, laid: in.Laid, scrape: interval, lag: interval + collection}
	if w.from.Before(in.World.Start()) {
		w.from = in.World.Start()
	}
	for _, set := range witnesses {
		w.add(in, set)
	}
	return w
}

func (w *World) start() time.Time { return w.acted.Start() }

// add takes the series of a witness in: as a subject where a fake answers the target that it
// is from, and as a stranger where none does.
func (w *World) add(in env.Instance, set model.LabelSet) {
	i := slices.IndexFunc(in.Targets, func(t env.Target) bool {
		return t.Up && t.Labels["job"] == string(set["job"]) && t.Labels["instance"] == string(set["instance"])
	})
	if i < 0 {
		return
	}
	target := in.Targets[i]
	s := &subject{exporter: target.AnsweredBy, at: target.Labels["job"] + "/" + target.Labels["instance"]}
	name := string(set[model.MetricNameLabel])
	delete(set, model.MetricNameLabel)
	if target.AnsweredBy == replay.Name || target.AnsweredBy == env.AnsweredLive {
		exporter, of := witnessed(name)
		s.exporter, s.sets = exporter, []model.LabelSet{set}
		w.strangers = append(w.strangers, stranger{s, of})
		return
	}
	if !w.identify(s, target, name, set) {
		return
	}
	for _, other := range w.subjects {
		if other.exporter == s.exporter && other.at == s.at && other.model == s.model && other.gpu == s.gpu && other.host == s.host {
			other.sets = append(other.sets, set)
			return
		}
	}
	s.sets = []model.LabelSet{set}
	w.subjects = append(w.subjects, s)
}

// modelOf finds the model of a series by its name, and by its version where several have
// the name; false where it is still not clear which one is meant.
func modelOf(acted *fakes.World, set model.LabelSet) (*fakes.Model, bool) {
	var found []*fakes.Model
	for _, m := range acted.Models() {
		if m.Name() == string(set["model"]) {
			found = append(found, m)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(m *fakes.Model) bool { return m.Version() != string(set["version"]) })
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// identify finds whom a witness is about in the world that its target acts in.
func (w *World) identify(s *subject, target env.Target, name string, set model.LabelSet) bool {
	acted := w.acted
	if target.Setup != nil {
		acted = standard.World(s.exporter, acted, *target.Setup)
	}
	switch {
	case s.exporter == "triton" && name == modelWitness:
		m, ok := modelOf(acted, set)
		if ok {
			s.model = m
		}
		return ok
	case s.exporter == "triton" && name == tritonGPUWitness, s.exporter == "dcgm" && name == dcgmWitness:
		s.gpu = gpuOf(acted, target, set)
		return s.gpu != nil
	case s.exporter == "node" && name == nodeWitness, s.exporter == "triton" && name == tritonHostWitness:
		s.host = acted.Host()
		return true
	}
	return false
}

// witnessed says which exporter's series a witness is, and of what.
func witnessed(name string) (exporter string, of about) {
	switch name {
	case modelWitness:
		return "triton", aboutModel
	case tritonGPUWitness:
		return "triton", aboutGPU
	case tritonHostWitness:
		return "triton", aboutHost
	case dcgmWitness:
		return "dcgm", aboutGPU
	default:
		return "node", aboutHost
	}
}

// gpuOf finds the GPU of a series by its number or its UUID.
func gpuOf(acted *fakes.World, t env.Target, set model.LabelSet) *fakes.GPU {
	if i, err := strconv.Atoi(string(set["gpu"])); err == nil {
		g, _ := acted.GPU(i)
		return g
	}
	id := fakes.IdentityOf(t.Address)
	for _, g := range acted.GPUs() {
		for _, v := range set {
			if string(v) == g.UUID(id) {
				return g
			}
		}
	}
	return nil
}

// subjectsOf are those that a line is about: those that the query's selectors choose
// and that have the line's labels. It is false where that cannot be told.
func (w *World) subjectsOf(c *claim, line model.Metric) ([]*subject, bool) {
	var chosen []*subject
	known := map[model.LabelName]bool{}
	for _, s := range w.subjects {
		if s.exporter != c.exporter || !c.about(s) {
			continue
		}
		for _, set := range s.sets {
			for l := range set {
				known[l] = true
			}
		}
		if slices.ContainsFunc(c.selectors, s.chosenBy) {
			chosen = append(chosen, s)
		}
	}
	if slices.ContainsFunc(w.strangers, func(s stranger) bool {
		return s.exporter == c.exporter && s.of == c.of && slices.ContainsFunc(c.selectors, s.chosenBy) && s.has(line)
	}) {
		return nil, false
	}
	for l := range line {
		if !known[l] && l != model.MetricNameLabel && !c.splits(l) {
			return nil, false
		}
	}
	chosen = slices.DeleteFunc(chosen, func(s *subject) bool { return !s.has(line) })
	return chosen, len(chosen) > 0 && (len(chosen) == 1 || c.aggregates)
}

// chosenBy says whether a selector's matchers choose one of the subject's series.
func (s *subject) chosenBy(matchers []*labels.Matcher) bool {
	return slices.ContainsFunc(s.sets, func(set model.LabelSet) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(string(set[model.LabelName(m.Name)])) })
	})
}

// has says whether one of the subject's series has the labels of a line, as far as they are the subject's.
func (s *subject) has(line model.Metric) bool {
	return slices.ContainsFunc(s.sets, func(set model.LabelSet) bool {
		for l, v := range line {
			if is, ok := set[l]; ok && is != v || !ok && s.knows(l) {
				return false
			}
		}
		return true
	})
}

// knows says whether any of the subject's series has a label.
func (s *subject) knows(l model.LabelName) bool {
	return slices.ContainsFunc(s.sets, func(set model.LabelSet) bool { _, ok := set[l]; return ok })
}
