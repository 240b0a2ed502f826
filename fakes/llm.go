package fakes

import (
	"math"
	"slices"
	"time"
)

// The kinds of model that generate text token by token.
const (
	vllmKind        = "vllm"
	tensorrtllmKind = "tensorrtllm"
)

// llmSpec is what a request of a language model asks for and takes, on average, and what the engine has to serve it with.
type llmSpec struct {
	promptTokens, outputTokens float64
	maxTokens                  int64   // that requests allow for the output
	lengthRatio                float64 // share of requests that end at that limit
	cachedRatio                float64 // share of prompt tokens that the prefix cache knows already
	preemptedRatio             float64 // share of requests that had to make room once

	queueMS, prefillMS, tokenMS float64 // waiting for the engine, until the first token, between two tokens

	contextTokens int64 // the longest prompt and output together
	maxRunning    int64 // requests in one batch
	kvBlocks      int64
	blockTokens   int64
}

// Limits of a language model's numbers.
const (
	maxContextTokens = 16 << 20
	maxRunning       = 1 << 16
	maxKVBlocks      = 1 << 30
	maxBlockTokens   = 1 << 12
	maxMillis        = maxMicros / 1000
)

// defaultLLM is a model of eight thousand million parameters on one GPU, as a chat uses it.
func defaultLLM(kind string) llmSpec {
	l := llmSpec{
		promptTokens: 480, outputTokens: 160, maxTokens: 512, lengthRatio: 0.06, cachedRatio: 0.35, preemptedRatio: 0.002,
		queueMS: 14, prefillMS: 95, tokenMS: 17.5, contextTokens: 8192, maxRunning: 256, kvBlocks: 27104, blockTokens: 16,
	}
	if kind == tensorrtllmKind {
		l.kvBlocks, l.blockTokens = 6776, 64
	}
	return l
}

// readLLM reads what a scenario says of a language model; what it does not say is as with defaultLLM of the model's kind.
func (m *modelSpec) readLLM(f field) error {
	m.llmAt = f.at()
	m.llm = &llmSpec{}
	given := defaultLLM("")
	blocks := setters{
		"blocks":       integer(&given.kvBlocks, 1, maxKVBlocks),
		"block_tokens": integer(&given.blockTokens, 1, maxBlockTokens),
	}
	err := f.mapping(setters{
		"prompt_tokens":   number(&given.promptTokens, 1, maxContextTokens),
		"output_tokens":   number(&given.outputTokens, 1, maxContextTokens),
		"max_tokens":      integer(&given.maxTokens, 1, maxContextTokens),
		"length_ratio":    number(&given.lengthRatio, 0, 1),
		"cached_ratio":    number(&given.cachedRatio, 0, 1),
		"preempted_ratio": number(&given.preemptedRatio, 0, 1),
		"queue_ms":        number(&given.queueMS, 0, maxMillis),
		"prefill_ms":      number(&given.prefillMS, 0.01, maxMillis),
		"token_ms":        number(&given.tokenMS, 0.01, maxMillis),
		"context_tokens":  integer(&given.contextTokens, 1, maxContextTokens),
		"max_running":     integer(&given.maxRunning, 1, maxRunning),
		"kv_cache": func(f field) error {
			m.kvGiven = true
			return f.mapping(blocks)
		},
	})
	if err != nil {
		return err
	}
	*m.llm = given
	return m.llm.check(f)
}

func (l *llmSpec) check(f field) error {
	switch {
	case l.promptTokens+l.outputTokens > float64(l.contextTokens):
		return f.errorf("prompt_tokens and output_tokens together exceed context_tokens, %d", l.contextTokens)
	case l.outputTokens > float64(l.maxTokens):
		return f.errorf("output_tokens exceed max_tokens, %d", l.maxTokens)
	}
	return nil
}

// settleLLM gives a model of the kinds that are language models what the scenario does not say of it, and refuses the key at others.
func (m *modelSpec) settleLLM() error {
	isLLM := m.kind == vllmKind || m.kind == tensorrtllmKind
	switch {
	case m.llm == nil && isLLM:
		given := defaultLLM(m.kind)
		m.llm = &given
	case m.llm != nil && !isLLM:
		return m.llmAt.errorf("llm: model %q is of kind %s; language models are of kind %s or %s", m.name, m.kind, vllmKind, tensorrtllmKind)
	case m.llm != nil && !m.kvGiven:
		usual := defaultLLM(m.kind)
		m.llm.kvBlocks, m.llm.blockTokens = usual.kvBlocks, usual.blockTokens
	}
	return nil
}

// LLM is a language model of a world: what its engine counts beside what the server around it does, and the truth that the counters
// stand for. All requests are alike on average at all times; how many there are is the model's flow. An LLM is immutable and safe for
// concurrent use.
type LLM struct {
	name    string
	spec    *llmSpec
	sources []*Model // whose requests it answers
}

// LLM is the language model that a model of kind vllm or tensorrtllm is; false for other kinds.
func (m *Model) LLM() (*LLM, bool) {
	if m.spec.llm == nil {
		return nil, false
	}
	return &LLM{name: m.spec.name, spec: m.spec.llm, sources: []*Model{m}}, true
}

// StandInLLM is the name of the language model of a world that has none.
const StandInLLM = "meta-llama/Llama-3.1-8B-Instruct"

