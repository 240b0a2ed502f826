package triton

import (
	"math"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// grouped is the first release that prints its families by type, and none without a series.
const grouped = "22.09"

// Releases with which the labels of a family changed.
const (
	anonymousAtStart = "22.02" // models loaded at start-up have no gpu_uuid
	modelReporters   = "23.09" // a model has gauges of its own, beside those of its instance on a GPU
	namespaces       = "24.05" // and a label, where models have them
	failureReasons   = "24.07"
	firstOfAll       = "26.01" // the first response of every model is timed, not of decoupled ones only
)

// family is one metric family: which series it has. Type, texts and releases are the catalogue's.
type family struct {
	name   string
	series func(l *layout)
	onlyIf func(o *options) bool // it has series at all; nil for always
}

// families are all families in the order in which Triton registers them. Up to 22.08 that is the order of print; since then it is
// inside each type.
func families() []family {
	var all []family
	for _, group := range [][]family{
		requestFamilies(), modelGauges(), serverCacheFamilies(), cacheFamilies(), summaryFamilies(), pinnedFamilies(), gpuFamilies(), cpuFamilies(),
	} {
		all = append(all, group...)
	}
	return append(all, family{"nv_inference_first_response_histogram_ms", (*layout).firstResponses, func(o *options) bool { return o.histograms }})
}

// published says whether a release has a metric.
func published(m catalogue.Metric, o *options) bool {
	return o.release.Since(m.Since) && (m.Until == "" || o.release.Before(m.Until))
}

func requestFamilies() []family {
	timed := func(name string, value func(*fakes.Counters) int64) family {
		return family{name, perModel(value), func(o *options) bool { return o.counters }}
	}
	return []family{
		{"nv_inference_request_success", perModel(func(c *fakes.Counters) int64 { return c.Success }), nil},
		{"nv_inference_request_failure", (*layout).failures, nil},
		{"nv_inference_count", perModel(func(c *fakes.Counters) int64 { return c.Inferences }), nil},
		{"nv_inference_exec_count", perModel(func(c *fakes.Counters) int64 { return c.Executions }), nil},
		timed("nv_inference_request_duration_us", func(c *fakes.Counters) int64 { return c.RequestUS }),
		timed("nv_inference_queue_duration_us", func(c *fakes.Counters) int64 { return c.QueueUS }),
		timed("nv_inference_compute_input_duration_us", func(c *fakes.Counters) int64 { return c.ComputeInputUS }),
		timed("nv_inference_compute_infer_duration_us", func(c *fakes.Counters) int64 { return c.ComputeInferUS }),
		timed("nv_inference_compute_output_duration_us", func(c *fakes.Counters) int64 { return c.ComputeOutputUS }),
	}
}

func modelGauges() []family {
	return []family{
		{"nv_inference_pending_request_count", perReporter(func(s series, now *snapshot) float64 { return float64(s.model.Pending(now.at)) }), nil},
		{"nv_model_load_duration_secs", perReporter(func(s series, _ *snapshot) float64 { return s.model.LoadDuration() }), nil},
	}
}

// lookupShare is what of a cache miss's time is spent on looking it up; the rest is spent on inserting the response.
const lookupShare = 0.4

func missLookup(c *fakes.Counters) int64    { return int64(lookupShare * float64(c.CacheMissUS)) }
func missInsertion(c *fakes.Counters) int64 { return c.CacheMissUS - missLookup(c) }

// serverCacheFamilies are those of the response cache as a whole, which Triton had for a year.
func serverCacheFamilies() []family {
	gauge := func(name string, value func(*cacheState) float64) family {
		return family{name, perServer(func(s *snapshot) float64 { return value(&s.cache) }), func(o *options) bool { return o.cache.on }}
	}
	return []family{
		gauge("nv_cache_num_entries", func(c *cacheState) float64 { return c.entries }),
		gauge("nv_cache_num_lookups", func(c *cacheState) float64 { return float64(c.CacheHits + c.CacheMisses) }),
		gauge("nv_cache_num_hits", func(c *cacheState) float64 { return float64(c.CacheHits) }),
		gauge("nv_cache_num_misses", func(c *cacheState) float64 { return float64(c.CacheMisses) }),
		gauge("nv_cache_num_evictions", func(c *cacheState) float64 { return float64(c.CacheMisses) - c.entries }),
		gauge("nv_cache_lookup_duration", func(c *cacheState) float64 { return float64(c.CacheHitUS + missLookup(&c.Counters)) }),
		gauge("nv_cache_insertion_duration", func(c *cacheState) float64 { return float64(missInsertion(&c.Counters)) }),
		gauge("nv_cache_util", func(c *cacheState) float64 { return c.entries / c.capacity }),
	}
}

// cacheFamilies are those of each model's part in the response cache. Until 23.03 every model has them.
func cacheFamilies() []family {
	cached := func(name string, value func(*fakes.Counters) int64) family {
		return family{name, perCachedModel(value), func(o *options) bool { return o.counters }}
	}
	return []family{
		cached("nv_cache_num_hits_per_model", func(c *fakes.Counters) int64 { return c.CacheHits }),
		cached("nv_cache_hit_lookup_duration_per_model", func(c *fakes.Counters) int64 { return c.CacheHitUS }),
		cached("nv_cache_hit_duration_per_model", func(c *fakes.Counters) int64 { return c.CacheHitUS }),
		cached("nv_cache_num_misses_per_model", func(c *fakes.Counters) int64 { return c.CacheMisses }),
		cached("nv_cache_miss_lookup_duration_per_model", missLookup),
		cached("nv_cache_miss_insertion_duration_per_model", missInsertion),
		cached("nv_cache_miss_duration_per_model", func(c *fakes.Counters) int64 { return c.CacheMissUS }),
	}
}

func summaryFamilies() []family {
	on := func(o *options) bool { return o.summaries }
	var all []family
	for _, of := range observations() {
		all = append(all, family{of.name, func(l *layout) { l.summaries(of) }, on})
	}
	return all
}

// pinnedPool is the default size of the pinned memory pool, in bytes; requestPinned is what a waiting request holds of it.
const (
	pinnedPool    = 256 << 20
	requestPinned = 64 << 10
)

func pinnedFamilies() []family {
	return []family{
		{"nv_pinned_memory_pool_total_bytes", perServer(func(s *snapshot) float64 { return s.pinnedTotal }), nil},
		{"nv_pinned_memory_pool_used_bytes", perServer(func(s *snapshot) float64 { return s.pinnedUsed }), nil},
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

// percentPoint is the step of nv_gpu_utilization: the driver reports whole percents. perMille is that of watts and joules.
const (
	percentPoint = 0.01
	perMille     = 1000
)

func gpuFamilies() []family {
	gpu := func(name string, value func(*gpuState) float64) family { return family{name, perGPU(value), nil} }
	return []family{
		gpu("nv_gpu_utilization", func(g *gpuState) float64 { return math.Round(100*g.load) * percentPoint }),
		gpu("nv_gpu_memory_total_bytes", func(g *gpuState) float64 { return float64(g.memoryTotal) }),
		gpu("nv_gpu_memory_used_bytes", func(g *gpuState) float64 { return math.Round(g.memoryUsed/mib) * mib }), // the driver counts in MiB
		gpu("nv_gpu_power_usage", func(g *gpuState) float64 { return math.Round(g.powerWatts*perMille) / perMille }),
		gpu("nv_gpu_power_limit", func(g *gpuState) float64 { return g.limitWatts }),
		gpu("nv_energy_consumption", func(g *gpuState) float64 { return math.Floor(g.energyJoules*perMille) / perMille }),
	}
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

func cpuFamilies() []family {
	cpu := func(name string, value func(*snapshot) float64) family {
		return family{name, perServer(value), func(o *options) bool { return o.cpuMetrics }}
	}
	return []family{
		cpu("nv_cpu_utilization", func(s *snapshot) float64 { return s.cpuLoad }),
		cpu("nv_cpu_memory_total_bytes", func(s *snapshot) float64 { return s.memoryTotal }),
		cpu("nv_cpu_memory_used_bytes", func(s *snapshot) float64 { return math.Round(s.memoryUsed/kib) * kib }),
	}
}
