// Package triton is a fake Triton Inference Server's metrics port: what each release since 20.06 prints, started with the flags at
// hand, for the models and GPUs of a world.
package triton

import (
	"math"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// DefaultPort is where Triton serves its metrics by default.
const DefaultPort = 8002

const name = "triton"

// Exporter answers the scrapes of one Triton. It is immutable and safe for concurrent use.
type Exporter struct {
	world   *fakes.World
	id      fakes.Identity
	options *options
	models  []*fakes.Model // as the scenario lists them
	gpus    []*fakes.GPU   // none where Triton looks at none
	epochs  []*epoch       // by since
}

// Name is "triton".
func (e *Exporter) Name() string { return name }

// ContentType is that of a scrape: since 22.11 Triton says which characters it sends.
func (e *Exporter) ContentType() string {
	if e.options.release.Before("22.11") {
		return unset
	}
	return "text/plain; charset=utf-8"
}

// Listens says whether anybody answers on the metrics port: not with --allow-metrics=false.
func (e *Exporter) Listens() bool { return e.options.metrics }

// snapshot is what the server knows at a moment.
type snapshot struct {
	at      time.Time
	models  []fakes.Counters // of loaded models, in load order
	windows []fakes.Counters // theirs when the window of quantiles began; none without summaries

	// As of the last poll.
	gpus                    []gpuState
	pinnedTotal, pinnedUsed float64 // bytes
	cpuLoad                 float64 // 0..1, since the poll before
	memoryTotal, memoryUsed float64 // bytes
	cache                   cacheState

	engines map[int]*engine // of language models, by index into models; each read when it is first asked for
}

// cacheState is the response cache as a whole: the counters of all models.
type cacheState struct {
	fakes.Counters
	entries, capacity float64 // responses in it, and that it has room for
}

// AppendScrape appends the body of GET /metrics at a time; nothing where nobody listens.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	if !e.Listens() {
		return dst
	}
	now := e.at(at).scene()
	s := e.poll(now, at)
	s.at = at
	s.models = make([]fakes.Counters, len(now.loaded))
	for i, p := range now.loaded {
		s.models[i] = p.model.Counters(at)
	}
	if e.options.summaries {
		s.windows = make([]fakes.Counters, len(now.loaded))
		for i, p := range now.loaded {
			s.windows[i] = p.model.Counters(windowStart(p.stay.From, at))
		}
	}
	return now.page.Append(dst, &s)
}

// poll is what the server's poll thread last saw.
func (e *Exporter) poll(now *scene, at time.Time) snapshot {
	started := e.world.Started(name, at)
	polled := started
	if since := at.Sub(started); since > 0 {
		polled = started.Add(since.Truncate(max(e.options.interval, time.Nanosecond)))
	}
	host := e.world.Host()
	s := snapshot{
		gpus:        make([]gpuState, len(e.gpus)),
		cpuLoad:     host.MeanCPUUtilization(polled.Add(-e.options.interval), polled),
		memoryTotal: float64(host.MemoryTotal()),
		memoryUsed:  host.MemoryUsed(polled),
	}
	if e.options.gpuMetrics || e.options.cpuMetrics { // else there is no poll thread
		s.pinnedTotal = e.options.pinned
		s.pinnedUsed = min(float64(waiting(now, polled))*requestPinned, s.pinnedTotal)
	}
	if e.options.cache.on && published(e.options.metric("nv_cache_util"), e.options) {
		s.cache = e.wholeCache(now, polled)
	}
	for i, gpu := range e.gpus {
		s.gpus[i] = gpuState{
			load:         gpu.Utilization(polled),
			memoryTotal:  gpu.MemoryTotal(),
			memoryUsed:   gpu.MemoryUsed(polled),
			powerWatts:   gpu.Power(polled),
			limitWatts:   gpu.PowerLimit(),
			energyJoules: gpu.Energy(polled) - gpu.Energy(started),
		}
	}
	return s
}

// waiting is how many requests are in the queues.
func waiting(now *scene, at time.Time) int64 {
	var requests int64
	for _, p := range now.loaded {
		requests += p.model.Pending(at)
	}
	return requests
}

// responseSize is what a cached response is taken to need, in bytes.
const responseSize = 1 << 10

// wholeCache adds up what all models do with the cache. Each miss enters a response, which pushes out another once the cache is full.
func (e *Exporter) wholeCache(now *scene, at time.Time) cacheState {
	var c cacheState
	for _, p := range now.loaded {
		m := p.model.Counters(at)
		c.CacheHits += m.CacheHits
		c.CacheMisses += m.CacheMisses
		c.CacheHitUS += m.CacheHitUS
		c.CacheMissUS += m.CacheMissUS
	}
	c.capacity = max(1, math.Floor(e.options.cache.bytes/responseSize))
	c.entries = min(float64(c.CacheMisses), c.capacity)
	return c
}
