package fakes

import (
	"math"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// The methods in this file are the truth about a window of time. Counters hold it rounded down to whole requests and microseconds:
// an increase of a counter over a window differs from the truth by less than one request, or by less than one request's time.
// Where the window reaches before the model was loaded, only what follows counts.

// Requests is how many requests succeeded in the window (nv_inference_request_success).
func (m *Model) Requests(from, to time.Time) float64 { return m.over(m.flow.success, from, to) }

// RequestRate is how many requests succeeded per second of the window; NaN for an empty window.
func (m *Model) RequestRate(from, to time.Time) float64 {
	return m.Requests(from, to) / to.Sub(from).Seconds()
}

// Failures is how many failures of one reason were counted in the window. An ensemble counts a failure of one of its steps twice,
// with reason Other.
func (m *Model) Failures(from, to time.Time, reason Reason) float64 {
	return m.over(m.flow.failures[reason], from, to)
}

// MeanRequest is the time a successful request of the window took from arrival to response, in microseconds; NaN without requests.
func (m *Model) MeanRequest(from, to time.Time) float64 {
	return m.perRequest(m.flow.request, from, to)
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
	return m.over(m.flow.executed, from, to) * float64(m.spec.batchSize)
}

// Executions is how many executions there were in the window (nv_inference_exec_count).
func (m *Model) Executions(from, to time.Time) float64 { return m.over(m.flow.execs, from, to) }

// CacheHitRatio is the share of the window's successful requests that the response cache answered; NaN without requests or cache.
func (m *Model) CacheHitRatio(from, to time.Time) float64 {
	if m.spec.cache == nil {
		return math.NaN()
	}
	requests := m.Requests(from, to)
	return ratio(requests-m.over(m.flow.executed, from, to), requests)
}

func (m *Model) perStage(s stage, from, to time.Time) float64 {
	return m.perRequest(m.flow.spent[s], from, to)
}

func (m *Model) perRequest(spent curve.Curve, from, to time.Time) float64 {
	return ratio(m.over(spent, from, to), m.Requests(from, to))
}

// over is the integral of a rate over the part of a window in which the model was loaded.
func (m *Model) over(rate curve.Curve, from, to time.Time) float64 {
	a, b := max(m.world.tickAt(from), m.loaded), max(m.world.tickAt(to), m.loaded)
	if b <= a {
		return 0
	}
	return max(rate.Integral(b.seconds())-rate.Integral(a.seconds()), 0)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
