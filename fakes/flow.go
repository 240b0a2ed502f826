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

// quantity is something of a model that is counted.
type quantity int

const (
	flowSuccess   quantity = 0                                  // requests that succeed
	flowFailed             = flowSuccess + 1                    // failures counted, one quantity a Reason from here on
	flowExecuted           = flowFailed + quantity(reasonCount) // successful requests that the cache does not answer
	flowExecs              = flowExecuted + 1                   // executions
	flowSpent              = flowExecs + 1                      // microseconds spent in each stage, one quantity a stage from here on
	flowRequest            = flowSpent + quantity(stageCount)   // microseconds spent from arrival to response
	quantityCount          = flowRequest + 1
)

// flow is what passes through a model, each quantity as a rate per second.
type flow [quantityCount]curve.Curve

func (f *flow) failures() []curve.Curve { return f[flowFailed : flowFailed+quantity(reasonCount)] }

func (f *flow) stages() []curve.Curve { return f[flowSpent : flowSpent+quantity(stageCount)] }

const microsPerSecond = 1e6

// ensembleFailuresPerPart is how often an ensemble counts the failure of one part: once for the step, once for the whole request.
const ensembleFailuresPerPart = 2

// flowsOf works out what passes through each model, in the order given.
func flowsOf(models []modelSpec) []flow {
	index := map[string]int{}
	arrivals := make([]curve.Curve, len(models)) // at each model, ensembles' traffic included
	share := make([]float64, len(models))        // mean traffic that is offered to a model, to share out its failures by
	for i, m := range models {
		index[m.name] = i
		arrivals[i] = m.requests
	}
	for _, m := range models {
		for _, step := range m.steps {
			share[index[step]] += m.requests.Mean()
		}
	}
	for i, m := range models {
		share[i] += m.requests.Mean()
	}
	flows := make([]flow, len(models))
	for i, m := range models {
		failures := m.failures
		if m.kind == ensembleKind {
			failures, arrivals[i] = passOn(models, m, index, arrivals, share)
		}
		copy(flows[i].failures(), failures[:])
	}
	for i, m := range models {
		if m.kind == ensembleKind {
			flows[i][flowSuccess] = arrivals[i]
			continue
		}
		flows[i][flowSuccess] = arrivals[i].Minus(sum(m.failures[:]))
		flows[i].spend(m)
	}
	for i, m := range models {
		if m.kind == ensembleKind {
			flows[i].spendSteps(m, index, models)
		}
	}
	return flows
}

// passOn sends an ensemble's requests through its steps, adding them to the steps' arrivals. What a step fails does not reach the
// next one. It returns the ensemble's failures and the requests that come out whole.
func passOn(models []modelSpec, m modelSpec, index map[string]int, arrivals []curve.Curve, share []float64) ([reasonCount]curve.Curve, curve.Curve) {
	through := m.requests.Minus(sum(m.failures[:]))
	failures := m.failures
	for _, step := range m.steps {
		part := index[step]
		arrivals[part] = arrivals[part].Plus(through)
		if share[part] == 0 {
			continue
		}
		lost := sum(models[part].failures[:]).Scale(m.requests.Mean() / share[part])
		through = through.Minus(lost)
		failures[Other] = failures[Other].Plus(lost.Scale(ensembleFailuresPerPart))
	}
	return failures, through
}

// spend works out the times and executions of a model that is no ensemble, from its successes.
func (f *flow) spend(m modelSpec) {
	f[flowExecuted] = f[flowSuccess].Scale(1 - m.hitRatio())
	f[flowExecs] = f[flowExecuted].Times(m.execsPerReq)
	for i := range f.stages() {
		passing := f[flowExecuted]
		if stage(i) == stageQueue {
			passing = f[flowSuccess]
		}
		f.stages()[i] = passing.Times(m.stages[i])
	}
	f[flowRequest] = f[flowSuccess].Times(m.perRequest())
}

// spendSteps works out the times of an ensemble: its steps' times per request, and a queue of its own that is next to nothing.
func (f *flow) spendSteps(m modelSpec, index map[string]int, models []modelSpec) {
	f[flowExecuted], f[flowExecs] = f[flowSuccess], f[flowSuccess]
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
	for i := range f.stages() {
		f.stages()[i] = f[flowSuccess].Times(compute[i])
	}
	f[flowRequest] = f[flowSuccess].Times(perRequest)
}

// busy is the share of a device that the model's executions keep busy: each lasts as long as its requests' compute time.
func (f *flow) busy(m *modelSpec) curve.Curve {
	if m.kind == ensembleKind {
		return curve.Constant(0)
	}
	return f[flowExecs].Times(m.stages[stageComputeInfer]).Scale(1 / microsPerSecond)
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
