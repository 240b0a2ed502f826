package fakes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cached is a GPU and a CPU that can carry their models only as long as most requests are answered from the cache.
const cached = `
version: 1
gpus: [{memory_mib: {total: 24576, idle: 512, busy: 4096}, load: 0.1}]
host: {cpus: 2}
models:
  - name: infer
    gpu: 0
    requests_per_second: 100
    stages_us: {compute_infer: 20000}
    response_cache: {hit_ratio: 0.9, hit_us: 40, miss_us: 100}
  - name: prepare
    requests_per_second: 100
    stages_us: {compute_infer: 50000}
    response_cache: {hit_ratio: 0.9}
  - name: both
    kind: ensemble
    requests_per_second: 10
    steps: [prepare, infer]
`

func TestWithoutCacheEveryRequestIsExecuted(t *testing.T) {
	scenario, err := ParseScenario("cached.yaml", []byte(cached))
	require.NoError(t, err)
	start := time.Unix(1_800_000_000, 0)
	with := NewWorld(scenario, start)
	without := with.WithoutCache()
	at := start.Add(time.Hour)
	for i, m := range with.Models() {
		other := without.Models()[i]
		assert.Equal(t, m.Name(), other.Name())
		assert.False(t, other.Cached())
		c := other.Counters(at)
		assert.Equal(t, m.Counters(at).Success, c.Success, "the same requests")
		assert.Equal(t, c.Success, c.Inferences)
		assert.Zero(t, c.CacheHits+c.CacheMisses)
		assert.InEpsilon(t, other.MeanComputeInfer(start, at), float64(c.ComputeInferUS)/float64(c.Success), 1e-3)
		assert.GreaterOrEqual(t, c.RequestUS, c.QueueUS+c.ComputeInputUS+c.ComputeInferUS+c.ComputeOutputUS)
	}
	mean := func(w *World, name string) float64 {
		m, ok := w.Model(name)
		require.True(t, ok)
		return m.MeanComputeInfer(start, at)
	}
	assert.InEpsilon(t, 20000, mean(without, "infer"), 1e-6)
	assert.InEpsilon(t, 2000, mean(with, "infer"), 1e-6)
	assert.InEpsilon(t, mean(without, "infer")+mean(without, "prepare"), mean(without, "both"), 1e-6)
}

func TestWithoutCacheDevicesAreNotBusierThanTheyCanBe(t *testing.T) {
	scenario, err := ParseScenario("cached.yaml", []byte(cached))
	require.NoError(t, err)
	w := NewWorld(scenario, time.Unix(1_800_000_000, 0))
	at := w.Start().Add(time.Hour)
	assert.InDelta(t, 0.1+110*0.1*0.02, w.GPUs()[0].Utilization(at), 1e-9)
	for _, of := range []func(*World) float64{
		func(w *World) float64 { return w.GPUs()[0].Utilization(at) },
		func(w *World) float64 { return w.GPUs()[0].MeanUtilization(w.Start(), at) },
	} {
		assert.InDelta(t, 1, of(w.WithoutCache()), 1e-9)
	}
	assert.InDelta(t, maxCPULoad, w.WithoutCache().Host().CPUUtilization(at), 1e-9)
	assert.Less(t, w.Host().CPUUtilization(at), maxCPULoad)
}

func TestAWorldHasOneOther(t *testing.T) {
	steady, err := BuiltinScenario("steady")
	require.NoError(t, err)
	w := NewWorld(steady, time.Unix(1_800_000_000, 0))
	other := w.WithoutCache()
	assert.NotSame(t, w, other)
	assert.Same(t, other, w.WithoutCache())
	assert.Same(t, other, other.WithoutCache())
	assert.Same(t, w, other.AsWritten())
	assert.Same(t, w, w.AsWritten())
	at := w.Start().Add(time.Hour)
	assert.Greater(t, other.Host().BusySeconds(at), w.Host().BusySeconds(at))
	idle, err := ParseScenario("idle.yaml", []byte("version: 1\nmodels: [{name: m}]\n"))
	require.NoError(t, err)
	w = NewWorld(idle, w.Start())
	assert.Same(t, w, w.WithoutCache(), "there is no cache to be without")
}