// ServedLLM is the language model that a vLLM server on the machine serves: the first model of kind vllm. Where there is none, it is
// one that gets as many requests as come to all the models together from outside, so that such a server is as busy as the world is.
func (w *World) ServedLLM() *LLM {
	var steps []string
	for _, m := range w.models {
		if m.spec.kind == vllmKind {
			llm, _ := m.LLM()
			return llm
		}
		steps = append(steps, m.spec.steps...)
	}
	spec := defaultLLM(vllmKind)
	stand := &LLM{name: StandInLLM, spec: &spec}
	for _, m := range w.models {
		if !slices.Contains(steps, m.spec.name) {
			stand.sources = append(stand.sources, m)
		}
	}
	return stand
}

// Name is the model's name.
func (l *LLM) Name() string { return l.name }

// ContextTokens is how long a prompt and its output may be together.
func (l *LLM) ContextTokens() int64 { return l.spec.contextTokens }

// MaxRunning is how many requests a batch takes.
func (l *LLM) MaxRunning() int64 { return l.spec.maxRunning }

// KVBlocks is how many blocks the KV cache has.
func (l *LLM) KVBlocks() int64 { return l.spec.kvBlocks }

// BlockTokens is how many tokens a block of the KV cache holds.
func (l *LLM) BlockTokens() int64 { return l.spec.blockTokens }

// Requests is how many requests were answered in a window.
func (l *LLM) Requests(from, to time.Time) float64 {
	var n float64
	for _, m := range l.sources {
		n += m.Requests(from, to)
	}
	return n
}

// PromptTokens is how many tokens the prompts of a window had.
func (l *LLM) PromptTokens(from, to time.Time) float64 {
	return l.Requests(from, to) * l.spec.promptTokens
}

// OutputTokens is how many tokens were generated in a window.
func (l *LLM) OutputTokens(from, to time.Time) float64 {
	return l.Requests(from, to) * l.spec.outputTokens
}

// failures is how many requests failed in a window for one of the reasons.
func (l *LLM) failures(from, to time.Time, reasons ...Reason) int64 {
	var n float64
	for _, m := range l.sources {
		for _, reason := range reasons {
			n += m.Failures(from, to, reason)
		}
	}
	return int64(n)
}

const millisPerSecond = 1000

// decodeSeconds is how long a request takes from its first token to its last.
func (l *LLM) decodeSeconds() float64 {
	return (l.spec.outputTokens - 1) * l.spec.tokenMS / millisPerSecond
}

func (l *LLM) prefillSeconds() float64 { return l.spec.prefillMS / millisPerSecond }
func (l *LLM) queueSeconds() float64   { return l.spec.queueMS / millisPerSecond }

// demand is how many requests the engine would have in its batch were there no limit: as many as are answered during the time that
// one of them takes.
func (l *LLM) demand(at time.Time) float64 {
	return l.arrivedWithin(at, l.prefillSeconds()+l.decodeSeconds())
}

func (l *LLM) arrivedWithin(at time.Time, seconds float64) float64 {
	return l.Requests(at.Add(-time.Duration(seconds*float64(time.Second))), at)
}

// Running is how many requests are in the engine's batch at a time.
func (l *LLM) Running(at time.Time) int64 {
	return min(int64(math.Round(l.demand(at))), l.spec.maxRunning)
}

// Waiting is how many requests wait for the engine at a time: those that arrive while one of them waits, and what the batch does not
// hold.
func (l *LLM) Waiting(at time.Time) int64 {
	over := max(l.demand(at)-float64(l.spec.maxRunning), 0)
	return int64(math.Round(l.arrivedWithin(at, l.queueSeconds()) + over))
}

// KVBlocksUsed is how many blocks of the KV cache the running requests hold at a time, each with its prompt and on average half of
// its output.
func (l *LLM) KVBlocksUsed(at time.Time) int64 {
	each := math.Ceil((l.spec.promptTokens + l.spec.outputTokens/2) / float64(l.spec.blockTokens))
	return min(l.Running(at)*int64(each), l.spec.kvBlocks)
}

// KVCacheUsage is the share of the KV cache in use at a time, 0..1.
func (l *LLM) KVCacheUsage(at time.Time) float64 {
	return float64(l.KVBlocksUsed(at)) / float64(l.spec.kvBlocks)
}

// MeanPromptTokens is how long a prompt of the window was, in tokens; NaN without requests, as are the other means.
func (l *LLM) MeanPromptTokens(from, to time.Time) float64 {
	return l.mean(l.spec.promptTokens, from, to)
}

// MeanOutputTokens is how many tokens were generated for a request of the window.
func (l *LLM) MeanOutputTokens(from, to time.Time) float64 {
	return l.mean(l.spec.outputTokens, from, to)
}

// MeanQueue is how long a request of the window waited for the engine, in seconds.
func (l *LLM) MeanQueue(from, to time.Time) float64 { return l.mean(l.queueSeconds(), from, to) }

// MeanFirstToken is how long it took from a request of the window to its first token, in seconds.
func (l *LLM) MeanFirstToken(from, to time.Time) float64 {
	return l.mean(l.queueSeconds()+l.prefillSeconds(), from, to)
}

// MeanTokenTime is how long it took from one token to the next, in seconds.
func (l *LLM) MeanTokenTime(from, to time.Time) float64 {
	return l.mean(l.spec.tokenMS/millisPerSecond, from, to)
}

// MeanLatency is how long a request of the window took from its arrival to its last token, in seconds.
func (l *LLM) MeanLatency(from, to time.Time) float64 {
	return l.mean(l.queueSeconds()+l.prefillSeconds()+l.decodeSeconds(), from, to)
}

// mean is a value that all requests have on average, where there are any.
func (l *LLM) mean(value float64, from, to time.Time) float64 {
	if l.Requests(from, to) == 0 {
		return math.NaN()
	}
	return value
}
