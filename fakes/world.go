package fakes

import (
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// World is a scenario set going at a moment: everything an exporter shows follows from it and the time asked about. A World is
// immutable and safe for concurrent use.
type World struct {
	scenario *Scenario
	start    time.Time
	models   []*Model
	gpus     []*GPU
	host     *Host
	timeline *timeline
	written  *World        // the scenario as it is written
	uncached func() *World // without the response cache
}

// NewWorld sets a scenario going. start is when the exporters' processes started: their counters are 0 there, and times before it
// are taken as start.
func NewWorld(sc *Scenario, start time.Time) *World {
	w := goingOn(sc, start)
	w.setCache()
	return w
}

// goingOn is a world without its other.
func goingOn(sc *Scenario, start time.Time) *World {
	stays := sc.stays()
	w := &World{scenario: sc, start: start, timeline: newTimeline(sc, stays)}
	for i := range sc.models {
		w.models = append(w.models, &Model{world: w, spec: &sc.models[i], index: i, stays: stays[i]})
	}
	for i := range sc.gpus {
		load := load{w.timeline, func(s *segment) (curve.Curve, area) { return s.gpus[i], s.gpuAreas[i] }}
		draw := load
		draw.of = func(s *segment) (curve.Curve, area) { return s.draws[i], s.drawAreas[i] }
		w.gpus = append(w.gpus, &GPU{world: w, index: i, spec: &sc.gpus[i], load: load, draw: draw})
	}
	w.host = newHost(w, &sc.host)
	return w
}

// Scenario is the scenario being acted out.
func (w *World) Scenario() *Scenario { return w.scenario }

// Start is when the world was set going.
func (w *World) Start() time.Time { return w.start }

// Eventful says whether anything happens that is over again: an event of the scenario. Without one, what is there once stays, and
// goes on as evenly as its traffic.
func (w *World) Eventful() bool { return len(w.scenario.events) > 0 }

// Models are the scenario's models in load order, whether loaded yet or not.
func (w *World) Models() []*Model { return append([]*Model(nil), w.models...) }

// Model is the model of that name.
func (w *World) Model(name string) (*Model, bool) {
	for _, m := range w.models {
		if m.spec.name == name {
			return m, true
		}
	}
	return nil, false
}

// GPUs are the machine's GPUs in CUDA order.
func (w *World) GPUs() []*GPU { return append([]*GPU(nil), w.gpus...) }

// GPU is the i-th GPU, counted from 0.
func (w *World) GPU(i int) (*GPU, bool) {
	if i < 0 || i >= len(w.gpus) {
		return nil, false
	}
	return w.gpus[i], true
}

// Host is the machine that everything runs on.
func (w *World) Host() *Host { return w.host }

// tick is a moment of a world: milliseconds since its start. Counters are worked out on whole ticks, where each has exactly one
// value; between them rounding could make a counter step back.
type tick int64

const ticksPerSecond = 1000

func (t tick) seconds() float64 { return float64(t) / ticksPerSecond }

// tickAt is the last tick at or before a time, 0 before the start.
func (w *World) tickAt(at time.Time) tick {
	elapsed := at.Sub(w.start)
	if elapsed < 0 {
		return 0
	}
	return tick(elapsed / time.Millisecond)
}

// timeOf is when a tick is.
func (w *World) timeOf(t tick) time.Time { return w.start.Add(time.Duration(t) * time.Millisecond) }

// load is something of a world that goes up and down, such as the utilisation of a device.
type load struct {
	timeline *timeline
	of       func(*segment) (curve.Curve, area)
}

func (l load) at(t tick) float64 {
	c, _ := l.of(l.timeline.after(t))
	return c.At(t.seconds())
}

// integral is the area under the load between the start and a tick, in seconds.
func (l load) integral(t tick) float64 {
	c, before := l.of(l.timeline.at(t))
	return before.at(c, t)
}

// mean is the average load between two ticks; the value at the tick where they are the same one.
func (l load) mean(from, to tick) float64 {
	if to <= from {
		return l.at(to)
	}
	return (l.integral(to) - l.integral(from)) / (to - from).seconds()
}
