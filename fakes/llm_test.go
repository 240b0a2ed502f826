package fakes

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func llmWorld(t testing.TB, yaml string) *World {
	t.Helper()
	s, err := ParseScenario("llm.yaml", []byte(yaml))
	require.NoError(t, err)
	return NewWorld(s, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
}

const twoLLMs = `version: 1
models:
  - {name: plain, kind: python, requests_per_second: 3}
  - name: chat
    kind: vllm
    requests_per_second: {mean: 2, waves: [{swing: 0.4, period: 13m}]}
    failures_per_second: {CANCELED: 0.1, REJECTED: 0.05}
    llm: {prompt_tokens: 100, output_tokens: 51, queue_ms: 250, prefill_ms: 500, token_ms: 20, length_ratio: 0.25, cached_ratio: 0.5, max_running: 8}
  - {name: trt, kind: tensorrtllm, requests_per_second: 1}
`

func TestLanguageModelsAreThoseOfTheirKinds(t *testing.T) {
	w := llmWorld(t, twoLLMs)
	for _, m := range w.Models() {
		llm, ok := m.LLM()
		assert.Equal(t, m.Kind() != "python", ok, m.Name())
		if ok {
			assert.Equal(t, m.Name(), llm.Name())
		}
	}
	trt, _ := w.Model("trt")
	llm, _ := trt.LLM()
	assert.Equal(t, int64(64), llm.BlockTokens(), "without a word, as TensorRT-LLM has it")
	chat, _ := w.Model("chat")
	llm, _ = chat.LLM()
	assert.Equal(t, int64(16), llm.BlockTokens())
	assert.Equal(t, "chat", w.ServedLLM().Name())
}

func TestTruthOfALanguageModel(t *testing.T) {
	w := llmWorld(t, twoLLMs)
	m, _ := w.Model("chat")
	llm, _ := m.LLM()
	at := w.Start().Add(2 * time.Hour)
	c := llm.Since(w.Start(), at)
	assert.Equal(t, m.Counters(at).Success, c.Requests, "as Triton counts them")
	assert.InDelta(t, m.Requests(w.Start(), at)*100, float64(c.PromptTokens), 1)
	assert.InDelta(t, llm.OutputTokens(w.Start(), at), float64(c.OutputTokens), 1)
	assert.Equal(t, c.Requests/4, c.AtLength)
	assert.InDelta(t, 0.1*7200, float64(c.Aborted), 1)
	assert.InDelta(t, 0.05*7200, float64(c.Rejected), 1)
	assert.InDelta(t, 0.25+0.5+50*0.02, c.Latency.Sum/float64(c.Latency.Count), 1e-9)
	for name, mean := range map[string][2]float64{
		"latency": {1.75, llm.MeanLatency(w.Start(), at)}, "first token": {0.75, llm.MeanFirstToken(w.Start(), at)},
		"queue": {0.25, llm.MeanQueue(w.Start(), at)}, "token": {0.02, llm.MeanTokenTime(w.Start(), at)},
		"prompt": {100, llm.MeanPromptTokens(w.Start(), at)}, "output": {51, llm.MeanOutputTokens(w.Start(), at)},
	} {
		assert.InDelta(t, mean[0], mean[1], 1e-12, name)
	}
	assert.True(t, math.IsNaN(llm.MeanLatency(at, at)), "without requests")
	assert.Equal(t, c.PromptTokens/2, c.CachedTokens)

	// Little's law: as many run as are answered while one of them runs.
	assert.InDelta(t, m.Requests(at.Add(-1500*time.Millisecond), at), float64(llm.Running(at)), 0.5)
	assert.InDelta(t, m.Requests(at.Add(-250*time.Millisecond), at), float64(llm.Waiting(at)), 0.5)
	assert.InDelta(t, float64(llm.Running(at)*8)/27104, llm.KVCacheUsage(at), 1e-12, "125 tokens in blocks of 16 a request")
}

func TestMoreThanTheBatchHoldsWaits(t *testing.T) {
	w := llmWorld(t, `version: 1
models: [{name: chat, kind: vllm, requests_per_second: 40, llm: {prefill_ms: 1000, token_ms: 0.01, max_running: 8, kv_cache: {blocks: 100}}}]
`)
	llm := w.ServedLLM()
	at := w.Start().Add(time.Hour)
	assert.Equal(t, int64(8), llm.Running(at))
	assert.Equal(t, int64(33), llm.Waiting(at))
	assert.InDelta(t, 1, llm.KVCacheUsage(at), 0, "never more than there is")
}

// A world without a model of kind vllm has one for its vLLM server, which gets what comes to all models from outside.
func TestServedLLMOfAWorldWithoutOne(t *testing.T) {
	for name, served := range map[string]bool{"steady": true, "idle": false, "saturation": true} {
		s, err := BuiltinScenario(name)
		require.NoError(t, err)
		w := NewWorld(s, time.Unix(1_800_000_000, 0))
		llm := w.ServedLLM()
		assert.Equal(t, StandInLLM, llm.Name())
		from, to := w.Start().Add(time.Hour), w.Start().Add(2*time.Hour)
		var outside float64
		for _, m := range w.Models() {
			if !slices.Contains([]string{"preprocessing", "inference", "postprocessing"}, m.Name()) { // the steps of the ensemble
				outside += m.Requests(from, to)
			}
		}
		assert.InDelta(t, outside, llm.Requests(from, to), 1e-6)
		assert.Equal(t, served, outside > 0)
	}
}

func TestSpreadIsADistribution(t *testing.T) {
	for _, s := range []Spread{{100, 0.7}, {0.02, 0.2}, {3, 1.2}} {
		var mean float64
		const slices = 20000
		for i := range slices {
			mean += s.Quantile((float64(i)+0.5)/slices) / slices
		}
		assert.InEpsilon(t, s.Mean, mean, 0.01)
		for _, share := range []float64{0.01, 0.5, 0.9, 0.999} {
			assert.InDelta(t, share, s.Share(s.Quantile(share)), 1e-9)
		}
		assert.Zero(t, s.Share(0))
		assert.InDelta(t, 1, s.Share(math.Inf(1)), 0)
	}
	one := Spread{Mean: 1}
	assert.Zero(t, one.Share(0.99))
	assert.InDelta(t, 1, one.Share(1), 0)
}

// Counts never fall with time nor with the bound, and reach the count at the end.
func TestLLMCountersNeverFall(t *testing.T) {
	s, err := BuiltinScenario("llm")
	require.NoError(t, err)
	w := NewWorld(s, time.Unix(1_800_000_000, 0))
	random := rand.New(rand.NewPCG(5, 5))
	for _, m := range w.Models() {
		llm, ok := m.LLM()
		if !ok {
			continue
		}
		at, last := w.Start(), LLMCounters{}
		for range 300 {
			at = at.Add(time.Duration(random.Int64N(int64(time.Minute))))
			c := llm.Since(w.Start(), at)
			require.GreaterOrEqual(t, c.PromptTokens, last.PromptTokens)
			require.GreaterOrEqual(t, c.Steps, last.Steps)
			require.Equal(t, m.Counters(at).Success, c.Requests)
			for i, h := range []Histogram{c.Prompt, c.Latency, c.TokenTime, c.StepTokens, c.Choices} {
				before := []Histogram{last.Prompt, last.Latency, last.TokenTime, last.StepTokens, last.Choices}[i]
				var below int64
				for _, bound := range []float64{0.001, 0.02, 0.5, 1, 3, 100, 1000, math.Inf(1)} {
					upTo := h.UpTo(bound)
					require.GreaterOrEqual(t, upTo, below)
					require.GreaterOrEqual(t, upTo, before.UpTo(bound))
					below = upTo
				}
				require.Equal(t, h.Count, below)
				require.GreaterOrEqual(t, h.Sum, before.Sum)
			}
			last = c
		}
	}
}

func TestLanguageModelsThatCannotBe(t *testing.T) {
	for want, model := range map[string]string{
		`2:39: llm: model "m" is of kind python; language models are of kind vllm or tensorrtllm`: `{name: m, kind: python, llm: {}}`,
		"prompt_tokens and output_tokens together exceed context_tokens, 100":                     `{name: m, kind: vllm, llm: {context_tokens: 100}}`,
		"output_tokens exceed max_tokens, 64":                                                     `{name: m, kind: vllm, llm: {max_tokens: 64}}`,
		"cached_ratio: 1.5 is not between 0 and 1":                                                `{name: m, kind: vllm, llm: {cached_ratio: 1.5}}`,
		`unknown key "tokens" in llm`:                                                             `{name: m, kind: vllm, llm: {tokens: 5}}`,
		"blocks: 0 is not between 1 and":                                                          `{name: m, kind: tensorrtllm, llm: {kv_cache: {blocks: 0}}}`,
	} {
		_, err := ParseScenario("s.yaml", []byte("version: 1\nmodels: ["+model+"]\n"))
		require.ErrorContains(t, err, want)
	}
}
