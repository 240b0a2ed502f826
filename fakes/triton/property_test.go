package triton

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// randomScenario is a scenario that is valid and otherwise anything: up to seven models, some of them cached, failing, idle or loaded
// later, and ensembles of them, on up to three GPUs.
func randomScenario(r *rand.Rand) string {
	var b strings.Builder
	wave := func(mean float64) string {
		if r.IntN(3) == 0 {
			return fmt.Sprintf("%.3f", mean)
		}
		return fmt.Sprintf("{mean: %.3f, waves: [{swing: %.2f, period: %dm, phase: %.2f}, {swing: 0.1, period: %ds}]}",
			mean, 0.6*r.Float64(), 3+r.IntN(90), r.Float64(), 61+r.IntN(400))
	}
	gpus, models := r.IntN(4), 1+r.IntN(5)
	kinds := []string{"python", "onnxruntime", "tensorrt", "pytorch", "vllm", "tensorrtllm"}
	later := fmt.Sprintf("%dm", 1+r.IntN(20))
	loaded := make([]string, models)
	b.WriteString("version: 1\nhost: {cpus: 512, cpu_load: 0.1}\nmodels:\n")
	for i := range models {
		fmt.Fprintf(&b, "  - name: model_%d\n    kind: %s\n    version: %q\n", i, kinds[r.IntN(len(kinds))], fmt.Sprint(1+r.IntN(3)))
		if gpus > 0 && r.IntN(2) == 0 {
			fmt.Fprintf(&b, "    gpu: %d\n", r.IntN(gpus))
		}
		if loaded[i] = "0s"; r.IntN(3) == 0 {
			loaded[i] = later
		}
		fmt.Fprintf(&b, "    loaded_after: %s\n", loaded[i])
		if r.IntN(4) > 0 {
			fmt.Fprintf(&b, "    requests_per_second: %s\n", wave(1+9*r.Float64()))
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "    failures_per_second: {%s: %.4f}\n", fakes.Reasons()[r.IntN(4)], 0.01+0.05*r.Float64())
			}
		}
		fmt.Fprintf(&b, "    batch_size: %d\n    requests_per_execution: %.2f\n", 1+r.IntN(8), 1+3*r.Float64())
		fmt.Fprintf(&b, "    stages_us: {queue: %s, compute_input: %s, compute_infer: %s, compute_output: %s}\n    overhead_us: %s\n",
			wave(5000*r.Float64()), wave(300*r.Float64()), wave(1+3000*r.Float64()), wave(200*r.Float64()), wave(5+40*r.Float64()))
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "    response_cache: {hit_ratio: %.2f}\n", r.Float64())
		}
	}
	for e := range r.IntN(3) {
		var steps []string
		for i := range models {
			if loaded[i] == "0s" && r.IntN(2) == 0 {
				steps = append(steps, fmt.Sprintf("model_%d", i))
			}
		}
		if len(steps) > 0 {
			fmt.Fprintf(&b, "  - name: ensemble_%d\n    kind: ensemble\n    steps: [%s]\n    requests_per_second: %s\n    overhead_us: 20\n",
				e, strings.Join(steps, ", "), wave(1+5*r.Float64()))
		}
	}
	if gpus > 0 {
		fmt.Fprintf(&b, "gpus: [{count: %d, load: %s}]\n", gpus, wave(0.2*r.Float64()))
	}
	return b.String()
}

// ensemble is the kind of a model that only passes requests on.
const ensemble = "ensemble"

// randomSetup is any release with any flags.
func randomSetup(r *rand.Rand) fakes.Setup {
	versions := Versions()
	setup := fakes.Setup{Version: versions[r.IntN(len(versions))]}
	for _, arg := range []string{
		"tritonserver", "--allow-gpu-metrics=false", "--allow-cpu-metrics=false", "--metrics-config=summary_latencies=true",
		"--metrics-config=histogram_latencies=true", "--metrics-config=counter_latencies=false", "--metrics-config=summary_quantiles=0.2:0,0.7:0,1:0",
		"--metrics-interval-ms=700", "--model-namespacing=true", "--response-cache-byte-size=900000",
	} {
		if r.IntN(2) == 0 {
			setup.Args = append(setup.Args, arg)
		}
	}
	return setup
}

func TestWhateverTheScenarioScrapesArePlausible(t *testing.T) {
	known := catalogue.New()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		yaml, setup := randomScenario(r), randomSetup(r)
		w := worldOf(t, yaml)
		e, err := Build(w, "box", setup)
		require.NoError(t, err, "seed %d", seed)
		last, from := map[string]float64{}, start
		at := start
		for range 12 {
			s := scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
			p := plausible{t: t, s: s, about: fmt.Sprintf("seed %d, %v, %s after the start\n%s", seed, setup, at.Sub(start), yaml)}
			p.published(known, e.options)
			p.growing(last, func(series string) bool { return began(w, series, from, at) })
			p.latencies()
			p.requests(e)
			last, from = s.Series, at
			at = at.Add(time.Duration(r.Int64N(int64(40 * time.Minute))))
		}
	}
}

// plausible holds a scrape against what no real one violates.
type plausible struct {
	t     *testing.T
	s     scrapetest.Scrape
	about string
}

func (p plausible) published(known *catalogue.Catalogue, o *options) {
	for name, f := range p.s.Families {
		if strings.HasPrefix(name, "vllm:") { // the catalogue's releases are vLLM's own
			continue
		}
		m, _, ok := known.Series(name)
		require.True(p.t, ok && published(m, o), "%s in\n%s", name, p.about)
		require.Equal(p.t, string(m.Type), f.Type, p.about)
	}
}

