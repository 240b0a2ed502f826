package fakes

import (
	"math"
	"sync"
	"time"
)

// Model is one model of a world: what Triton counts for it, and the truth that the counters stand for.
type Model struct {
	world *World
	spec  *modelSpec
	index int // among the world's models
	stays []stay
	asked totals
}

// Name is the model's name.
func (m *Model) Name() string { return m.spec.name }

// Version is the model's version as its metrics are labelled.
func (m *Model) Version() string { return m.spec.version }

// Kind is the model's backend, "ensemble" for one that only passes requests on.
func (m *Model) Kind() string { return m.spec.kind }

// Steps are the names of the models that an ensemble is made of.
func (m *Model) Steps() []string { return append([]string(nil), m.spec.steps...) }

// GPU is the index of the GPU that the model runs on; false where it runs on none.
func (m *Model) GPU() (int, bool) { return max(m.spec.gpu, 0), m.spec.gpu != cpuOnly }

// Cached says whether the response cache is on for the model.
func (m *Model) Cached() bool { return m.spec.cache != nil }

// Decoupled says whether the model may answer a request with any number of responses, as those do whose answers are streamed.
func (m *Model) Decoupled() bool {
	return m.spec.decoupled || m.spec.kind == vllmKind || m.spec.kind == tensorrtllmKind
}

// LoadDuration is how long loading the model took, in seconds.
func (m *Model) LoadDuration() float64 { return m.spec.loadSeconds }

// LoadedAtStart says whether the model was there when the server first started.
func (m *Model) LoadedAtStart() bool { return m.spec.loadedAfter == 0 }

// Loaded is when the model was loaded for the first time. Stays has all its times.
func (m *Model) Loaded() time.Time { return m.world.timeOf(ticksOf(m.spec.loadedAfter)) }

// Counters are Triton's counters of a model at a moment. Times are in microseconds.
type Counters struct {
	Success    int64
	Failures   [4]int64 // by Reason
	Inferences int64
	Executions int64

	RequestUS, QueueUS                              int64
	ComputeInputUS, ComputeInferUS, ComputeOutputUS int64

	CacheHits, CacheMisses  int64
	CacheHitUS, CacheMissUS int64
}

// Counters are the model's counters at a time; all zero while it is not loaded, and from 0 on each time that it is. They move when a
// request ends and only then, so that no time is counted for a request that is not.
func (m *Model) Counters(at time.Time) Counters {
	now := m.world.tickAt(at)
	var c Counters
	stay, loaded := stayAt(m.stays, now)
	if !loaded {
		return c
	}
	in := m.countingSince(stay.from)
	for _, reason := range Reasons() {
		c.Failures[reason] = in.whole(flowFailed+quantity(reason), now)
	}
	c.Success = in.whole(flowSuccess, now)
	if c.Success == 0 {
		return c
	}
	end := in.lastEnd(c.Success, now)
	c.QueueUS = in.whole(flowSpent+quantity(stageQueue), end)
	c.ComputeInputUS = in.whole(flowSpent+quantity(stageComputeInput), end)
	c.ComputeInferUS = in.whole(flowSpent+quantity(stageComputeInfer), end)
	c.ComputeOutputUS = in.whole(flowSpent+quantity(stageComputeOutput), end)
	c.RequestUS = in.whole(flowRequest, end)
	c.CacheHits = int64(float64(c.Success) * m.spec.hitRatio())
	executed := c.Success - c.CacheHits
	c.Inferences = executed * int64(m.spec.batchSize)
	// The first execution is counted with its first request; rounding never makes more executions than requests.
	c.Executions = min(executed, in.whole(flowExecs, end)+1)
	if cache := m.spec.cache; cache != nil {
		c.CacheMisses = executed
		c.CacheHitUS = int64(float64(c.CacheHits) * cache.hitUS)
		c.CacheMissUS = int64(float64(c.CacheMisses) * cache.missUS)
	}
	return c
}

// Pending is how many requests are waiting for execution at a time: as many as arrive during the time that one of them waits.
func (m *Model) Pending(at time.Time) int64 {
	now := m.world.tickAt(at)
	waiting := m.world.timeline.after(now).flows[m.index][flowSpent+quantity(stageQueue)]
	return int64(math.Round(waiting.At(now.seconds()) / microsPerSecond))
}

// total is how much of a quantity there has been since the world's start.
func (m *Model) total(q quantity, t tick) float64 {
	s := m.world.timeline.at(t)
	return s.counted[m.index][q].at(s.flows[m.index][q], t)
}

// totals remember what has been asked for of a model. Whoever holds many panels against the truth asks for the same windows of each.
type totals struct {
	mu    sync.RWMutex
	known map[moment]float64
}

// moment is a quantity at a tick.
type moment struct {
	q quantity
	t tick
}

// mostTotals bounds the memory that a model takes: some megabytes.
const mostTotals = 1 << 16

func (a *totals) of(m *Model, q quantity, t tick) float64 {
	at := moment{q, t}
	a.mu.RLock()
	v, known := a.known[at]
	a.mu.RUnlock()
	if known {
		return v
	}
	v = m.total(q, t)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= mostTotals {
		a.known = map[moment]float64{}
	}
	a.known[at] = v
	return v
}

// counting is the time since a model was loaded.
type counting struct {
	*Model
	from  tick
	until *segment // that the model was loaded at the beginning of, nil where that was at the world's start
}

func (m *Model) countingSince(from tick) counting {
	in := counting{Model: m, from: from}
	if from > 0 {
		in.until = m.world.timeline.after(from)
	}
	return in
}

// before is how much of a quantity there had been when the model was loaded.
func (c counting) before(q quantity) float64 {
	if c.until == nil {
		return 0
	}
	return c.until.counted[c.index][q].before
}

// since is how much of a quantity there has been since the model was loaded.
func (c counting) since(q quantity, t tick) float64 { return c.total(q, t) - c.before(q) }

func (c counting) whole(q quantity, t tick) int64 { return int64(c.since(q, t)) }

// lastEnd is the first tick at which n requests had succeeded, n having succeeded by now. It depends on n alone, not on now. The
// search widens from a guess, which is nearly always within a tick or two.
func (c counting) lastEnd(n int64, now tick) tick {
	reached := func(t tick) bool { return c.since(flowSuccess, t) >= float64(n) }
	high := now // reached there
	in := c.world.timeline.at(high)
	for in.from > c.from && reached(in.from) { // nothing may have ended for a while
		high = in.from
		in = c.world.timeline.at(high)
	}
	low := max(c.from, in.from) // not reached there
	probe := c.guessEnd(n, in, low, high)
	for step := tick(1); high-low > 1; step *= 2 {
		if probe <= low || probe >= high { // the guess was far off: halve what is left
			probe = low + (high-low)/2
		}
		if reached(probe) {
			high = probe
			probe -= step
		} else {
			low = probe
			probe += step
		}
	}
	return high
}

// newtonSteps bring the guess to within a tick wherever the rate is smooth between requests.
const newtonSteps = 3

// guessEnd is where Newton's method puts the end of the n-th request, which lies in a segment after low and up to high.
func (c counting) guessEnd(n int64, in *segment, low, high tick) tick {
	rate, counted := in.flows[c.index][flowSuccess], in.counted[c.index][flowSuccess]
	target := float64(n) + c.before(flowSuccess)
	t := high.seconds()
	for range newtonSteps {
		slope := rate.At(t)
		if slope <= 0 {
			break
		}
		t -= (counted.offset + rate.Integral(t) - target) / slope
		t = min(max(t, low.seconds()), high.seconds())
	}
	return tick(math.Ceil(t * ticksPerSecond))
}
