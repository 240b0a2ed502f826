package likeness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/release"
	tritonfake "github.com/panelgate/panelgate/fakes/triton"
)

// tritonPage is a page of Triton's on the way to a setup.
type tritonPage struct {
	*page
	release release.Release
	gpus    []string // UUIDs in CUDA order
	models  []loaded // in load order
	args    []string // of flags that the page shows
	told    []string
}

// loaded is a model as Triton's reporters have it.
type loaded struct {
	name, version, namespace string
	gpu                      string // "" for none
	later                    bool   // than the server's start
}

// triton derives the setup of a Triton.
func triton(p *page) []Likeness {
	r, err := release.Parse(cmp.Or(p.version, tritonfake.Versions()[len(tritonfake.Versions())-1]))
	if err != nil {
		return []Likeness{{Scenario: scenario{}.text()}} // its fake says what is wrong with the version
	}
	t := &tritonPage{page: p, release: r}
	t.findGPUs()
	t.findModels()
	t.findFlags()
	s := t.scenario()
	words := append(slices.Clone(t.args), plural(len(t.models), "model"))
	if len(t.gpus) == 0 {
		words = append(words, "no GPU")
	} else {
		words = append(words, plural(len(t.gpus), "GPU"))
	}
	repository := []string{"--model-repository=" + cmp.Or(t.namespace(), "/models")}
	return []Likeness{{Setup: fakes.Setup{Args: append(repository, t.args...)}, Scenario: s.text(), Told: append(words, t.told...)}}
}

// printed are the series of a family as they stand there, of things told apart by one of their labels.
func printed(f *exposition.Family, of func(*exposition.Line) (thing, rank int)) []tritonfake.Printed {
	var out []tritonfake.Printed
	if f == nil {
		return nil
	}
	for _, s := range f.Samples {
		if s.Name != f.Name && s.Name != f.Name+"_count" || s.Label("quantile") != "" {
			continue // one line of each series
		}
		var one tritonfake.Printed
		one.Of, one.Rank = of(s)
		if one.Of < 0 {
			return nil // of something else as well: it tells nothing
		}
		for _, l := range s.Labels {
			one.Labels = append(one.Labels, fakes.CustomLabel{Name: l.Name, Value: l.Value})
		}
		out = append(out, one)
	}
	return out
}

func (t *tritonPage) findGPUs() {
	ofGPU := func(family string) bool {
		return strings.HasPrefix(family, "nv_gpu_") || family == "nv_energy_consumption"
	}
	uuids := t.values("gpu_uuid", ofGPU)
	slices.Sort(uuids)
	place := func(s *exposition.Line) (int, int) { return slices.Index(uuids, s.Label("gpu_uuid")), 0 }
	var families [][]tritonfake.Printed
	for _, name := range []string{"nv_gpu_power_limit", "nv_gpu_utilization", "nv_gpu_memory_total_bytes", "nv_energy_consumption"} {
		if f := printed(t.byName[name], place); len(f) == len(uuids) {
			families = append(families, f)
			break
		}
	}
	order, _ := tritonfake.LoadOrder(make([]bool, len(uuids)), families...)
	for _, i := range order {
		t.gpus = append(t.gpus, uuids[i])
	}
	for _, more := range t.values("gpu_uuid", nil) {
		if !slices.Contains(t.gpus, more) {
			t.gpus = append(t.gpus, more)
		}
	}
}

// reported is the family that says best which models there are.
func (t *tritonPage) reported() *exposition.Family {
	for _, name := range []string{"nv_inference_request_success", "nv_inference_count", "nv_inference_exec_count"} {
		if t.has(name) {
			return t.byName[name]
		}
	}
	for _, f := range t.families {
		if len(f.Samples) > 0 && f.Samples[0].Label("model") != "" && f.Samples[0].Label("version") != "" && !t.foreign(f) {
			return f
		}
	}
	return nil
}

// foreign says whether a family is no part of Triton and its back ends.
func (t *tritonPage) foreign(f *exposition.Family) bool {
	return !strings.HasPrefix(f.Name, "nv_") && !strings.HasPrefix(f.Name, "vllm:")
}

// Releases with which label sets changed.
const (
	anonymousAtStart = "22.02"
	ownSets          = "23.09"
)

func modelOf(s *exposition.Line) loaded {
	return loaded{name: s.Label("model"), version: s.Label("version"), namespace: s.Label("namespace"), gpu: s.Label("gpu_uuid")}
}

