package triton

import (
	"math"

	"github.com/panelgate/panelgate/fakes"
)

const (
	counter = "counter"
	gauge   = "gauge"
)

// modelFamily is a family with a series, or one a failure reason, for each label set of each model.
type modelFamily struct {
	name, help string
	value      func(*fakes.Counters) int64
	cachedOnly bool // only for models whose response cache is on
}

// The families in registration order, which is print order. They are those of release 26.06 that the default flags print:
// counters of latencies, no summaries, no histograms.

const (
	successName = "nv_inference_request_success"
	successHelp = "Number of successful inference requests, all batch sizes"
	failureName = "nv_inference_request_failure"
	failureHelp = "Number of failed inference requests, all batch sizes"
	pendingName = "nv_inference_pending_request_count"
	pendingHelp = "Instantaneous number of pending requests awaiting execution per-model."
	loadName    = "nv_model_load_duration_secs"
	loadHelp    = "Model load time in seconds"
	energyName  = "nv_energy_consumption"
	energyHelp  = "GPU energy consumption in joules since the Triton Server started"
)

// workFamilies are the model counters behind nv_inference_request_failure.
func workFamilies() []modelFamily {
	return []modelFamily{
		{name: "nv_inference_count", help: "Number of inferences performed (does not include cached requests)",
			value: func(c *fakes.Counters) int64 { return c.Inferences }},
		{name: "nv_inference_exec_count", help: "Number of model executions performed (does not include cached requests)",
			value: func(c *fakes.Counters) int64 { return c.Executions }},
		{name: "nv_inference_request_duration_us", help: "Cumulative inference request duration in microseconds (includes cached requests)",
			value: func(c *fakes.Counters) int64 { return c.RequestUS }},
		{name: "nv_inference_queue_duration_us", help: "Cumulative inference queuing duration in microseconds (includes cached requests)",
			value: func(c *fakes.Counters) int64 { return c.QueueUS }},
		{name: "nv_inference_compute_input_duration_us", help: "Cumulative compute input duration in microseconds (does not include cached requests)",
			value: func(c *fakes.Counters) int64 { return c.ComputeInputUS }},
		{name: "nv_inference_compute_infer_duration_us", help: "Cumulative compute inference duration in microseconds (does not include cached requests)",
			value: func(c *fakes.Counters) int64 { return c.ComputeInferUS }},
		{name: "nv_inference_compute_output_duration_us", help: "Cumulative inference compute output duration in microseconds (does not include cached requests)",
			value: func(c *fakes.Counters) int64 { return c.ComputeOutputUS }},
		{name: "nv_cache_num_hits_per_model", help: "Number of cache hits per model", cachedOnly: true,
			value: func(c *fakes.Counters) int64 { return c.CacheHits }},
		{name: "nv_cache_hit_duration_per_model", help: "Total cache hit duration per model, in microseconds", cachedOnly: true,
			value: func(c *fakes.Counters) int64 { return c.CacheHitUS }},
		{name: "nv_cache_num_misses_per_model", help: "Number of cache misses per model", cachedOnly: true,
			value: func(c *fakes.Counters) int64 { return c.CacheMisses }},
		{name: "nv_cache_miss_duration_per_model", help: "Total cache miss (insert+lookup) duration per model, in microseconds", cachedOnly: true,
			value: func(c *fakes.Counters) int64 { return c.CacheMissUS }},
	}
}

// gpuState is what one GPU's gauges are worked out from, as of the last poll.
type gpuState struct {
	load         float64 // 0..1
	memoryTotal  int64   // bytes
	memoryUsed   float64 // bytes
	powerWatts   float64
	limitWatts   float64
	energyJoules float64 // since the server started
}

type gpuFamily struct {
	name, help string
	value      func(*gpuState) float64
}

// percentPoint is the step of nv_gpu_utilization: the driver reports whole percents.
const percentPoint = 0.01

func gpuFamilies() []gpuFamily {
	return []gpuFamily{
		{"nv_gpu_utilization", "GPU utilization rate [0.0 - 1.0)", func(g *gpuState) float64 { return math.Round(100*g.load) * percentPoint }},
		{"nv_gpu_memory_total_bytes", "GPU total memory, in bytes", func(g *gpuState) float64 { return float64(g.memoryTotal) }},
		{"nv_gpu_memory_used_bytes", "GPU used memory, in bytes", func(g *gpuState) float64 { return wholeMiB(g.memoryUsed) }},
		{"nv_gpu_power_usage", "GPU power usage in watts", func(g *gpuState) float64 { return math.Round(g.powerWatts*1000) / 1000 }},
		{"nv_gpu_power_limit", "GPU power management limit in watts", func(g *gpuState) float64 { return g.limitWatts }},
	}
}

const mib = 1 << 20

// wholeMiB rounds bytes to the MiB that the driver counts in.
func wholeMiB(bytes float64) float64 { return math.Round(bytes/mib) * mib }

type serverFamily struct {
	name, help string
	value      func(*snapshot) float64
}

// pinnedPool is the default size of the pinned memory pool, in bytes; requestPinned is what a waiting request holds of it.
const (
	pinnedPool    = 256 << 20
	requestPinned = 64 << 10
)

func pinnedFamilies() []serverFamily {
	return []serverFamily{
		{"nv_pinned_memory_pool_total_bytes", "Pinned memory pool total memory size, in bytes", func(*snapshot) float64 { return pinnedPool }},
		{"nv_pinned_memory_pool_used_bytes", "Pinned memory pool used memory size, in bytes",
			func(s *snapshot) float64 { return min(float64(s.waiting)*requestPinned, pinnedPool) }},
	}
}

const kib = 1 << 10

func cpuFamilies() []serverFamily {
	return []serverFamily{
		{"nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]", func(s *snapshot) float64 { return s.cpuLoad }},
		{"nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes", func(s *snapshot) float64 { return s.memoryTotal }},
		{"nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes", func(s *snapshot) float64 { return math.Round(s.memoryUsed/kib) * kib }},
	}
}
