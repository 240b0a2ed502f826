package fakes

import (
	"slices"
	"sort"
	"time"
)

// Stay is a time for which a server has a model without a break. Its counters begin at 0 with it.
type Stay struct {
	From time.Time
	To   time.Time // zero for a stay that does not end
	// AtStart says that the model was loaded as its server started, and not into a running one.
	AtStart bool
}

// stay is a Stay in ticks; to is never where it does not end.
type stay struct {
	from, to tick
	atStart  bool
}

// Stays are the times for which Triton has the model, in order. A scenario that loads models again and again stops to two days and an
// hour after the world's start, so they are a few hundred at most.
func (m *Model) Stays() []Stay {
	out := make([]Stay, len(m.stays))
	for i, s := range m.stays {
		out[i] = Stay{From: m.world.timeOf(s.from), AtStart: s.atStart}
		if s.to != never {
			out[i].To = m.world.timeOf(s.to)
		}
	}
	return out
}

// absence is a time for which a model is not loaded although it was; restart says that its server is away as well.
type absence struct {
	span
	restart bool
}

// stays are the times for which each model is loaded.
func (s *Scenario) stays() [][]stay {
	out := make([][]stay, len(s.models))
	for i := range s.models {
		m := &s.models[i]
		absences := s.absences(m)
		next := stay{from: ticksOf(m.loadedAfter), to: never, atStart: m.loadedAfter == 0}
		for _, gone := range absences {
			if gone.to <= next.from {
				continue
			}
			if gone.from > next.from {
				next.to = gone.from
				out[i] = append(out[i], next)
			}
			next = stay{from: gone.to, to: never, atStart: gone.restart}
		}
		if next.from < never {
			out[i] = append(out[i], next)
		}
	}
	return out
}

// absences are the times for which the model is not loaded, in order of their beginnings. Without one of its steps an ensemble is
// not loaded either.
func (s *Scenario) absences(m *modelSpec) []absence {
	var out []absence
	for i := range s.events {
		e := &s.events[i]
		concerned := e.concernsModel(m) || slices.ContainsFunc(m.steps, func(step string) bool { return slices.Contains(e.models, step) })
		if !e.reloads() || e.unload && !concerned {
			continue
		}
		for k := range e.repeat {
			out = append(out, absence{e.span(k), !e.unload})
		}
	}
	slices.SortStableFunc(out, func(a, b absence) int { return int(a.from - b.from) })
	return out
}

// stayAt is the stay that a tick lies in; false where the model is not loaded.
func stayAt(stays []stay, t tick) (stay, bool) {
	i := sort.Search(len(stays), func(i int) bool { return stays[i].from > t }) - 1
	if i < 0 || t >= stays[i].to {
		return stay{}, false
	}
	return stays[i], true
}

// The exporters of a machine, by the names that they have in a scenario.
const (
	tritonExporter = "triton"
	dcgmExporter   = "dcgm"
	nodeExporter   = "node"
	vllmExporter   = "vllm"
)

func exporterNames() []string {
	return []string{tritonExporter, dcgmExporter, nodeExporter, vllmExporter}
}

// Started is when the process of an exporter, by its name, was started that runs at a time, or last ran before it.
func (w *World) Started(exporter string, at time.Time) time.Time {
	now, started := w.tickAt(at), tick(0)
	for i := range w.scenario.events {
		e := &w.scenario.events[i]
		if e.outage != outageRestart || !e.concernsExporter(exporter) {
			continue
		}
		for k := e.begun(now) - 1; k >= 0; k-- {
			if s := e.span(k); s.to <= now {
				started = max(started, s.to)
				break
			}
		}
	}
	return w.timeOf(started)
}

// Outage is what keeps a scrape of an exporter from being answered as usual.
type Outage struct {
	// Refused says that nobody listens: connections are refused.
	Refused bool
	// Lost says that the machine is gone: nothing comes back, not even a refusal.
	Lost bool
	// Delay is how long the answer takes beyond the usual.
	Delay time.Duration
}

// Outage is that of an exporter, by its name, at a time; the zero Outage where scrapes are answered at once. Of a machine that is
// lost no more is known, and a process that does not listen takes no time to answer.
func (w *World) Outage(exporter string, at time.Time) Outage {
	if at.Before(w.start) {
		return Outage{}
	}
	var out Outage
	now := w.tickAt(at)
	for i := range w.scenario.events {
		e := &w.scenario.events[i]
		if _, on := e.during(now); !on || !e.concernsExporter(exporter) {
			continue
		}
		out.Lost = out.Lost || e.outage == outageLost
		out.Refused = out.Refused || e.outage == outageRefused || e.outage == outageRestart
		out.Delay = max(out.Delay, e.delay)
	}
	switch {
	case out.Lost:
		return Outage{Lost: true}
	case out.Refused:
		return Outage{Refused: true}
	}
	return out
}

// longDelay is by how much an answer can be late without a scraper's patience being in doubt.
const longDelay = time.Second

// Undisturbed says whether an exporter, by its name, answered every scrape of a window in good time, from one process that had the
// same models throughout. What Prometheus computes over any other window lacks some of the truth.
func (w *World) Undisturbed(exporter string, from, to time.Time) bool {
	a, b := w.tickAt(from), w.tickAt(to)
	return !slices.ContainsFunc(w.scenario.events, func(e eventSpec) bool {
		cutOff := e.concernsExporter(exporter) && (e.outage != outageNone || e.delay >= longDelay)
		if !cutOff && (exporter != tritonExporter || !e.reloads()) {
			return false
		}
		n := e.begun(b)
		return n > 0 && e.span(n-1).to >= a
	})
}
