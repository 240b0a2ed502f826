package fakes

import (
	"math"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// acted is a scenario as it goes on while no event begins, changes its course or ends: all of it waves and ways from one value to
// another, which can be added up in closed form.
type acted struct {
	flows    []flow        // by model; all zero for one that is not loaded
	gpus     []curve.Curve // utilisation of each, 0..1
	draws    []curve.Curve // the share of its busy power that each draws, 0..1: its utilisation, less what throttling takes
	cpus     curve.Curve   // utilisation of all CPUs together, 0..1
	arrivals curve.Curve   // requests per second from outside
}

// act is the scenario with its events in the given states and the given models loaded.
func (s *Scenario) act(states []state, loaded []bool) *acted {
	models := make([]modelSpec, len(s.models))
	for i, m := range s.models {
		if loaded[i] {
			s.happen(&m, states)
		} else {
			m.requests, m.failures = curve.Constant(0), [reasonCount]curve.Curve{}
		}
		models[i] = m
	}
	a := &acted{cpus: s.host.cpuLoad}
	if s.throttled(states) {
		a.draws = s.gpuLoads(models, flowsOf(models)) // the same work
		for i := range s.gpus {
			a.draws[i] = a.draws[i].Minus(s.gpus[i].load).Plus(s.gpus[i].load.Times(s.clock(i, states)))
			s.throttle(models, i, states)
		}
	}
	a.flows = flowsOf(models)
	a.gpus = s.gpuLoads(models, a.flows)
	if a.draws == nil {
		a.draws = a.gpus
	}
	for i := range models {
		m := &models[i]
		a.arrivals = a.arrivals.Plus(m.requests)
		if m.gpu == cpuOnly {
			a.cpus = a.cpus.Plus(a.flows[i].busy(m).Scale(1 / float64(s.host.cpus)))
		}
	}
	if s.limited {
		a.limit()
	}
	return a
}

// gpuLoads is how busy each GPU is.
func (s *Scenario) gpuLoads(models []modelSpec, flows []flow) []curve.Curve {
	loads := make([]curve.Curve, len(s.gpus))
	for i, g := range s.gpus {
		loads[i] = g.load
	}
	for i := range models {
		if gpu := models[i].gpu; gpu != cpuOnly {
			loads[gpu] = loads[gpu].Plus(flows[i].busy(&models[i]))
		}
	}
	return loads
}

// throttled says whether some GPU is throttled.
func (s *Scenario) throttled(states []state) bool {
	for i := range s.events {
		if s.events[i].throttle != 1 && states[i].phase != phaseOff {
			return true
		}
	}
	return false
}

// clock is about the share of its clock that a GPU runs at, as a curve.
func (s *Scenario) clock(gpu int, states []state) curve.Curve {
	clock := curve.Constant(1)
	for i := range s.events {
		if e := &s.events[i]; e.throttle != 1 && e.concernsGPU(gpu) {
			clock = clock.Times(states[i].factor(e.throttle))
		}
	}
	return clock
}

// happen does to a model what the events do to it, throttling apart.
func (s *Scenario) happen(m *modelSpec, states []state) {
	for i := range s.events {
		e := &s.events[i]
		if states[i].phase == phaseOff || !e.concernsModel(m) {
			continue
		}
		if e.traffic != 1 { // what fails is part of the traffic
			factor := states[i].factor(e.traffic)
			m.requests = m.requests.Times(factor)
			for r := range m.failures {
				m.failures[r] = m.failures[r].Times(factor)
			}
		}
		if m.kind == ensembleKind { // times and failures are its steps'
			continue
		}
		for stage, factor := range e.slowdown {
			if factor != 1 {
				m.stages[stage] = m.stages[stage].Times(states[i].factor(factor))
			}
		}
		for r := range m.failures {
			m.failures[r] = m.failures[r].Plus(e.failures[r].Times(states[i].share()))
		}
	}
}

// mostBusy is how busy a throttled GPU is taken to be at most where the wait for it is worked out.
const mostBusy = 0.97

// throttle makes the models of a GPU slower by what its events take from the clock. Executions last longer by as much, and requests
// wait as those before a single server do: in proportion to service time and to busy/(1−busy).
func (s *Scenario) throttle(models []modelSpec, gpu int, states []state) {
	for i := range s.events {
		e := &s.events[i]
		if e.throttle == 1 || states[i].phase == phaseOff || !e.concernsGPU(gpu) {
			continue
		}
		slower := 1 / e.throttle
		busy := s.gpus[gpu].load.Mean()
		flows := flowsOf(models)
		for j := range models {
			if models[j].gpu == gpu {
				busy += flows[j].busy(&models[j]).Mean()
			}
		}
		busy = min(max(busy, 1-mostBusy), mostBusy)
		wait := func(busy float64) float64 { return busy / (1 - busy) }
		longer := slower * math.Max(wait(min(busy*slower, mostBusy))/wait(busy), 1)
		for j := range models {
			m := &models[j]
			if m.gpu != gpu || m.kind == ensembleKind {
				continue
			}
			m.stages[stageComputeInfer] = m.stages[stageComputeInfer].Times(states[i].factor(slower))
			m.stages[stageQueue] = m.stages[stageQueue].Times(states[i].factor(longer))
		}
	}
}
