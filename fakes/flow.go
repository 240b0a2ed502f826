package fakes

import "github.com/panelgate/panelgate/fakes/internal/curve"

// Reason is why a request failed, as Triton labels it since 24.07.
type Reason int

// The reasons, in the order in which Triton registers them.
const (
	Rejected Reason = iota
	Canceled
	Backend
	Other
	reasonCount
)

// Reasons are all reasons, in the order in which Triton registers them.
func Reasons() []Reason { return []Reason{Rejected, Canceled, Backend, Other} }

// String is the value of the reason label.
func (r Reason) String() string {
	return [reasonCount]string{"REJECTED", "CANCELED", "BACKEND", "OTHER"}[r]
}

// stage is a part of a request's way through a model that Triton times by itself.
type stage int

const (
	stageQueue stage = iota
	stageComputeInput
	stageComputeInfer
	stageComputeOutput
	stageCount
)

// flow is what passes through a model, as rates per second.
type flow struct {
	success  curve.Curve              // requests that succeed
	failures [reasonCount]curve.Curve // failures counted
	executed curve.Curve              // successful requests that the cache does not answer
	execs    curve.Curve              // executions
	spent    [stageCount]curve.Curve  // microseconds spent in each stage
	request  curve.Curve              // microseconds spent from arrival to response
}

const microsPerSecond = 1e6

// ensembleFailuresPerPart is how often an ensemble counts the failure of one part: once for the step, once for the whole request.
const ensembleFailuresPerPart = 2

// flows works out what passes through each model, in the order of s.models.
func (s *Scenario) flows() []flow {
	index := map[string]int{}
	arrivals := make([]curve.Curve, len(s.models)) // at each model, ensembles' traffic included
	share := make([]float64, len(s.models))        // mean traffic that is offered to a model, to share out its failures by
	for i, m := range s.models {
		index[m.name] = i
		arrivals[i] = m.requests
	}
	for _, m := range s.models {
		for _, step := range m.steps {
			share[index[step]] += m.requests.Mean()
		}
	}
	for i, m := range s.models {
		share[i] += m.requests.Mean()
	}
	flows := make([]flow, len(s.models))
	for i, m := range s.models {
		flows[i].failures = m.failures
		if m.kind != ensembleKind {
			continue
		}
		flows[i].failures, arrivals[i] = s.passOn(m, index, arrivals, share)
	}
	for i, m := range s.models {
		if m.kind == ensembleKind {
			flows[i].success = arrivals[i]
			continue
		}
		flows[i].success = arrivals[i].Minus(sum(m.failures[:]))
		flows[i].spend(m)
	}
	for i, m := range s.models {
		if m.kind == ensembleKind {
			flows[i].spendSteps(m, index, s.models)
		}
	}
	return flows
}

// passOn sends an ensemble's requests through its steps, adding them to the steps' arrivals. What a step fails does not reach the
// next one. It returns the ensemble's failures and the requests that come out whole.
func (s *Scenario) passOn(m modelSpec, index map[string]int, arrivals []curve.Curve, share []float64) ([reasonCount]curve.Curve, curve.Curve) {
	through := m.requests.Minus(sum(m.failures[:]))
	failures := m.failures
	for _, step := range m.steps {
		part := index[step]
		arrivals[part] = arrivals[part].Plus(through)
		if share[part] == 0 {
			continue
		}
		lost := sum(s.models[part].failures[:]).Scale(m.requests.Mean() / share[part])
		through = through.Minus(lost)
		failures[Other] = failures[Other].Plus(lost.Scale(ensembleFailuresPerPart))
	}
	return failures, through
}

// spend works out the times and executions of a model that is no ensemble, from its successes.
func (f *flow) spend(m modelSpec) {
	f.executed = f.success.Scale(1 - m.hitRatio())
	f.execs = f.executed.Times(m.execsPerReq)
	for i := range f.spent {
		passing := f.executed
		if stage(i) == stageQueue {
			passing = f.success
		}
		f.spent[i] = passing.Times(m.stages[i])
	}
	f.request = f.success.Times(m.perRequest())
}

// spendSteps works out the times of an ensemble: its steps' times per request, and a queue of its own that is next to nothing.
func (f *flow) spendSteps(m modelSpec, index map[string]int, models []modelSpec) {
	f.executed, f.execs = f.success, f.success
	perRequest := m.overhead.Plus(m.stages[stageQueue])
	var compute [stageCount]curve.Curve
	for _, step := range m.steps {
		part := models[index[step]]
		perRequest = perRequest.Plus(part.perRequest())
		for i := stageComputeInput; i < stageCount; i++ {
			compute[i] = compute[i].Plus(part.stages[i].Scale(1 - part.hitRatio()))
		}
	}
	compute[stageQueue] = m.stages[stageQueue]
	for i := range f.spent {
		f.spent[i] = f.success.Times(compute[i])
	}
	f.request = f.success.Times(perRequest)
}

// busy is the share of a device that the model's executions keep busy: each lasts as long as its requests' compute time.
func (f flow) busy(m *modelSpec) curve.Curve {
	if m.kind == ensembleKind {
		return curve.Constant(0)
	}
	return f.execs.Times(m.stages[stageComputeInfer]).Scale(1 / microsPerSecond)
}

// perRequest is what a successful request takes on average from arrival to response, cache hits among them, in microseconds.
func (m modelSpec) perRequest() curve.Curve {
	total := m.stages[stageQueue].Plus(m.overhead)
	for i := stageComputeInput; i < stageCount; i++ {
		total = total.Plus(m.stages[i].Scale(1 - m.hitRatio()))
	}
	if m.cache != nil {
		total = total.Plus(curve.Constant(m.cache.hitRatio*m.cache.hitUS + (1-m.cache.hitRatio)*m.cache.missUS))
	}
	return total
}

func (m modelSpec) hitRatio() float64 {
	if m.cache == nil {
		return 0
	}
	return m.cache.hitRatio
}

func sum(curves []curve.Curve) curve.Curve {
	var total curve.Curve
	for _, c := range curves {
		total = total.Plus(c)
	}
	return total
}
