package fakes

import (
	"math"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// Model is one model of a world: what Triton counts for it, and the truth that the counters stand for.
type Model struct {
	world  *World
	spec   *modelSpec
	loaded tick
	flow   flow
}

func newModel(w *World, spec *modelSpec, f flow) *Model {
	return &Model{world: w, spec: spec, flow: f, loaded: tick(spec.loadedAfter / time.Millisecond)}
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

// LoadDuration is how long loading the model took, in seconds.
func (m *Model) LoadDuration() float64 { return m.spec.loadSeconds }

// LoadedAtStart says whether the model was there when the server started.
func (m *Model) LoadedAtStart() bool { return m.loaded == 0 }

// Loaded is when the model was loaded.
func (m *Model) Loaded() time.Time {
	return m.world.start.Add(time.Duration(m.loaded) * time.Millisecond)
}

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

// Counters are the model's counters at a time; all zero until it is loaded. They move when a request ends and only then, so that
// no time is counted for a request that is not.
func (m *Model) Counters(at time.Time) Counters {
	now := m.world.tickAt(at)
	var c Counters
	if now <= m.loaded {
		return c
	}
	for _, reason := range Reasons() {
		c.Failures[reason] = int64(m.since(m.flow.failures[reason], now))
	}
	c.Success = int64(m.since(m.flow.success, now))
	if c.Success == 0 {
		return c
	}
	end := m.lastEnd(c.Success, now)
	c.QueueUS = int64(m.since(m.flow.spent[stageQueue], end))
	c.ComputeInputUS = int64(m.since(m.flow.spent[stageComputeInput], end))
	c.ComputeInferUS = int64(m.since(m.flow.spent[stageComputeInfer], end))
	c.ComputeOutputUS = int64(m.since(m.flow.spent[stageComputeOutput], end))
	c.RequestUS = int64(m.since(m.flow.request, end))
	c.CacheHits = int64(float64(c.Success) * m.spec.hitRatio())
	executed := c.Success - c.CacheHits
	c.Inferences = executed * int64(m.spec.batchSize)
	// The first execution is counted with its first request; rounding never makes more executions than requests.
	c.Executions = min(executed, int64(m.since(m.flow.execs, end))+1)
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
	if now < m.loaded {
		return 0
	}
	return int64(math.Round(m.flow.spent[stageQueue].At(now.seconds()) / microsPerSecond))
}

// since is the integral of a rate from when the model was loaded.
func (m *Model) since(rate curve.Curve, t tick) float64 {
	total := rate.Integral(t.seconds())
	if m.loaded != 0 {
		total -= rate.Integral(m.loaded.seconds())
	}
	return max(total, 0)
}

// lastEnd is the first tick at which n requests had succeeded, n having succeeded by now. It depends on n alone, not on now. The
// search widens from a guess, which is nearly always within a tick or two.
func (m *Model) lastEnd(n int64, now tick) tick {
	reached := func(t tick) bool { return m.since(m.flow.success, t) >= float64(n) }
	low, high := m.loaded, now // not reached at low, reached at high
	probe := m.guessEnd(n, now)
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

// guessEnd is where Newton's method puts the end of the n-th request.
func (m *Model) guessEnd(n int64, now tick) tick {
	t := now.seconds()
	for range newtonSteps {
		t -= (m.flow.success.Integral(t) - m.flow.success.Integral(m.loaded.seconds()) - float64(n)) / m.flow.success.At(t)
		t = min(max(t, m.loaded.seconds()), now.seconds())
	}
	return tick(math.Ceil(t * ticksPerSecond))
}