func (t *tritonPage) findModels() {
	f := t.reported()
	if f == nil {
		return
	}
	onGPU := map[loaded]bool{}
	var all []loaded
	for _, s := range f.Samples {
		m := modelOf(s)
		m.later = m.gpu != "" && t.release.Since(anonymousAtStart)
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
		if m.later && t.release.Since(ownSets) {
			m.gpu, m.later = "", false
			onGPU[m] = true
		}
	}
	all = slices.DeleteFunc(all, func(m loaded) bool { return onGPU[m] }) // its own label set stands beside that of its instance
	slices.SortFunc(all, func(a, b loaded) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version), cmp.Compare(a.gpu, b.gpu))
	})
	t.models = t.ordered(all)
}

// ordered puts models into the order in which they were loaded.
func (t *tritonPage) ordered(all []loaded) []loaded {
	later := make([]bool, len(all))
	for i, m := range all {
		later[i] = m.later
	}
	place := func(s *exposition.Line) (int, int) {
		rank, of := rankOf(s), modelOf(s)
		backend := !strings.HasPrefix(s.Name, "nv_inference_") && !strings.HasPrefix(s.Name, "nv_cache_") // whose series know no GPU
		return slices.IndexFunc(all, func(m loaded) bool {
			return m.name == of.name && m.version == of.version && (backend || m.namespace == of.namespace && (m.gpu == of.gpu || of.gpu == "" && m.later))
		}), rank
	}
	var families [][]tritonfake.Printed
	for _, f := range []*exposition.Family{
		t.reported(), t.byName["nv_inference_request_failure"], t.byName["nv_cache_num_hits_per_model"], t.byName["nv_cache_hit_summary_per_model"],
		t.byName["nv_inference_request_summary_us"], t.byName["nv_inference_first_response_histogram_ms"],
		t.byName["nv_trt_llm_request_metrics"], t.byName["nv_trt_llm_runtime_memory_metrics"], t.byName["nv_trt_llm_kv_cache_block_metrics"],
		t.byName["nv_trt_llm_inflight_batcher_metrics"], t.byName["nv_trt_llm_general_metrics"], t.byName["nv_llm_input_token_len"],
		t.byName["vllm:num_requests_running"],
	} {
		if shown := printed(f, place); len(shown) > 0 {
			families = append(families, shown)
		}
	}
	key := fmt.Sprint(all)
	order, found := t.orders[key]
	if !found {
		order, _ = tritonfake.LoadOrder(later, families...)
		t.orders[key] = order
	}
	out := make([]loaded, len(order))
	for i, of := range order {
		out[i] = all[of]
	}
	return out
}

// rankOf is which of its model's a series is in its family, in the order in which they are made.
func rankOf(s *exposition.Line) int {
	const most = 10 // values of a label
	for label, values := range map[string][]string{
		"reason":                           {"REJECTED", "CANCELED", "BACKEND", "OTHER"},
		"request_type":                     {"active", "max", "scheduled", "context", "waiting"},
		"memory_type":                      {"cpu", "gpu", "pinned"},
		"kv_cache_block_type":              {"max", "free", "used", "tokens_per", "reused", "fraction"},
		"inflight_batcher_specific_metric": {"total_context_tokens", "generation_requests", "micro_batch_id", "paused_requests"},
		"general_type":                     {"timestamp", "iteration_counter"},
	} {
		if v := s.Label(label); v != "" {
			rank := slices.Index(values, v) + 1
			if s.Label("gpu_uuid") != "" {
				rank += most // behind those of the model's own label set
			}
			return rank
		}
	}
	if s.Label("gpu_uuid") != "" {
		return most
	}
	return 0
}

func (t *tritonPage) namespace() string {
	for _, m := range t.models {
		if m.namespace != "" {
			return m.namespace
		}
	}
	return ""
}

func (t *tritonPage) findFlags() {
	config := func(setting string) { t.args = append(t.args, "--metrics-config="+setting) }
	if t.namespace() != "" {
		t.args = append(t.args, "--model-namespacing=true")
	}
	if t.release.Since("22.09") && !t.any("nv_cpu_") && !t.partial {
		t.args = append(t.args, "--allow-cpu-metrics=false")
	}
	if t.release.Since("23.03") && (t.has("nv_cache_num_hits_per_model") || t.has("nv_cache_hit_summary_per_model")) {
		t.args = append(t.args, "--cache-config=local,size=1048576")
	}
	if t.release.Since("22.02") && t.release.Before("23.03") && t.has("nv_cache_num_entries") {
		t.args = append(t.args, "--response-cache-byte-size=1048576")
	}
	if t.release.Before("23.04") {
		return
	}
	if t.has("nv_inference_request_success") && !t.has("nv_inference_request_duration_us") {
		config("counter_latencies=false")
	}
	if t.has("nv_inference_first_response_histogram_ms") {
		config("histogram_latencies=true")
	}
	if t.any("nv_inference_queue_summary_us") || t.any("nv_inference_request_summary_us") {
		config("summary_latencies=true")
		if quantiles := t.values("quantile", nil); len(quantiles) > 0 && strings.Join(quantiles, ",") != "0.5,0.9,0.95,0.99,0.999" {
			config("summary_quantiles=" + strings.Join(quantiles, ":0.01,") + ":0.01")
		}
	}
}