// family is the family and the suffix that a series belongs to.
func (p plausible) family(series string) (*scrapetest.Family, string) {
	name, _, _ := strings.Cut(strings.TrimPrefix(series, `{__name__="`), `"`)
	for _, suffix := range []string{"", "_count", "_sum", "_bucket"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && p.s.Families[base] != nil {
			return p.s.Families[base], suffix
		}
	}
	return nil, ""
}

func (p plausible) growing(last map[string]float64, began func(series string) bool) {
	for series, v := range p.s.Series {
		f, suffix := p.family(series)
		require.NotNil(p.t, f, series)
		quantile := f.Type == "summary" && suffix == ""
		require.True(p.t, quantile || v >= 0 && !math.IsInf(v, 0), "%s %v in\n%s", series, v, p.about)
		if f.Type != "gauge" && !quantile {
			require.True(p.t, v >= last[series] || began(series), "%s fell to %v in\n%s", series, v, p.about)
		}
	}
}

func (p plausible) latencies() {
	quantiles, buckets := map[string]float64{}, map[string]float64{}
	for _, set := range p.s.Sets {
		name, le, q := set.Get("__name__"), set.Get("le"), set.Get("quantile")
		v := p.s.Series[set.String()]
		rest := name
		set.Range(func(l labels.Label) {
			if l.Name != "le" && l.Name != "quantile" {
				rest += "," + l.Name + "=" + l.Value
			}
		})
		switch {
		case q != "":
			below, more := quantiles[rest]
			require.True(p.t, !more || v >= below || math.IsNaN(v) && math.IsNaN(below), "%s in\n%s", set, p.about)
			quantiles[rest] = v
		case le != "":
			require.GreaterOrEqual(p.t, v, buckets[rest], p.about)
			buckets[rest] = v
			if le == "+Inf" {
				count := strings.Replace(set.String(), "_bucket", "_count", 1)
				require.InDelta(p.t, p.s.Series[strings.Replace(count, `le="+Inf", `, "", 1)], v, 0, p.about)
			}
		}
	}
}

// requests holds the counters of each model against each other.
func (p plausible) requests(e *Exporter) {
	counted := map[string]map[string]float64{} // by model, by family
	for _, set := range p.s.Sets {
		model := set.Get("model")
		if counted[model] == nil {
			counted[model] = map[string]float64{}
		}
		if set.Get("quantile") == "" && set.Get("le") == "" {
			counted[model][set.Get("__name__")] += p.s.Series[set.String()]
		}
	}
	own := func(m *fakes.Model) map[string]float64 { return counted[m.Name()] }
	for _, m := range e.models {
		c := own(m)
		parts := 0.0
		for _, stage := range []string{"queue", "compute_input", "compute_infer", "compute_output"} {
			parts += c["nv_inference_"+stage+"_duration_us"]
		}
		require.GreaterOrEqual(p.t, c["nv_inference_request_duration_us"], parts, "%s in\n%s", m.Name(), p.about)
		require.LessOrEqual(p.t, c["nv_inference_exec_count"], c["nv_inference_count"], p.about)
		if _, timed := c["nv_inference_queue_summary_us_sum"]; timed && e.options.counters {
			require.InDelta(p.t, c["nv_inference_queue_duration_us"], c["nv_inference_queue_summary_us_sum"], 0, p.about)
			require.InDelta(p.t, c[successName], c["nv_inference_queue_summary_us_count"], 0, p.about)
		}
		if m.Kind() == ensemble && e.alone(m) && len(m.Stays()) == 1 {
			p.ensemble(m, own, e)
		}
	}
}

// alone says whether an ensemble's steps serve nobody else and fail nothing, so that it is the sum of them.
func (e *Exporter) alone(ensembled *fakes.Model) bool {
	end := start.Add(24 * time.Hour)
	for _, m := range e.models {
		switch {
		case slices.Contains(ensembled.Steps(), m.Name()):
			if (&layout{release: e.options.release}).silent(series{model: m}) { // nothing of it is counted
				return false
			}
			if math.Abs(m.Requests(start, end)-ensembled.Requests(start, end)) > 1 {
				return false
			}
		case m != ensembled && m.Kind() == ensemble && slices.ContainsFunc(m.Steps(), func(s string) bool { return slices.Contains(ensembled.Steps(), s) }):
			return false
		}
	}
	return true
}

// ensemble: its compute times are those of its steps, to a microsecond a step and request, and its requests take longer than those of
// its steps together.
func (p plausible) ensemble(m *fakes.Model, own func(*fakes.Model) map[string]float64, e *Exporter) {
	c := own(m)
	steps := map[string]float64{}
	for _, step := range e.models {
		if slices.Contains(m.Steps(), step.Name()) {
			for family, v := range own(step) {
				steps[family] += v
			}
		}
	}
	n := float64(len(m.Steps()))
	for _, stage := range []string{"compute_input", "compute_infer", "compute_output"} {
		name := "nv_inference_" + stage + "_duration_us"
		require.InDelta(p.t, steps[name], c[name], n*(c[successName]+1), "%s in\n%s", name, p.about)
	}
	require.GreaterOrEqual(p.t, c["nv_inference_request_duration_us"], steps["nv_inference_request_duration_us"], p.about)
}
