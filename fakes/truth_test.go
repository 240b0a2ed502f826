package fakes

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 123_000_000, time.UTC)

func steady(t testing.TB) *World {
	t.Helper()
	scenario, err := BuiltinScenario("steady")
	require.NoError(t, err)
	return NewWorld(scenario, start)
}

func world(t testing.TB, yaml string) *World {
	t.Helper()
	scenario, err := ParseScenario("test.yaml", []byte(yaml))
	require.NoError(t, err)
	return NewWorld(scenario, start)
}

func model(t testing.TB, w *World, name string) *Model {
	t.Helper()
	m, ok := w.Model(name)
	require.True(t, ok, name)
	return m
}

// windows are random windows of one minute to eight hours in the first three days.
func windows(n int) [][2]time.Time {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][2]time.Time, n)
	for i := range all {
		from := start.Add(time.Duration(random.Int64N(int64(72 * time.Hour))))
		all[i] = [2]time.Time{from, from.Add(time.Minute + time.Duration(random.Int64N(int64(8*time.Hour))))}
	}
	return all
}

// Counters are rounded down, at either end of a window, to whole requests and to whole microseconds as of the end of the last of them.
// So an increase is off by less than one request, or by less than the time of the requests that end within one: oneRequest of it.
func TestCountersShowTheTruth(t *testing.T) {
	w := steady(t)
	for _, m := range w.Models() {
		for _, window := range windows(300) {
			from, to := window[0], window[1]
			a, b := m.Counters(from), m.Counters(to)
			requests := m.Requests(from, to)
			require.InDelta(t, requests, b.Success-a.Success, 1)
			for _, reason := range Reasons() {
				require.InDelta(t, m.Failures(from, to, reason), b.Failures[reason]-a.Failures[reason], 1)
			}
			// No request of the scenario takes more than thrice the window's mean.
			const oneRequest = 3
			for name, stage := range map[string]struct {
				mean    float64
				counted int64
			}{
				"request": {m.MeanRequest(from, to), b.RequestUS - a.RequestUS},
				"queue":   {m.MeanQueue(from, to), b.QueueUS - a.QueueUS},
				"input":   {m.MeanComputeInput(from, to), b.ComputeInputUS - a.ComputeInputUS},
				"infer":   {m.MeanComputeInfer(from, to), b.ComputeInferUS - a.ComputeInferUS},
				"output":  {m.MeanComputeOutput(from, to), b.ComputeOutputUS - a.ComputeOutputUS},
			} {
				require.InDelta(t, stage.mean*requests, stage.counted, 1+oneRequest*stage.mean, "%s %s", m.Name(), name)
			}
			if executions := b.Executions - a.Executions; executions > 100 {
				batch := float64(b.Inferences-a.Inferences) / float64(executions)
				require.InEpsilon(t, m.MeanBatch(from, to), batch, 3/float64(executions))
			}
			if m.Cached() {
				ratio := float64(b.CacheHits-a.CacheHits) / float64(b.Success-a.Success)
				require.InDelta(t, m.CacheHitRatio(from, to), ratio, 2/requests)
			}
		}
	}
}

func TestCountersHoldTogetherAtEveryMoment(t *testing.T) {
	w := steady(t)
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		at := start.Add(time.Duration(random.Int64N(int64(72 * time.Hour))))
		for _, m := range w.Models() {
			c := m.Counters(at)
			require.GreaterOrEqual(t, c.RequestUS, c.QueueUS+c.ComputeInputUS+c.ComputeInferUS+c.ComputeOutputUS)
			require.LessOrEqual(t, c.Executions, c.Inferences)
			if m.Cached() {
				require.Equal(t, c.Success, c.CacheHits+c.CacheMisses)
			} else {
				require.Equal(t, c.Success*int64(m.spec.batchSize), c.Inferences)
			}
			require.Equal(t, c.Success == 0, c.RequestUS == 0, "time is counted for requests that ended")
		}
	}
}

func TestCountersNeverFall(t *testing.T) {
	w := steady(t)
	random := rand.New(rand.NewPCG(5, 6))
	steps := []time.Duration{time.Millisecond, 7 * time.Millisecond, time.Second, 15 * time.Second, time.Hour}
	for _, m := range w.Models() {
		at := start.Add(-time.Second)
		last := m.Counters(at)
		for range 4000 {
			at = at.Add(steps[random.IntN(len(steps))])
			now := m.Counters(at)
			before, after := last.list(), now.list()
			for i := range before {
				require.GreaterOrEqual(t, after[i], before[i], "%s, counter %d at %s", m.Name(), i, at)
			}
			last = now
		}
	}
}

func (c Counters) list() []int64 {
	return append(c.Failures[:], c.Success, c.Inferences, c.Executions, c.RequestUS, c.QueueUS, c.ComputeInputUS, c.ComputeInferUS,
		c.ComputeOutputUS, c.CacheHits, c.CacheMisses, c.CacheHitUS, c.CacheMissUS)
}

