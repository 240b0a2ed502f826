package fakes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check holds a scenario's parts against each other and puts its models into load order.
func (s *Scenario) check() error {
	byName := map[string]*modelSpec{}
	for i := range s.models {
		m := &s.models[i]
		if err := m.checkName(s.models[:i]); err != nil {
			return err
		}
		if byName[m.name] != nil {
			byName[m.name+severalSuffix] = m
		}
		byName[m.name] = m
		if m.gpu >= len(s.gpus) {
			return m.gpuAt.errorf("model %q runs on GPU %d, but there %s", m.name, m.gpu, areGPUs(len(s.gpus)))
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
	for i := range s.events {
		if err := s.events[i].check(byName, len(s.gpus)); err != nil {
			return err
		}
	}
	if err := s.checkUUIDs(); err != nil {
		return err
	}
	s.sortModels()
	return s.checkLoads()
}

// severalSuffix is behind the name of a model that stands several times; no model's own name has it.
const severalSuffix = "/several"

// checkName: a model may stand several times with versions or GPUs of its own, as Triton counts for each of them.
func (m *modelSpec) checkName(before []modelSpec) error {
	for _, other := range before {
		if other.name == m.name && other.version == m.version && other.gpu == m.gpu {
			return m.at.errorf("model %q stands twice, with one version and one GPU", m.name)
		}
	}
	return nil
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
		case byName[step+severalSuffix] != nil:
			return m.at.errorf("ensemble %q: step %q stands several times; which one is meant cannot be told", m.name, step)
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

// checkedTime is how much of a scenario's course is looked at for what the machine cannot carry. In it events of different periods
// meet in the ways in which they do.
const checkedTime = tick(7 * 24 * time.Hour / time.Millisecond)

// How many segments of that time are looked at, and how many states of all models are worked out at most: far more than events come
// to that a person writes, and little enough for those that a fuzzer does.
const (
	checkedSegments = 20_000
	checkedStates   = 10_000
)

// checkLoads refuses traffic that the machine could not carry: a GPU or the CPUs busier than wholly, or more failures than requests,
// at any time of the scenario's course. What comes or goes is looked at both when it is there and when it is not, as everything in
// between lies between these.
func (s *Scenario) checkLoads() error {
	l := &timeline{scenario: s, stays: s.stays()}
	checked := map[string]bool{}
	segments, mostStates := 0, max(64, checkedStates/max(1, len(s.models)))
	for t := tick(0); t < checkedTime && segments < checkedSegments && len(checked) < mostStates; t = l.next(t) {
		segments++
		for _, whole := range []phase{phaseOff, phaseOn} {
			states := s.statesAt(t)
			for i := range states {
				if states[i].phase == phaseRising || states[i].phase == phaseFalling {
					states[i] = state{phase: whole}
				}
			}
			loaded := l.loadedAt(t)
			key, _ := keyOf(states, loaded)
			if checked[key] {
				continue
			}
			checked[key] = true
			if err := s.checkActed(s.act(states, loaded)); err != nil {
				return s.during(states, err)
			}
		}
	}
	return nil
}

// during adds to an error which events are on.
func (s *Scenario) during(states []state, err error) error {
	var lines []string
	for i, st := range states {
		if st.phase == phaseOn {
			lines = append(lines, strconv.Itoa(s.events[i].at.line))
		}
	}
	if len(lines) == 0 {
		return err
	}
	return fmt.Errorf("%w, during the events of the lines %s", err, strings.Join(lines, ", "))
}

func (s *Scenario) checkActed(a *acted) error {
	for i, m := range s.models {
		if low, _ := a.flows[i][flowSuccess].Bounds(); low < 0 {
			return m.at.errorf("model %q: its failures can outnumber its requests", m.name)
		}
	}
	for i, load := range a.gpus {
		if _, high := load.Bounds(); high > 1 {
			return s.gpus[i].at.errorf("GPU %d would be %.0f %% busy: its load and the compute time of its models' requests", i, 100*high)
		}
	}
	if _, high := a.cpus.Bounds(); high > maxCPULoad {
		return s.host.at.errorf("host: the CPUs would be %.0f %% busy, of at most %.0f %%: cpu_load and the compute time of requests to models without a GPU",
			100*high, 100*maxCPULoad)
	}
	return nil
}

// maxCPULoad leaves the host some idle time, as its idle counters must go on counting.
const maxCPULoad = 0.95

// areGPUs says how many there are.
func areGPUs(n int) string {
	if n == 1 {
		return "is 1 GPU, number 0"
	}
	return fmt.Sprintf("are %d GPUs", n)
}