// serves says whether a family has a series of a model.
func (t *tritonPage) serves(m loaded, families func(name string) bool) bool {
	for _, f := range t.families {
		if !families(f.Name) {
			continue
		}
		if slices.ContainsFunc(f.Samples, func(s *exposition.Line) bool { return s.Label("model") == m.name && s.Label("version") == m.version }) {
			return true
		}
	}
	return false
}

func is(name string) func(string) bool { return func(s string) bool { return s == name } }

func begins(prefix string) func(string) bool {
	return func(s string) bool { return strings.HasPrefix(s, prefix) }
}

func (t *tritonPage) scenario() scenario {
	var s scenario
	for _, uuid := range t.gpus {
		s.GPUs = append(s.GPUs, gpu{UUID: uuid})
	}
	for _, m := range t.models {
		s.Models = append(s.Models, t.model(m))
	}
	if len(s.Models) > 0 {
		s.Models[0].Custom = t.customMetrics()
	}
	return s
}

func (t *tritonPage) model(m loaded) model {
	out := model{
		Name: m.name, Version: m.version, Kind: "python",
		Stages: map[string]float64{"queue": 20, "compute_input": 10, "compute_infer": 200, "compute_output": 10},
	}
	switch {
	case t.serves(m, begins("nv_trt_llm_")), t.serves(m, begins("nv_llm_")):
		out.Kind = "tensorrtllm"
	case t.serves(m, begins("vllm:")):
		out.Kind = "vllm"
	default:
		out.Decoupled = t.serves(m, is("nv_inference_first_response_histogram_ms"))
	}
	if m.gpu != "" {
		i := slices.Index(t.gpus, m.gpu)
		out.GPU = &i
	}
	if m.later {
		out.LoadedAfter = "1s"
	}
	if t.serves(m, is("nv_cache_num_hits_per_model")) || t.serves(m, is("nv_cache_hit_summary_per_model")) {
		out.Cache = map[string]float64{"hit_ratio": 0.5}
	}
	if t.busy(m) {
		out.Requests = 1
	}
	return out
}

// busy says whether a model has been asked anything.
func (t *tritonPage) busy(m loaded) bool {
	f := t.byName["nv_inference_request_success"]
	return f != nil && slices.ContainsFunc(f.Samples, func(s *exposition.Line) bool {
		v, err := exposition.ParseValue(s.Value)
		return err == nil && v > 0 && s.Label("model") == m.name && s.Label("version") == m.version
	})
}

// customMetrics are the families that are no part of Triton and its back ends, as those that Python models make.
func (t *tritonPage) customMetrics() []custom {
	c := catalogue.New()
	var out []custom
	for _, f := range t.families {
		if !t.foreign(f) || c.Exporter(f.Name) == "triton" || f.Type != "counter" && f.Type != "gauge" || f.Help == "" {
			continue
		}
		shown := printed(f, func(s *exposition.Line) (int, int) { return slices.Index(f.Samples, s), 0 })
		order, _ := tritonfake.LoadOrder(make([]bool, len(shown)), shown)
		for _, i := range order {
			one := custom{Name: f.Name, Type: f.Type, Help: f.Help, Labels: map[string]string{}}
			for _, l := range shown[i].Labels {
				one.Labels[l.Name] = l.Value
			}
			v, err := exposition.ParseValue(f.Samples[i].Value)
			if known := err == nil && v > 0 && v < 1e12; known && f.Type == "gauge" {
				one.Value = v
			} else if known {
				one.PerRequest = 1
			}
			out = append(out, one)
		}
	}
	if len(out) > 0 {
		names := map[string]bool{}
		for _, one := range out {
			names[one.Name] = true
		}
		t.told = append(t.told, fmt.Sprintf("%s of its models' own code", plural(len(names), "metric")))
	}
	return out
}
