package fakes

import (
	"slices"
	"sync"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// WithoutCache is what becomes of the world where the server's response cache is off, whatever its models ask for: the same requests
// at the same times, all of which are executed. Models take the time of it, in ensembles as well, and devices are busier; where they
// would be busier than wholly, they are as busy as they can be. A world none of whose models uses the cache is its own.
func (w *World) WithoutCache() *World { return w.uncached() }

// AsWritten is the world as its scenario has it: of one that is WithoutCache the one that it was made of, of all others themselves.
func (w *World) AsWritten() *World { return w.written }

// setCache gives a world its other, which is made when it is first asked for.
func (w *World) setCache() {
	w.written = w
	w.uncached = sync.OnceValue(func() *World {
		scenario := w.scenario.withoutCache()
		if scenario == nil {
			return w
		}
		other := goingOn(scenario, w.start)
		other.written = w
		other.uncached = func() *World { return other }
		return other
	})
}

// withoutCache is the scenario with the cache of all models off; nil where it is anyway.
func (s *Scenario) withoutCache() *Scenario {
	if !slices.ContainsFunc(s.models, func(m modelSpec) bool { return m.cache != nil }) {
		return nil
	}
	other := *s
	other.models = slices.Clone(s.models)
	for i := range other.models {
		other.models[i].cache = nil
	}
	other.limited = true // nobody has held it against what the machine can carry
	return &other
}

// limit keeps devices from being busier than they can be, in proportion, so that their loads stay what can be added up.
func (a *acted) limit() {
	for i := range a.gpus {
		a.gpus[i], a.draws[i] = atMost(a.gpus[i], 1), atMost(a.draws[i], 1)
	}
	a.cpus = atMost(a.cpus, maxCPULoad)
}

func atMost(c curve.Curve, limit float64) curve.Curve {
	if _, high := c.Bounds(); high > limit {
		return c.Scale(limit / high)
	}
	return c
}
