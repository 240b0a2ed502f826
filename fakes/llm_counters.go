package fakes

import (
	"math"
	"time"
)

// LLMCounters are what the engine of a language model has counted since it was started.
type LLMCounters struct {
	Requests int64 // answered: those that ended by themselves and those that ended at the limit of their length
	AtLength int64
	Aborted  int64 // of which the client went away
	Failed   int64
	Rejected int64 // before they reached the engine

	PromptTokens, CachedTokens, OutputTokens int64
	Preemptions                              int64
	Steps                                    int64 // of the engine, each a token further with every running request

	// Tokens of a request.
	Prompt, Output, MaxTokens, Computed Histogram
	// Choices that a request asks for.
	Choices Histogram
	// Tokens of a step.
	StepTokens Histogram
	// Seconds of a request, TokenTime of a token and PerToken of a request's tokens on average.
	Queue, FirstToken, Prefill, Decode, Inference, Latency, TokenTime, PerToken Histogram
}

// How far the values of a kind are spread about their mean: the standard deviation of their logarithms.
const (
	spreadOfTokens  = 0.7
	spreadOfLatency = 0.45
	spreadOfQueue   = 0.9
	spreadOfSteps   = 0.5
	spreadOfPace    = 0.2 // of one token after another
)

// Since are the counters at a time of an engine that was started at from. Counts and sums of requests move when a request ends, tokens
// all the time.
func (l *LLM) Since(from, at time.Time) LLMCounters {
	answered := l.Requests(from, at)
	s := l.spec
	c := LLMCounters{
		Requests: int64(answered), PromptTokens: int64(answered * s.promptTokens), OutputTokens: int64(answered * s.outputTokens),
		CachedTokens: int64(answered * s.promptTokens * s.cachedRatio), Preemptions: int64(answered * s.preemptedRatio),
		Aborted: l.failures(from, at, Canceled), Failed: l.failures(from, at, Backend, Other), Rejected: l.failures(from, at, Rejected),
	}
	c.AtLength = int64(float64(c.Requests) * s.lengthRatio)
	c.Prompt = c.perRequest(Spread{s.promptTokens, spreadOfTokens})
	c.Output = c.perRequest(Spread{s.outputTokens, spreadOfTokens})
	c.MaxTokens = c.perRequest(Spread{float64(s.maxTokens), 0})
	c.Computed = c.perRequest(Spread{s.promptTokens * (1 - s.cachedRatio), spreadOfTokens})
	c.Choices = c.perRequest(Spread{1, 0})
	c.Queue = c.perRequest(Spread{l.queueSeconds(), spreadOfQueue})
	c.Prefill = c.perRequest(Spread{l.prefillSeconds(), spreadOfLatency})
	c.FirstToken = c.perRequest(Spread{l.queueSeconds() + l.prefillSeconds(), spreadOfLatency})
	c.Decode = c.perRequest(Spread{l.decodeSeconds(), spreadOfTokens})
	c.Inference = c.perRequest(Spread{l.prefillSeconds() + l.decodeSeconds(), spreadOfTokens})
	c.Latency = c.perRequest(Spread{l.queueSeconds() + l.prefillSeconds() + l.decodeSeconds(), spreadOfTokens})
	pace := Spread{s.tokenMS / millisPerSecond, spreadOfPace}
	c.PerToken = c.perRequest(pace)
	between := int64(answered * (s.outputTokens - 1))
	c.TokenTime = Histogram{Count: between, Sum: float64(between) * pace.Mean, spread: pace}
	c.countSteps(l.batch(from))
	return c
}

func (c *LLMCounters) perRequest(s Spread) Histogram {
	return Histogram{Count: c.Requests, Sum: float64(c.Requests) * s.Mean, spread: s}
}

// countSteps counts the engine's steps where each brings so many requests a token further. Prompts are worked on in steps too.
func (c *LLMCounters) countSteps(batch float64) {
	c.Steps = int64(float64(c.OutputTokens) / batch)
	tokens := float64(c.PromptTokens + c.OutputTokens)
	c.StepTokens = Histogram{Count: c.Steps, Sum: tokens}
	if c.Steps == 0 {
		c.StepTokens.Sum = 0
		return
	}
	share := 1 + (c.Prompt.spread.Mean / c.Output.spread.Mean)
	c.StepTokens.spread = Spread{batch * share, spreadOfSteps}
}

// typicalWindow is over how long the usual size of a batch is taken: long enough for most waves.
const typicalWindow = time.Hour

// batch is how many requests a step of the engine usually serves.
func (l *LLM) batch(from time.Time) float64 {
	perSecond := l.Requests(from, from.Add(typicalWindow)) / typicalWindow.Seconds()
	return min(max(perSecond*(l.prefillSeconds()+l.decodeSeconds()), 1), float64(l.spec.maxRunning))
}

// Spread is a distribution of values above zero: log-normal about its mean, or the mean alone where Sigma is 0.
type Spread struct {
	Mean  float64
	Sigma float64 // of the logarithm
}

// Share is the share of values up to a bound.
func (s Spread) Share(bound float64) float64 {
	switch {
	case s.Sigma == 0 || s.Mean == 0 || math.IsInf(bound, 1):
		if s.Mean <= bound {
			return 1
		}
		return 0
	case bound <= 0:
		return 0
	}
	z := math.Log(bound/s.Mean)/s.Sigma + s.Sigma/2 // the median of a log-normal lies below its mean
	return math.Erfc(-z/math.Sqrt2) / 2
}

// Quantile is the value that a share of all values does not exceed.
func (s Spread) Quantile(share float64) float64 {
	z := -math.Sqrt2 * math.Erfcinv(2*share)
	return s.Mean * math.Exp(s.Sigma*z-s.Sigma*s.Sigma/2)
}

// Histogram is how often something was observed, what the observations add up to, and how they are spread. Of each bound the count
// is rounded to a whole observation, so that it differs from the truth by half of one at most.
type Histogram struct {
	Count  int64
	Sum    float64
	spread Spread
}

// Spread is the distribution that the observations come from.
func (h Histogram) Spread() Spread { return h.spread }

// UpTo is how many observations were not above a bound. It never falls with the bound, nor with time.
func (h Histogram) UpTo(bound float64) int64 {
	if math.IsInf(bound, 1) {
		return h.Count
	}
	return min(int64(math.Round(float64(h.Count)*h.spread.Share(bound))), h.Count)
}
