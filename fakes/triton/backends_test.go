package triton

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

const languageModels = `
version: 1
models:
  - {name: tensorrt_llm, kind: tensorrtllm, gpu: 0, requests_per_second: 1, requests_per_execution: 8, stages_us: {compute_infer: 2.9e6}}
  - {name: chat, kind: vllm, gpu: 1, loaded_after: 5m, requests_per_second: {mean: 0.8, waves: [{swing: 0.4, period: 11m}]}, stages_us: {compute_infer: 900}}
  - {name: other, kind: python}
gpus: [{count: 2}]
`

func llmScrape(t testing.TB, version string, at time.Time) scrapetest.Scrape {
	t.Helper()
	e, err := Build(worldOf(t, languageModels), "box:8002", fakes.Setup{Version: version})
	require.NoError(t, err)
	return scrape(t, e, at)
}

func ofBackend(name string) bool {
	return strings.HasPrefix(name, "nv_trt_llm_") || strings.HasPrefix(name, "nv_llm_") || strings.HasPrefix(name, "vllm:")
}

// The README of the back end shows its families alone, of the release that brought them.
func TestTensorRTLLMIsLikeTheCapturedReadme(t *testing.T) {
	captured := scrapetest.Parse(t, scrapetest.Captured(t, "triton-23.11-trtllm-custom-families-readme.prom"), "text/plain")
	fake := llmScrape(t, "23.11", start)
	assert.Equal(t, captured.Order, filter(fake.Order, ofBackend))
	for _, name := range captured.Order {
		assert.Equal(t, captured.Families[name], fake.Families[name], name)
	}
	assert.Equal(t, captured.Lines, filter(fake.Lines, ofFamilies(ofBackend)))
	const general = `{__name__="nv_trt_llm_general_metrics", general_type="timestamp", model="tensorrt_llm", version="1"}`
	assert.InDelta(t, start.Unix(), fake.Series[general], 0, "in seconds, as captured")
	assert.InDelta(t, start.UnixMicro(), llmScrape(t, "26.06", start).Series[general], 0, "in microseconds since")
}

func TestBackendFamiliesByRelease(t *testing.T) {
	later := start.Add(time.Hour)
	assert.Empty(t, filter(llmScrape(t, "23.10", later).Order, ofBackend))
	counts := map[string]int{}
	for _, version := range []string{"23.11", "24.07", "24.08", "24.10", "25.02", "26.06"} {
		counts[version] = len(filter(llmScrape(t, version, later).Order, ofBackend))
	}
	assert.Equal(t, map[string]int{"23.11": 5, "24.07": 5, "24.08": 10, "24.10": 14, "25.02": 22, "26.06": 25}, counts)

	s := llmScrape(t, "26.06", later)
	index := func(name string) int { return slices.Index(s.Order, name) }
	assert.Equal(t, index("nv_energy_consumption")+1, index("nv_trt_llm_disaggregated_serving_metrics"), "the first loaded comes first")
	assert.Equal(t, index("nv_trt_llm_disaggregated_serving_metrics")+1, index("vllm:prompt_tokens_total"))
	assert.Equal(t, index("nv_cpu_memory_used_bytes")+1, index("nv_trt_llm_request_metrics"))
	assert.Equal(t, index("nv_llm_output_token_len")+1, index("nv_llm_input_token_len"))
	assert.Equal(t, "histogram", s.Families["nv_llm_output_token_len"].Type)
	assert.Equal(t, []string{"le,model,response_metric_type,version", "model,response_metric_type,version"}, s.Families["nv_llm_output_token_len"].LabelNames)
	assert.Equal(t, []string{"model,version"}, s.Families["vllm:prompt_tokens_total"].LabelNames, "no gpu_uuid, though Triton's own have it")
	assert.NotContains(t, llmScrape(t, "26.06", start).Families, "vllm:prompt_tokens_total", "not before the model is loaded")
	assert.Empty(t, filter(scrape(t, New(world(t, "steady"), "box"), later).Order, ofBackend))
}

// Triton's own counters of a TensorRT-LLM model stood still before 23.12.
func TestCoreCountersOfTensorRTLLM(t *testing.T) {
	const success = `{__name__="nv_inference_request_success", model="tensorrt_llm", version="1"}`
	later := start.Add(time.Hour)
	old, s := llmScrape(t, "23.11", later), llmScrape(t, "23.12", later)
	assert.Contains(t, old.Series, success)
	assert.Zero(t, old.Series[success])
	assert.InDelta(t, 3600, s.Series[success], 1)
}

// What the engine says and what Triton says of one model is of the same requests, and the engine's own numbers hold together.
func TestBackendsCountTheSameRequests(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	var last scrapetest.Scrape
	at := start
	for range 25 {
		at = at.Add(time.Duration(random.Int64N(int64(9 * time.Minute))))
		s := llmScrape(t, "26.06", at)
		for series, v := range s.Series {
			name, _, _ := strings.Cut(strings.TrimPrefix(series, `{__name__="`), `"`)
			if own, ok := s.Families[name]; ofBackend(name) && (!ok || own.Type == "counter") {
				require.GreaterOrEqual(t, v, last.Series[series], series)
			}
		}
		value := func(name, labels string) float64 { return s.Series[`{__name__="`+name+`", `+labels+`}`] }
		const trt, chat = `model="tensorrt_llm", version="1"`, `model="chat", version="1"`
		typed := func(name, label, v string) float64 {
			if label < "model" {
				return value(name, label+`="`+v+`", `+trt)
			}
			return value(name, `model="tensorrt_llm", `+label+`="`+v+`", version="1"`)
		}
		kv := func(v string) float64 { return typed("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", v) }
		require.InDelta(t, kv("max"), kv("free")+kv("used"), 0)
		require.InDelta(t, kv("used")/kv("max"), kv("fraction"), 1e-9)
		requests := func(v string) float64 { return typed("nv_trt_llm_request_metrics", "request_type", v) }
		require.InDelta(t, requests("active"), requests("scheduled")+requests("waiting"), 0)
		require.LessOrEqual(t, requests("context"), requests("scheduled"))
		require.InDelta(t, value(successName, trt), typed("nv_llm_output_token_len_count", "response_metric_type", "total_output_tokens"), 0)
		require.InDelta(t, value("vllm:request_prompt_tokens_count", chat), value("vllm:e2e_request_latency_seconds_bucket", `le="+Inf", `+chat), 0)
		var answered float64
		for series, v := range s.Series {
			if strings.HasPrefix(series, `{__name__="nv_inference_request_success"`) && strings.Contains(series, `model="chat"`) {
				answered += v
			}
		}
		require.InDelta(t, answered, value("vllm:e2e_request_latency_seconds_count", chat), 0)
		last = s
	}
}
