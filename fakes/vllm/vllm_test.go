package vllm

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// served is a machine whose vLLM answers one request a second.
const served = `version: 1
models:
  - name: chat
    kind: vllm
    requests_per_second: {mean: 1.5, waves: [{swing: 0.5, period: 20m}]}
    failures_per_second: {CANCELED: 0.05, BACKEND: 0.02, REJECTED: 0.01}
    llm: {kv_cache: {blocks: 101625}}
host: {cpus: 8}
`

func world(t testing.TB, yaml string) *fakes.World {
	t.Helper()
	s, err := fakes.ParseScenario("test.yaml", []byte(yaml))
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func builtin(t testing.TB, name string) *fakes.World {
	t.Helper()
	s, err := fakes.BuiltinScenario(name)
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func build(t testing.TB, w *fakes.World, version string, args ...string) *Exporter {
	t.Helper()
	e, err := Build(w, "box:8000", fakes.Setup{Version: version, Args: args})
	require.NoError(t, err)
	return e
}

func scrape(t testing.TB, e *Exporter, at time.Time) scrapetest.Scrape {
	t.Helper()
	return scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
}

// value is what a line ends with.
var value = regexp.MustCompile(` [^ ]+$`)

// The whole page of the captured server, which nobody had asked anything yet, line by line but for the values.
func TestPageIsThatOfTheCapturedServer(t *testing.T) {
	captured := strings.Split(string(scrapetest.Captured(t, "vllm-kops-openai-server.prom")), "\n")
	e := build(t, world(t, served), newest, "--model", "Qwen/Qwen2.5-0.5B-Instruct", "--max-model-len", "8192")
	// What a process needs, and when it was started, is its own affair.
	own := regexp.MustCompile(`^(python_gc_|process_)|_created[{ ]`)
	fake := strings.Split(string(e.AppendScrape(nil, start)), "\n")
	if last := len(captured) - 1; captured[last] != "" {
		captured = append(captured, "") // what it was cut from did not end with the page
	}
	require.Len(t, fake, len(captured))
	for i, want := range captured {
		have := fake[i]
		if strings.HasPrefix(want, "#") || !own.MatchString(want) {
			require.Equal(t, want, have, "line %d", i+1)
			continue
		}
		require.Equal(t, value.ReplaceAllString(want, ""), value.ReplaceAllString(have, ""), "line %d", i+1)
		number := value.FindString(want)[1:]
		v, err := strconv.ParseFloat(number, 64)
		require.NoError(t, err)
		assert.Equal(t, number, string(appendValue(nil, v)), "line %d: the format", i+1)
	}
}

func TestValuesAreWrittenAsPythonsClientDoes(t *testing.T) {
	for want, v := range map[string]float64{
		"0.0": 0, "1.0": 1, "16.22": 16.22, "-1.0": -1, "999999.0": 999999, "1e+06": 1e6, "1.048576e+06": 1048576, "9.035190272e+09": 9035190272,
		"1.2345678901e+010": 12345678901, "1.7740114612872875e+09": 1774011461.2872875, "0.0001": 0.0001, "1e-05": 1e-5, "1.5e-07": 1.5e-7,
		"1e+16": 1e16, "1.5e+17": 1.5e17, "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "NaN": math.NaN(), "0.30000000000000004": 0.30000000000000004,
		"-1234567.0": -1234567, "1.0000005e+06": 1000000.5,
	} {
		assert.Equal(t, want, string(appendValue(nil, v)))
	}
}

func TestFamiliesByRelease(t *testing.T) {
	w := builtin(t, "steady")
	for _, tc := range []struct {
		version   string
		args      []string
		has, lost []string
	}{
		{version: "0.4.3", has: []string{"vllm:avg_prompt_throughput_toks_per_s", "vllm:request_params_best_of", "python_info"},
			lost: []string{"http_requests_total", "vllm:iteration_tokens_total", "vllm:prompt_tokens_created"}},
		{version: "0.6.6", has: []string{"vllm:cpu_cache_usage_perc", "vllm:num_requests_swapped", "vllm:time_in_queue_requests"},
			lost: []string{"python_info", "vllm:kv_cache_usage_perc", "vllm:prompt_tokens_created"}},
		{version: "0.7.3", args: []string{"--disable-frontend-multiprocessing"}, has: []string{"python_info", "vllm:cpu_cache_usage_perc"}},
		{version: "0.8.5", has: []string{"vllm:gpu_cache_usage_perc", "vllm:gpu_prefix_cache_hits_total", "vllm:prompt_tokens_created"},
			lost: []string{"vllm:cpu_cache_usage_perc", "vllm:kv_cache_usage_perc"}},
		{version: "0.10.2", has: []string{"vllm:gpu_cache_usage_perc", "vllm:kv_cache_usage_perc", "vllm:time_per_output_token_seconds"},
			lost: []string{"vllm:inter_token_latency_seconds"}},
		{version: "v0.11.0", has: []string{"vllm:kv_cache_usage_perc", "vllm:time_per_output_token_seconds", "vllm:inter_token_latency_seconds"},
			lost: []string{"vllm:gpu_cache_usage_perc"}},
		{version: "0.11.0", args: []string{"--show-hidden-metrics-for-version=0.10"}, has: []string{"vllm:gpu_cache_usage_perc"}},
		{version: "0.11.0", args: []string{"--show-hidden-metrics-for-version=0.9"}, lost: []string{"vllm:gpu_cache_usage_perc"}},
		{version: "0.12.0", has: []string{"vllm:engine_sleep_state"}, lost: []string{"vllm:time_per_output_token_seconds"}},
		{version: "0.12.0", args: []string{"--show-hidden-metrics-for-version", "0.11"}, has: []string{"vllm:time_per_output_token_seconds"}},
		{version: "0.14.1", args: []string{"--show-hidden-metrics-for-version=0.11"}, lost: []string{"vllm:time_per_output_token_seconds"}},
		{version: "main", has: []string{"vllm:prompt_tokens_by_source_total"}},
		{args: []string{"--disable-log-stats"}, has: []string{"http_requests_total", "python_info"}, lost: []string{"vllm:prompt_tokens_total"}},
		{args: []string{"--api-server-count=2"}, has: []string{"vllm:prompt_tokens_total"}, lost: []string{"python_info", "vllm:prompt_tokens_created"}},
	} {
		s := scrape(t, build(t, w, tc.version, tc.args...), start.Add(time.Hour))
		for _, name := range tc.has {
			assert.Contains(t, s.Families, name, "%s %v", tc.version, tc.args)
		}
		for _, name := range tc.lost {
			assert.NotContains(t, s.Families, name, "%s %v", tc.version, tc.args)
		}
	}
}

func TestEnginesDifferAtOneRelease(t *testing.T) {
	w := builtin(t, "steady")
	old, err := Build(w, "box", fakes.Setup{Version: "0.8.5", Env: map[string]string{"VLLM_USE_V1": "0"}})
	require.NoError(t, err)
	assert.Contains(t, scrape(t, old, start).Families, "vllm:num_requests_swapped")
	early, err := Build(w, "box", fakes.Setup{Version: "0.7.3", Env: map[string]string{"VLLM_USE_V1": "1"}})
	require.NoError(t, err)
	assert.NotContains(t, scrape(t, early, start).Families, "vllm:num_requests_swapped")
	assert.Equal(t, []string{"model_name"}, scrape(t, build(t, w, "0.8.5"), start).Families["vllm:prompt_tokens_total"].LabelNames)
	assert.Equal(t, []string{"engine,model_name"}, scrape(t, build(t, w, "0.9.2"), start).Families["vllm:prompt_tokens_total"].LabelNames)
}

func TestModelNames(t *testing.T) {
	for _, tc := range []struct {
		world *fakes.World
		args  []string
		want  string
	}{
		{builtin(t, "steady"), nil, fakes.StandInLLM},
		{world(t, served), nil, "chat"},
		{world(t, served), []string{"--model", "a/b"}, "a/b"},
		{world(t, served), []string{"--model=a/b", "--port", "8000"}, "a/b"},
		{world(t, served), []string{"serve", "a/b", "--served-model-name", "c", "d"}, "c"},
		{world(t, served), []string{"a/b"}, "a/b"},
		{world(t, served), []string{"vllm", "serve", "a/b", "--port=9000"}, "a/b"},
		{world(t, served), []string{"python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "a/b"}, "a/b"},
		{world(t, served), []string{"sh", "-c", "exec vllm serve 'a/b' \\\n  --served-model-name \"c d\""}, "c d"},
		{world(t, served), []string{"--served_model_name", "c", "--model", "a/b"}, "c"},
		{world(t, served), []string{"--model", `od"d`}, `od"d`},
	} {
		s := scrape(t, build(t, tc.world, "", tc.args...), start)
		for i := range s.Sets {
			if s.Sets[i].Has("model_name") {
				assert.Equal(t, tc.want, s.Sets[i].Get("model_name"))
			}
		}
	}
}

func TestWhatTheServerWouldNotStartWith(t *testing.T) {
	for want, setup := range map[string]fakes.Setup{
		`version: "latest" is no release`:                              {Version: "latest"},
		"version: 0.3.3 is older than 0.4":                             {Version: "0.3.3"},
		"--max-model-len: want a whole number above 0":                 {Args: []string{"--max-model-len", "long"}},
		"--gpu-memory-utilization: want a number above 0":              {Args: []string{"--gpu-memory-utilization=1.5"}},
		"--served-model-name: want a name":                             {Args: []string{"--served-model-name"}},
		`--show-hidden-metrics-for-version: "soon" is no release`:      {Args: []string{"--show-hidden-metrics-for-version=soon"}},
		`VLLM_USE_V1: want 0 or 1, have "yes"`:                         {Env: map[string]string{"VLLM_USE_V1": "yes"}},
		`--api-server-count: want a whole number above 0, have "zero"`: {Args: []string{"--api-server-count", "zero"}},
	} {
		_, err := Build(builtin(t, "steady"), "box", setup)
		require.ErrorContains(t, err, want)
	}
}

// Of every release, at random times: counters and buckets never fall, buckets rise with their bounds up to the count, and the sum lies
// where the buckets let it.
func TestPagesHoldTogether(t *testing.T) {
	for _, w := range []*fakes.World{world(t, served), builtin(t, "steady"), builtin(t, "saturation"), builtin(t, "llm"), builtin(t, "idle")} {
		for _, version := range Versions() {
			e := build(t, w, version)
			random := rand.New(rand.NewPCG(7, 7))
			at, last := start, scrape(t, e, start)
			for range 4 {
				at = at.Add(time.Duration(random.Int64N(int64(9 * time.Minute))))
				s := scrape(t, e, at)
				require.Empty(t, falls(last, s), "%s at %s", version, at)
				last = s
			}
			holdTogether(t, last)
		}
	}
}

// falls are the series of counters and histograms that have fallen.
func falls(before, after scrapetest.Scrape) []string {
	var fallen []string
	for i, set := range after.Sets {
		name := set.Get("__name__")
		f := family{name: name}
		if f.cumulative(after) && after.Series[set.String()] < before.Series[set.String()] {
			fallen = append(fallen, after.Lines[i])
		}
	}
	return fallen
}

// cumulative says whether a series of this name belongs to a counter, a histogram or a summary.
func (f family) cumulative(s scrapetest.Scrape) bool {
	if own, ok := s.Families[f.name]; ok {
		return own.Type != gauge
	}
	return strings.HasSuffix(f.name, "_bucket") || strings.HasSuffix(f.name, "_count") || strings.HasSuffix(f.name, "_sum")
}

func holdTogether(t *testing.T, s scrapetest.Scrape) {
	t.Helper()
	type tally struct{ lower, upper, below, bound float64 }
	tallies := map[string]*tally{}
	for i, set := range s.Sets {
		name, ok := strings.CutSuffix(set.Get("__name__"), "_bucket")
		if !ok {
			continue
		}
		h := tallies[name]
		if h == nil {
			h = &tally{}
			tallies[name] = h
		}
		bound, err := strconv.ParseFloat(set.Get("le"), 64)
		require.NoError(t, err)
		v := s.Series[set.String()]
		require.GreaterOrEqual(t, v, h.below, s.Lines[i])
		h.lower += (v - h.below) * h.bound
		if v > h.below { // no infinity times nothing
			h.upper += (v - h.below) * bound
		}
		h.below, h.bound = v, bound
	}
	require.NotEmpty(t, tallies)
	for i, set := range s.Sets {
		name, kind, _ := cutLast(set.Get("__name__"))
		h, v := tallies[name], s.Series[set.String()]
		switch {
		case h == nil:
		case kind == "count":
			assert.InDelta(t, h.below, v, 0, s.Lines[i])
		case kind == "sum":
			assert.LessOrEqual(t, h.lower, v+slack(h.below)*v, s.Lines[i])
			assert.GreaterOrEqual(t, h.upper, v-slack(h.below)*v, s.Lines[i])
		}
	}
}

// slack is what rounding buckets to whole observations may move a sum by, as a share of it: half an observation a bucket.
func slack(observations float64) float64 { return 30 / max(observations, 1) }

func cutLast(name string) (string, string, bool) {
	i := strings.LastIndex(name, "_")
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

func TestPageIsTheWorlds(t *testing.T) {
	w := world(t, served)
	at := start.Add(3 * time.Hour)
	s := scrape(t, New(w, "box:8000"), at)
	llm := w.ServedLLM()
	of := func(name string) float64 {
		v, ok := s.Series[`{__name__="`+name+`", engine="0", model_name="chat"}`]
		require.True(t, ok, name)
		return v
	}
	assert.InDelta(t, llm.PromptTokens(start, at), of("vllm:prompt_tokens_total"), 1)
	assert.InDelta(t, llm.OutputTokens(start, at), of("vllm:generation_tokens_total"), 1)
	assert.InDelta(t, llm.KVCacheUsage(at), of("vllm:kv_cache_usage_perc"), 0)
	assert.Positive(t, of("vllm:num_requests_running"))
	assert.InDelta(t, llm.MeanLatency(start, at), of("vllm:e2e_request_latency_seconds_sum")/of("vllm:e2e_request_latency_seconds_count"), 1e-9)
	assert.InDelta(t, llm.MeanFirstToken(start, at), of("vllm:time_to_first_token_seconds_sum")/of("vllm:time_to_first_token_seconds_count"), 1e-9)
	assert.InDelta(t, of("vllm:prompt_tokens_total")+of("vllm:generation_tokens_total"), of("vllm:iteration_tokens_total_sum"), 0)
	m, ok := w.Model("chat")
	require.True(t, ok)
	stopped := s.Series[`{__name__="vllm:request_success_total", engine="0", finished_reason="stop", model_name="chat"}`]
	long := s.Series[`{__name__="vllm:request_success_total", engine="0", finished_reason="length", model_name="chat"}`]
	assert.InDelta(t, m.Counters(at).Success, stopped+long, 0)
	assert.InDelta(t, m.Counters(at).Failures[fakes.Canceled], s.Series[`{__name__="vllm:request_success_total", engine="0", finished_reason="abort", model_name="chat"}`], 0)
	assert.InDelta(t, stopped+long, s.Series[`{__name__="http_requests_total", handler="/v1/chat/completions", method="POST", status="2xx"}`], 0)
}

func TestTimesBeforeTheStartAreTheStart(t *testing.T) {
	e := New(world(t, served), "box")
	assert.Equal(t, string(e.AppendScrape(nil, start)), string(e.AppendScrape(nil, start.Add(-time.Hour))))
}

func BenchmarkScrape(b *testing.B) {
	e := New(world(b, served), "box")
	var body []byte
	for i := 0; b.Loop(); i++ {
		body = e.AppendScrape(body[:0], start.Add(time.Duration(i%5760)*15*time.Second))
	}
}