func TestEnsembleIsTheSumOfItsSteps(t *testing.T) {
	w := steady(t)
	ensemble := model(t, w, "ensemble")
	for _, window := range windows(100) {
		from, to := window[0], window[1]
		var request, input, infer, output, lost float64
		for _, name := range ensemble.Steps() {
			part := model(t, w, name)
			request += part.MeanRequest(from, to)
			input += part.MeanComputeInput(from, to)
			infer += part.MeanComputeInfer(from, to)
			output += part.MeanComputeOutput(from, to)
			for _, reason := range Reasons() {
				lost += part.Failures(from, to, reason)
			}
		}
		// A step's mean is over its own successes, some of which fail in a later step and fall out of the ensemble's mean.
		const share = 1e-3
		require.InEpsilon(t, input, ensemble.MeanComputeInput(from, to), share)
		require.InEpsilon(t, infer, ensemble.MeanComputeInfer(from, to), share)
		require.InEpsilon(t, output, ensemble.MeanComputeOutput(from, to), share)
		require.Greater(t, ensemble.MeanRequest(from, to), request)
		require.Less(t, ensemble.MeanQueue(from, to), 1.0)
		require.InEpsilon(t, 2*lost, ensemble.Failures(from, to, Other), 1e-9, "each failure of a step counts twice")
	}
}

// Where nothing fails, the counters of an ensemble's compute times are those of its steps: up to the requests that a step has done
// and the ensemble has not, and a microsecond a step for rounding.
func TestEnsembleCountersAddUp(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: a, stages_us: {queue: 50, compute_input: 20, compute_infer: {mean: 900, waves: [{swing: 0.3, period: 10m}]}, compute_output: 10}}
  - {name: b, stages_us: {compute_infer: 4000}}
  - {name: all, kind: ensemble, steps: [a, b], requests_per_second: {mean: 12, waves: [{swing: 0.4, period: 9m}]}}
`)
	for _, window := range windows(100) {
		a, b, all := model(t, w, "a").Counters(window[0]), model(t, w, "b").Counters(window[0]), model(t, w, "all").Counters(window[0])
		require.Equal(t, a.Success, all.Success)
		require.InDelta(t, a.ComputeInferUS+b.ComputeInferUS, all.ComputeInferUS, 2)
		require.InDelta(t, a.ComputeInputUS+b.ComputeInputUS, all.ComputeInputUS, 2)
		require.InDelta(t, a.ComputeOutputUS+b.ComputeOutputUS, all.ComputeOutputUS, 2)
		require.GreaterOrEqual(t, all.RequestUS, a.RequestUS+b.RequestUS)
	}
}

func TestStepsShareTheirFailuresAmongThoseWhoAsk(t *testing.T) {
	w := world(t, `version: 1
models:
  - {name: part, requests_per_second: 30, failures_per_second: {BACKEND: 1}}
  - {name: x, kind: ensemble, steps: [part], requests_per_second: 60}
  - {name: y, kind: ensemble, steps: [part], requests_per_second: 10, failures_per_second: {REJECTED: 0.5}}
