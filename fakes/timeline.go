package fakes

import (
	"sort"
	"sync"
	"sync/atomic"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// timeline is a world's time cut where its events begin, change their course and end and where models are loaded: into segments,
// in each of which everything is a sum of sines. What had been counted by the beginning of a segment is kept with it, so that any
// time is one segment's integral away. Segments are made as they are asked for. It is safe for concurrent use.
type timeline struct {
	scenario *Scenario
	stays    [][]stay // by model

	segments atomic.Pointer[[]segment] // in order, without a gap; never empty
	growing  sync.Mutex
	known    map[string]*acted // by which events are on and which models are loaded; guarded by growing
}

// segment is a time after from and up to to; the first has the world's start, too.
type segment struct {
	from, to tick
	*acted
	counted               []counted // by model
	gpuAreas, drawAreas   []area
	cpuArea, arrivalsArea area
}

// counted is what had been counted of a model since the world's start when a segment began.
type counted [quantityCount]area

// area is what lies below a curve up to the beginning of a segment. offset makes the curve's own integral that of all curves since
// the world's start.
type area struct {
	before, offset float64
}

// at is the area between the world's start and a tick of the segment. It never falls below what it was when the segment began.
func (a area) at(c curve.Curve, t tick) float64 {
	return max(a.offset+c.Integral(t.seconds()), a.before)
}

func newTimeline(s *Scenario, stays [][]stay) *timeline {
	l := &timeline{scenario: s, stays: stays, known: map[string]*acted{}}
	segments := []segment{{
		to: l.next(0), acted: l.act(0), counted: make([]counted, len(s.models)), gpuAreas: make([]area, len(s.gpus)),
		drawAreas: make([]area, len(s.gpus)),
	}}
	l.segments.Store(&segments)
	return l
}

// at is the segment that a tick lies in; where one ends and the next begins it is the one that ends.
func (l *timeline) at(t tick) *segment {
	segments := *l.segments.Load()
	if segments[len(segments)-1].to < t {
		segments = l.grow(t)
	}
	if segments[0].to >= t {
		return &segments[0]
	}
	return &segments[sort.Search(len(segments), func(i int) bool { return segments[i].to >= t })]
}

// after is the segment that a tick lies in; where one ends and the next begins it is the one that begins.
func (l *timeline) after(t tick) *segment { return l.at(t + 1) }

// grow makes segments up to a tick.
func (l *timeline) grow(t tick) []segment {
	l.growing.Lock()
	defer l.growing.Unlock()
	segments := *l.segments.Load()
	for segments[len(segments)-1].to < t {
		segments = append(segments, l.follow(&segments[len(segments)-1]))
	}
	l.segments.Store(&segments)
	return segments
}

// follow is the segment that comes after another.
func (l *timeline) follow(last *segment) segment {
	from := last.to
	next := segment{
		from: from, to: l.next(from), acted: l.act(from), counted: make([]counted, len(last.counted)), gpuAreas: make([]area, len(last.gpuAreas)),
		drawAreas: make([]area, len(last.drawAreas)),
	}
	same := next.acted == last.acted
	follow := func(a area, before, after curve.Curve) area {
		sum := a.at(before, from)
		if same {
			return area{before: sum, offset: a.offset}
		}
		return area{before: sum, offset: sum - after.Integral(from.seconds())}
	}
	for i := range last.counted {
		for q := range last.counted[i] {
			next.counted[i][q] = follow(last.counted[i][q], last.flows[i][q], next.flows[i][q])
		}
	}
	for i := range last.gpuAreas {
		next.gpuAreas[i] = follow(last.gpuAreas[i], last.gpus[i], next.gpus[i])
		next.drawAreas[i] = follow(last.drawAreas[i], last.draws[i], next.draws[i])
	}
	next.cpuArea = follow(last.cpuArea, last.cpus, next.cpus)
	next.arrivalsArea = follow(last.arrivalsArea, last.arrivals, next.arrivals)
	return next
}

// next is the first tick after t at which a segment ends, never where none does any more.
func (l *timeline) next(t tick) tick {
	first := never
	for i := range l.scenario.events {
		first = min(first, l.scenario.events[i].next(t))
	}
	for _, stays := range l.stays { // beyond the events, which end and begin stays, a model may be loaded
		if len(stays) > 0 && stays[0].from > t {
			first = min(first, stays[0].from)
		}
	}
	return first
}

// act is the scenario as it goes on from a tick. What has come or gone wholly is worked out once for all its times.
func (l *timeline) act(t tick) *acted {
	states, loaded := l.scenario.statesAt(t), l.loadedAt(t)
	key, moving := keyOf(states, loaded)
	if moving {
		return l.scenario.act(states, loaded)
	}
	a := l.known[key]
	if a == nil {
		a = l.scenario.act(states, loaded)
		l.known[key] = a
	}
	return a
}

func (l *timeline) loadedAt(t tick) []bool {
	loaded := make([]bool, len(l.stays))
	for i, stays := range l.stays {
		_, loaded[i] = stayAt(stays, t)
	}
	return loaded
}

func (s *Scenario) statesAt(t tick) []state {
	states := make([]state, len(s.events))
	for i := range s.events {
		states[i] = s.events[i].state(t)
	}
	return states
}

// keyOf tells states apart that are the same at all their times; moving says that some are not.
func keyOf(states []state, loaded []bool) (key string, moving bool) {
	out := make([]byte, 0, len(states)+len(loaded))
	for _, s := range states {
		moving = moving || s.phase == phaseRising || s.phase == phaseFalling
		out = append(out, byte('0'+s.phase))
	}
	for _, is := range loaded {
		out = append(out, map[bool]byte{false: '-', true: '+'}[is])
	}
	return string(out), moving
}
