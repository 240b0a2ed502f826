package fakes

import (
	"slices"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// eventSpec is something that happens in a scenario, once or again and again: when, and to whom it does what.
type eventSpec struct {
	first  time.Duration // from the world's start to the first time
	every  time.Duration // between the beginnings, 0 where it happens once
	lasts  time.Duration // 0 where it does not end
	rise   time.Duration // over which it comes, within lasts
	fall   time.Duration // over which it goes, within lasts
	repeat int           // how often it begins

	models    []string // whom it happens to; which kind of thing these are depends on what happens
	gpus      []int
	exporters []string

	traffic  float64                  // factor of requests, 1 for none
	slowdown [stageCount]float64      // factor of each stage's time, 1 for none
	failures [reasonCount]curve.Curve // that come on top
	unload   bool
	throttle float64 // share of the clock that is left, 1 for all
	xid      int     // 0 for none
	outage   outageKind
	delay    time.Duration

	at position
}

// outageKind is how an exporter does not answer.
type outageKind string

const (
	outageNone    outageKind = ""
	outageRestart outageKind = "restart" // its process is gone, another begins when the event ends
	outageRefused outageKind = "refused" // its process is there and does not listen
	outageLost    outageKind = "lost"    // its machine cannot be reached
)

// How long events go on recurring. A world can be asked about any time, so what recurs is to come to an end: after a month, and where
// models are loaded anew, which exporters lay out pages for, after two days and an hour.
const (
	lastEvent  = 31 * 24 * time.Hour
	lastReload = 49 * time.Hour
	// onceEvery is the least time between two beginnings of an event, reloadEvery where models are loaded anew.
	onceEvery   = time.Minute
	reloadEvery = 5 * time.Minute
	// shortest is the least time that an event lasts, comes or goes over.
	shortest = time.Second
)

// fromLittle is the share of its effect that an event comes and goes with where it takes its time: beginning from nothing, a rate
// would grow by less in a tick than float64 tells apart.
const fromLittle = 0.01

// reloads says whether models are loaded anew when the event ends.
func (e *eventSpec) reloads() bool {
	return e.unload || e.outage == outageRestart && e.concernsExporter(tritonExporter)
}

func (e *eventSpec) concernsExporter(name string) bool {
	return (e.outage != outageNone || e.delay > 0) && (len(e.exporters) == 0 || slices.Contains(e.exporters, name))
}

func (e *eventSpec) concernsModel(m *modelSpec) bool {
	return len(e.models) == 0 || slices.Contains(e.models, m.name)
}

func (e *eventSpec) concernsGPU(i int) bool { return len(e.gpus) == 0 || slices.Contains(e.gpus, i) }

func ticksOf(d time.Duration) tick { return tick(d / time.Millisecond) }

// never is later than every tick asked about.
const never = tick(1) << 60

// span is one time that an event lasts, from its beginning to its end.
type span struct{ from, to tick }

// span is the k-th time of the event, counted from 0.
func (e *eventSpec) span(k int) span {
	from := ticksOf(e.first) + tick(k)*ticksOf(e.every)
	if e.lasts == 0 {
		return span{from, never}
	}
	return span{from, from + ticksOf(e.lasts)}
}

// begun is how often the event has begun by a tick.
func (e *eventSpec) begun(t tick) int {
	since := t - ticksOf(e.first)
	switch {
	case since < 0:
		return 0
	case e.every == 0:
		return 1
	}
	return int(min(since/ticksOf(e.every)+1, tick(e.repeat)))
}

// during is the time of the event that a tick lies in; false where it is between two.
func (e *eventSpec) during(t tick) (span, bool) {
	n := e.begun(t)
	if n == 0 {
		return span{}, false
	}
	s := e.span(n - 1)
	return s, t < s.to
}

// phase is where in its course an event is.
type phase int

const (
	phaseOff phase = iota
	phaseRising
	phaseOn
	phaseFalling
)

// state is an event at some tick: how far it has come, and over which time it comes or goes.
type state struct {
	phase phase
	over  span
}

func (e *eventSpec) state(t tick) state {
	s, on := e.during(t)
	switch {
	case !on:
		return state{}
	case t < s.from+ticksOf(e.rise):
		return state{phaseRising, span{s.from, s.from + ticksOf(e.rise)}}
	case t >= s.to-ticksOf(e.fall):
		return state{phaseFalling, span{s.to - ticksOf(e.fall), s.to}}
	}
	return state{phase: phaseOn}
}

// next is the first tick after t at which the event's state changes, never where it does not any more.
func (e *eventSpec) next(t tick) tick {
	n := e.begun(t)
	if n > 0 {
		s := e.span(n - 1)
		for _, change := range []tick{s.from + ticksOf(e.rise), s.to - ticksOf(e.fall), s.to} {
			if change > t && change < never-ticksOf(e.fall) {
				return change
			}
		}
	}
	if n < e.repeat {
		return e.span(n).from
	}
	return never
}

// factor is what something is multiplied by that the event multiplies by full.
func (s state) factor(full float64) curve.Curve {
	little := 1 + fromLittle*(full-1)
	switch s.phase {
	case phaseOn:
		return curve.Constant(full)
	case phaseRising:
		return curve.Ease(little, full, s.over.from.seconds(), (s.over.to - s.over.from).seconds())
	case phaseFalling:
		return curve.Ease(full, little, s.over.from.seconds(), (s.over.to - s.over.from).seconds())
	}
	return curve.Constant(1)
}

// share is how much of itself an event adds.
func (s state) share() curve.Curve {
	switch s.phase {
	case phaseOn:
		return curve.Constant(1)
	case phaseRising:
		return curve.Ease(fromLittle, 1, s.over.from.seconds(), (s.over.to - s.over.from).seconds())
	case phaseFalling:
		return curve.Ease(1, fromLittle, s.over.from.seconds(), (s.over.to - s.over.from).seconds())
	}
	return curve.Constant(0)
}