`)
	from, to := start, start.Add(1000*time.Second)
	assert.InDelta(t, 30_000+60_000+9_500-1000, model(t, w, "part").Requests(from, to), 1e-6)
	assert.InDelta(t, 2*600, model(t, w, "x").Failures(from, to, Other), 1e-6)
	assert.InDelta(t, 60_000-600, model(t, w, "x").Requests(from, to), 1e-6)
	assert.InDelta(t, 2*100, model(t, w, "y").Failures(from, to, Other), 1e-6)
	assert.InDelta(t, 500, model(t, w, "y").Failures(from, to, Rejected), 1e-6)
	assert.InDelta(t, 10_000-500-100, model(t, w, "y").Requests(from, to), 1e-6)
}

func TestRareRequestsTakeNoTimeInBetween(t *testing.T) {
	w := world(t, "version: 1\nmodels: [{name: m, requests_per_second: 0.01, stages_us: {compute_infer: 5000}, overhead_us: 100}]\n")
	m := model(t, w, "m")
	for _, tc := range []struct {
		after    time.Duration
		requests int64
	}{{99 * time.Second, 0}, {100 * time.Second, 1}, {199 * time.Second, 1}, {200 * time.Second, 2}, {11*time.Hour + 50*time.Second, 396}} {
		c := m.Counters(start.Add(tc.after))
		assert.Equal(t, tc.requests, c.Success, tc.after)
		assert.InDelta(t, 5000*tc.requests, c.ComputeInferUS, 1, tc.after)
		assert.InDelta(t, 5100*tc.requests, c.RequestUS, 1, tc.after)
	}
}

// The end of the n-th request must not depend on when one looks, or counters of times would step back.
func TestLastEndDependsOnTheRequestAlone(t *testing.T) {
	w := world(t, "version: 1\nmodels: [{name: m, requests_per_second: {mean: 0.02, waves: [{swing: 0.95, period: 10m}]}}]\n")
	m := model(t, w, "m")
	for n := int64(1); n <= 60; n++ {
		var first tick
		for now := tick(0); now < 5000_000; now += 29_989 {
			if int64(m.total(flowSuccess, now)) < n {
				continue
			}
			end := m.countingSince(0).lastEnd(n, now)
			if first == 0 {
				first = end
				require.GreaterOrEqual(t, m.total(flowSuccess, end), float64(n))
				require.Less(t, m.total(flowSuccess, end-1), float64(n))
			}
			require.Equal(t, first, end)
		}
		require.NotZero(t, first)
	}
}

func TestNothingHappensInAnIdleWorld(t *testing.T) {
	scenario, err := BuiltinScenario("idle")
	require.NoError(t, err)
	w := NewWorld(scenario, start)
	later := start.Add(30 * time.Hour)
	for _, m := range w.Models() {
		assert.Equal(t, Counters{}, m.Counters(later))
		assert.Zero(t, m.Pending(later))
		assert.Zero(t, m.RequestRate(start, later))
		assert.True(t, math.IsNaN(m.MeanQueue(start, later)))
		assert.True(t, math.IsNaN(m.MeanBatch(start, later)))
	}
	for _, g := range w.GPUs() {
		assert.Zero(t, g.MeanUtilization(start, later))
		assert.InDelta(t, g.Power(start)*later.Sub(start).Seconds(), g.Energy(later), 1e-3)
	}
}

func TestModelLoadedLaterCountsFromThere(t *testing.T) {
	w := steady(t)
	m := model(t, w, "reranker")
	assert.Equal(t, start.Add(6*time.Minute), m.Loaded())
	assert.Equal(t, Counters{}, m.Counters(m.Loaded()))
	assert.Zero(t, m.Requests(start, m.Loaded()))
	after := m.Loaded().Add(10 * time.Minute)
	assert.InDelta(t, m.Requests(start, after), m.Counters(after).Success, 1)
	gpu, _ := w.GPU(1)
	before := gpu.Utilization(m.Loaded().Add(-time.Millisecond))
	assert.Greater(t, gpu.Utilization(m.Loaded()), before+0.05, "the model's work comes on top")
}

func TestLoadsAreMeansOfWhatTheyShow(t *testing.T) {
	w := steady(t)
	from, to := start.Add(time.Minute), start.Add(3*time.Hour)
	const step = time.Second
	for _, g := range w.GPUs() {
		var load, memory, power float64
		n := 0.0
		for at := from; at.Before(to); at = at.Add(step) {
			load, memory, power, n = load+g.Utilization(at), memory+g.MemoryUsed(at), power+g.Power(at), n+1
			require.GreaterOrEqual(t, g.Utilization(at), 0.0)
			require.LessOrEqual(t, g.Utilization(at), 1.0)
			require.LessOrEqual(t, g.Power(at), g.PowerLimit())
			require.Less(t, g.MemoryUsed(at), float64(g.MemoryTotal()-g.MemoryReserved()))
		}
		assert.InEpsilon(t, load/n, g.MeanUtilization(from, to), 1e-3)
		assert.InEpsilon(t, memory/n, g.MeanMemoryUsed(from, to), 1e-3)
		assert.InEpsilon(t, power/n, g.MeanPower(from, to), 1e-3)
		assert.InEpsilon(t, g.MeanPower(from, to)*to.Sub(from).Seconds(), g.Energy(to)-g.Energy(from), 1e-9)
		assert.InDelta(t, g.MeanTemperature(from, to), g.Temperature(from.Add(time.Hour)), 8)
	}
	h := w.Host()
	var load, n float64
	for at := from; at.Before(to); at = at.Add(step) {
		load, n = load+h.CPUUtilization(at), n+1
	}
	assert.InEpsilon(t, load/n, h.MeanCPUUtilization(from, to), 1e-3)
	assert.InEpsilon(t, h.MeanCPUUtilization(from, to)*to.Sub(from).Seconds(), h.BusySeconds(to)-h.BusySeconds(from), 1e-9)
}

func TestIdentitiesDifferByHostAlone(t *testing.T) {
	a, b, c := IdentityOf("gpu-1:8002"), IdentityOf("gpu-1:9400"), IdentityOf("gpu-2:8002")
	assert.Equal(t, a.GPUUUID(0), b.GPUUUID(0))
	assert.Regexp(t, `^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, a.GPUUUID(0))
	assert.NotEqual(t, a.GPUUUID(0), a.GPUUUID(1))
	assert.NotEqual(t, a.GPUUUID(0), c.GPUUUID(0))
	assert.NotEqual(t, a.ContainerID("x"), c.ContainerID("x"))
	assert.Regexp(t, `^[0-9a-f]{12}$`, a.ContainerID("x"))
	assert.Equal(t, IdentityOf("gpu-1"), a)
	assert.Equal(t, IdentityOf("::1"), IdentityOf("[::1]:8002"))
}
