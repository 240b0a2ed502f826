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
}

// NewWorld sets a scenario going. start is when the exporters' processes started: their counters are 0 there, and times before it
// are taken as start.
func NewWorld(sc *Scenario, start time.Time) *World {
	w := &World{scenario: sc, start: start}
	flows := sc.flows()
	for i := range sc.models {
		w.models = append(w.models, newModel(w, &sc.models[i], flows[i]))
	}
	for i := range sc.gpus {
		w.gpus = append(w.gpus, &GPU{world: w, index: i, spec: &sc.gpus[i], load: w.load(sc.gpus[i].load, i, 1)})
	}
	w.host = newHost(w, &sc.host)
	return w
}

// Scenario is the scenario being acted out.
func (w *World) Scenario() *Scenario { return w.scenario }

// Start is when the world was set going.
func (w *World) Start() time.Time { return w.start }

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

// loadCurve is a utilisation that grows when a model is loaded: the sum of its parts, each from its own tick on.
type loadCurve []loadPart

type loadPart struct {
	from  tick
	curve curve.Curve
}

// load is the utilisation of a device: base, and what its models' executions add from when they are loaded.
func (w *World) load(base curve.Curve, gpu int, devices float64) loadCurve {
	parts := loadCurve{{curve: base}}
	for _, m := range w.models {
		if m.spec.gpu != gpu || m.spec.kind == ensembleKind {
			continue
		}
		busy := m.flow.busy(m.spec).Scale(1 / devices)
		last := &parts[len(parts)-1]
		if last.from == m.loaded {
			last.curve = last.curve.Plus(busy)
			continue
		}
		parts = append(parts, loadPart{from: m.loaded, curve: busy})
	}
	return parts
}

func (l loadCurve) at(t tick) float64 {
	var v float64
	for _, p := range l {
		if t >= p.from {
			v += p.curve.At(t.seconds())
		}
	}
	return v
}

// integral is the area under the load between the start and a tick, in seconds.
func (l loadCurve) integral(t tick) float64 {
	var v float64
	for _, p := range l {
		if t > p.from {
			v += p.curve.Integral(t.seconds()) - p.curve.Integral(p.from.seconds())
		}
	}
	return v
}

// mean is the average load between two ticks; the value at the tick where they are the same one.
func (l loadCurve) mean(from, to tick) float64 {
	if to <= from {
		return l.at(to)
	}
	return (l.integral(to) - l.integral(from)) / (to - from).seconds()
}
