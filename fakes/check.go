package fakes

import (
	"slices"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// check holds a scenario's parts against each other and puts its models into load order.
func (s *Scenario) check() error {
	byName := map[string]*modelSpec{}
	for i := range s.models {
		m := &s.models[i]
		if byName[m.name] != nil {
			return m.at.errorf("model %q stands twice", m.name)
		}
		byName[m.name] = m
		if m.gpu >= len(s.gpus) {
			return m.gpuAt.errorf("model %q runs on GPU %d, but there are %d GPUs", m.name, m.gpu, len(s.gpus))
		}
		if _, high := m.execsPerReq.Bounds(); high > 1 {
			return m.at.errorf("model %q: requests_per_execution falls below 1", m.name)
		}
	}
	for i := range s.models {
		if err := s.models[i].checkEnsemble(byName); err != nil {
			return err
		}
	}
	for i := range s.gpus {
		if err := s.gpus[i].check(); err != nil {
			return err
		}
	}
	s.sortModels()
	return s.checkLoads()
}

// checkEnsemble: an ensemble has steps and nothing of its own to execute; other models have no steps.
func (m *modelSpec) checkEnsemble(byName map[string]*modelSpec) error {
	if m.kind != ensembleKind {
		if len(m.steps) > 0 {
			return m.at.errorf("model %q has steps but is not of kind %s", m.name, ensembleKind)
		}
		return nil
	}
	switch {
	case len(m.steps) == 0:
		return m.at.errorf("ensemble %q has no steps", m.name)
	case m.gpu != cpuOnly:
		return m.gpuAt.errorf("ensemble %q has a gpu; only its steps run on one", m.name)
	case m.cache != nil:
		return m.at.errorf("ensemble %q has a response_cache; give it to a step", m.name)
	case m.version != "1":
		return m.at.errorf("ensemble %q has version %s; Triton reports every ensemble as version 1", m.name, m.version)
	}
	for _, stage := range []stage{stageComputeInput, stageComputeInfer, stageComputeOutput} {
		if m.stages[stage].Mean() != 0 {
			return m.at.errorf("ensemble %q has compute times; they are its steps'", m.name)
		}
	}
	for i, step := range m.steps {
		part := byName[step]
		switch {
		case part == nil:
			return m.at.errorf("ensemble %q: no model %q for a step", m.name, step)
		case part.kind == ensembleKind:
			return m.at.errorf("ensemble %q: step %q is an ensemble itself", m.name, step)
		case slices.Contains(m.steps[:i], step):
			return m.at.errorf("ensemble %q: step %q stands twice", m.name, step)
		case part.loadedAfter != m.loadedAfter:
			return m.loadAt.errorf("ensemble %q and its step %q must be loaded together", m.name, step)
		}
	}
	return nil
}

func (g *gpuSpec) check() error {
	switch {
	case max(g.memoryIdle, g.memoryBusy)+float64(g.memoryReserved) > float64(g.memoryTotal):
		return g.at.errorf("memory_mib: in use and reserved exceed the total of %d", g.memoryTotal)
	case g.memoryBusy < g.memoryIdle || g.powerBusy < g.powerIdle || g.tempBusy < g.temperatureIdle:
		return g.at.errorf("a GPU's busy memory, power and temperature cannot be below idle")
	case g.powerBusy > g.powerLimit:
		return g.at.errorf("power_watts: busy is above the limit")
	}
	return g.checkParts()
}

// sortModels brings the models into the order in which Triton makes their reporters: at start-up before later, parts before the
// ensembles made of them, otherwise as written.
func (s *Scenario) sortModels() {
	slices.SortStableFunc(s.models, func(a, b modelSpec) int {
		if a.loadedAfter != b.loadedAfter {
			return int(max(-1, min(1, a.loadedAfter-b.loadedAfter)))
		}
		return rank(a) - rank(b)
	})
}

func rank(m modelSpec) int {
	if m.kind == ensembleKind {
		return 1
	}
	return 0
}

// checkLoads refuses traffic that the machine could not carry: a GPU or the CPUs busier than wholly, or more failures than requests.
func (s *Scenario) checkLoads() error {
	flows := s.flows()
	gpus := make([]curve.Curve, len(s.gpus))
	for i, g := range s.gpus {
		gpus[i] = g.load
	}
	cpu := s.host.cpuLoad
	for i, m := range s.models {
		flow := flows[i]
		if low, _ := flow.success.Bounds(); low < 0 {
			return m.at.errorf("model %q: its failures can outnumber its requests", m.name)
		}
		if m.gpu == cpuOnly {
			cpu = cpu.Plus(flow.busy(&m).Scale(1 / float64(s.host.cpus)))
		} else {
			gpus[m.gpu] = gpus[m.gpu].Plus(flow.busy(&m))
		}
	}
	for i, load := range gpus {
		if _, high := load.Bounds(); high > 1 {
			return s.gpus[i].at.errorf("GPU %d would be %.0f %% busy: its load and the compute time of its models' requests", i, 100*high)
		}
	}
	if _, high := cpu.Bounds(); high > maxCPULoad {
		return s.host.at.errorf("host: the CPUs would be %.0f %% busy, of at most %.0f %%: cpu_load and the compute time of requests to models without a GPU",
			100*high, 100*maxCPULoad)
	}
	return nil
}

// maxCPULoad leaves the host some idle time, as its idle counters must go on counting.
const maxCPULoad = 0.95
