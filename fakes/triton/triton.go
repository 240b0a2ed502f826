// Package triton is a fake Triton Inference Server's metrics port: what release 26.06 prints with its default flags for the models
// and GPUs of a world.
package triton

import (
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// DefaultPort is where Triton serves its metrics by default.
const DefaultPort = 8002

// pollInterval is how often the gauges of GPUs, CPUs and pinned memory are brought up to date: half of --metrics-interval-ms.
const pollInterval = time.Second

// Exporter answers the scrapes of one Triton. It is immutable and safe for concurrent use.
type Exporter struct {
	world  *fakes.World
	models []*fakes.Model // in load order
	gpus   []*fakes.GPU
	epochs []epoch // by since; the first begins with the world
}

// epoch is a time in which the same models are loaded, and so the same series printed.
type epoch struct {
	since  time.Time
	models int // how many are loaded
	page   *page.Page[snapshot]
}

// New is the Triton on the machine at an address, "host:port" or "host". The host decides its GPUs' UUIDs.
func New(w *fakes.World, instance string) *Exporter {
	e := &Exporter{world: w, models: w.Models(), gpus: w.GPUs()}
	id := fakes.IdentityOf(instance)
	loaded := 0
	for loaded < len(e.models) && e.models[loaded].LoadedAtStart() {
		loaded++
	}
	e.epochs = []epoch{{since: w.Start(), models: loaded, page: newPage(e.models[:loaded], len(e.gpus), id)}}
	for loaded < len(e.models) {
		since := e.models[loaded].Loaded()
		for loaded < len(e.models) && e.models[loaded].Loaded().Equal(since) {
			loaded++
		}
		e.epochs = append(e.epochs, epoch{since: since, models: loaded, page: newPage(e.models[:loaded], len(e.gpus), id)})
	}
	return e
}

// Name is "triton".
func (e *Exporter) Name() string { return "triton" }

// ContentType is what Triton sends since 22.11.
func (e *Exporter) ContentType() string { return "text/plain; charset=utf-8" }

// snapshot is what the server knows at a moment.
type snapshot struct {
	at     time.Time
	models []fakes.Counters // of loaded models, in load order

	// As of the last poll.
	gpus                    []gpuState
	waiting                 int64   // requests in the queues
	cpuLoad                 float64 // 0..1, since the poll before
	memoryTotal, memoryUsed float64 // bytes
}

// AppendScrape appends the body of GET /metrics at a time.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	now := e.epochs[0]
	for _, later := range e.epochs[1:] {
		if at.Before(later.since) {
			break
		}
		now = later
	}
	s := e.poll(at)
	s.at = at
	s.models = make([]fakes.Counters, now.models)
	for i := range s.models {
		s.models[i] = e.models[i].Counters(at)
	}
	return now.page.Append(dst, &s)
}

// poll is what the server's poll thread last saw.
func (e *Exporter) poll(at time.Time) snapshot {
	polled := e.world.Start()
	if since := at.Sub(polled); since > 0 {
		polled = polled.Add(since.Truncate(pollInterval))
	}
	host := e.world.Host()
	s := snapshot{
		gpus:        make([]gpuState, len(e.gpus)),
		cpuLoad:     host.MeanCPUUtilization(polled.Add(-pollInterval), polled),
		memoryTotal: float64(host.MemoryTotal()),
		memoryUsed:  host.MemoryUsed(polled),
	}
	for _, m := range e.models {
		s.waiting += m.Pending(polled)
	}
	for i, gpu := range e.gpus {
		s.gpus[i] = gpuState{
			load:         gpu.Utilization(polled),
			memoryTotal:  gpu.MemoryTotal(),
			memoryUsed:   gpu.MemoryUsed(polled),
			powerWatts:   gpu.Power(polled),
			limitWatts:   gpu.PowerLimit(),
			energyJoules: gpu.Energy(polled),
		}
	}
	return s
}
