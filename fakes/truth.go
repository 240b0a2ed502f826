package fakes

import (
	"math"
	"time"
)

// The methods in this file are the truth about a window of time: what really happened in it, however often the counters of it began
// anew. While a model is not loaded nothing happens to it. Counters hold the truth rounded down to whole requests and microseconds: in
// a window in which the model stays loaded, the increase of a counter differs from the truth by less than one request, or by less than
// one request's time.
//
// What Prometheus makes of scrapes differs by more, for it sees the counters at scrapes only. For a window of a range selector, with
// gap the longest time in it between two scrapes, or between its edge and the scrape next to it, with peak the highest rate in it and
// just around it, and with n the times that the counters began anew in it,
//
//	|increase − truth| ≤ peak · gap · (2 + 2n) + 1 + n
//
// The window's edges give the first part: increase reaches beyond the first scrape and the last by no more than gap. At a reset is lost
// what was counted since the last scrape before it, and where the series comes back with other labels, what was counted until its first
// scrape. The rest is what rounding down does.

// Requests is how many requests succeeded in the window (nv_inference_request_success).
func (m *Model) Requests(from, to time.Time) float64 { return m.over(flowSuccess, from, to) }

// RequestRate is how many requests succeeded per second of the window; NaN for an empty window.
func (m *Model) RequestRate(from, to time.Time) float64 {
	return m.Requests(from, to) / to.Sub(from).Seconds()
}

// Failures is how many failures of one reason were counted in the window. An ensemble counts a failure of one of its steps twice,
// with reason Other.
func (m *Model) Failures(from, to time.Time, reason Reason) float64 {
	return m.over(flowFailed+quantity(reason), from, to)
}

// MeanRequest is the time a successful request of the window took from arrival to response, in microseconds; NaN without requests.
func (m *Model) MeanRequest(from, to time.Time) float64 {
	return m.perRequest(flowRequest, from, to)
}

// MeanQueue is the time that a successful request of the window waited, in microseconds; NaN without requests.
func (m *Model) MeanQueue(from, to time.Time) float64 { return m.perStage(stageQueue, from, to) }

// MeanComputeInput is the time spent on inputs per successful request, in microseconds; NaN without requests. Like all compute
// times it is averaged over all successful requests, of which those answered from the cache take none.
func (m *Model) MeanComputeInput(from, to time.Time) float64 {
	return m.perStage(stageComputeInput, from, to)
}

// MeanComputeInfer is the time spent executing per successful request, in microseconds; NaN without requests.
func (m *Model) MeanComputeInfer(from, to time.Time) float64 {
	return m.perStage(stageComputeInfer, from, to)
}

// MeanComputeOutput is the time spent on outputs per successful request, in microseconds; NaN without requests.
func (m *Model) MeanComputeOutput(from, to time.Time) float64 {
	return m.perStage(stageComputeOutput, from, to)
}

// MeanBatch is how many inferences an execution of the window did; NaN without executions.
func (m *Model) MeanBatch(from, to time.Time) float64 {
	return ratio(m.Inferences(from, to), m.Executions(from, to))
}

// Inferences is how many inferences were done in the window (nv_inference_count): as many as each request that the cache does not
// answer asks for.
func (m *Model) Inferences(from, to time.Time) float64 {
	return m.over(flowExecuted, from, to) * float64(m.spec.batchSize)
}

// Executions is how many executions there were in the window (nv_inference_exec_count).
func (m *Model) Executions(from, to time.Time) float64 { return m.over(flowExecs, from, to) }

// CacheHitRatio is the share of the window's successful requests that the response cache answered; NaN without requests or cache.
func (m *Model) CacheHitRatio(from, to time.Time) float64 {
	if m.spec.cache == nil {
		return math.NaN()
	}
	requests := m.Requests(from, to)
	return ratio(requests-m.over(flowExecuted, from, to), requests)
}

func (m *Model) perStage(s stage, from, to time.Time) float64 {
	return m.perRequest(flowSpent+quantity(s), from, to)
}

func (m *Model) perRequest(spent quantity, from, to time.Time) float64 {
	return ratio(m.over(spent, from, to), m.Requests(from, to))
}

// over is how much of a quantity there was in a window.
func (m *Model) over(q quantity, from, to time.Time) float64 {
	a, b := m.world.tickAt(from), m.world.tickAt(to)
	if b <= a {
		return 0
	}
	return max(m.asked.of(m, q, b)-m.asked.of(m, q, a), 0)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
