// Package node is a fake node_exporter: what release 1.12 prints with its default flags on the host of a world, a server with Linux,
// one NVMe disk and one network card. Collectors that find nothing on such a machine print no series here either.
package node

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// DefaultPort is where node_exporter listens by default.
const DefaultPort = 9100

// Exporter answers the scrapes of one node_exporter. It is immutable and safe for concurrent use.
type Exporter struct {
	world *fakes.World
	page  *page.Page[snapshot]
}

// New is the node_exporter of the machine at an address, "host:port" or "host".
func New(w *fakes.World, instance string) *Exporter {
	id := fakes.IdentityOf(instance)
	families := collected(w.Host().CPUs(), id)
	slices.SortFunc(families, func(a, b family) int { return strings.Compare(a.name, b.name) })
	var b page.Builder[snapshot]
	garbageCollections(&b)
	for _, f := range families {
		b.Family(f.name, f.kind, f.help, number)
		// client_golang sorts by label values; within a family the names are the same, so that the texts sort alike.
		slices.SortFunc(f.samples, func(a, b sample) int { return strings.Compare(a.labels, b.labels) })
		for _, s := range f.samples {
			b.Sample(s.labels, s.value)
		}
	}
	return &Exporter{world: w, page: b.Page()}
}

// collected are the families that all collectors and node_exporter itself print, but for the one summary.
func collected(cpus int, id fakes.Identity) []family {
	return slices.Concat(
		cpuFamilies(cpus), frequencyFamilies(cpus), schedulerFamilies(cpus), softnetFamilies(cpus),
		systemFamilies(id), pressureFamilies(), timeFamilies(), timexFamilies(), memoryFamilies(), vmstatFamilies(),
		diskFamilies(), nvmeFamilies(id), filesystemFamilies(), networkFamilies(), interfaceFamilies(id), conntrackFamilies(),
		netstatFamilies(), sockstatFamilies(), temperatureFamilies(cpus), coolingFamilies(cpus), edacFamilies(),
		exporterFamilies(), runtimeFamilies(cpus), processFamilies(),
	)
}

const (
	counter = "counter"
	gauge   = "gauge"
	untyped = "untyped"
)

// family is a metric family with its series.
type family struct {
	name, kind, help string
	samples          []sample
}

// sample is a series: the text between its braces, and its value.
type sample struct {
	labels string
	value  page.Value[snapshot]
}

// snapshot is what every value of the page is worked out from.
type snapshot struct {
	now, start, boot     float64 // seconds since the epoch
	elapsed, uptime      float64 // seconds since the world's start and since boot
	cpus                 int
	load                 float64 // share of CPU time that is not idle, 0..1
	busy                 float64 // integral of load since the start, in seconds
	load1, load5, load15 float64
	requests             float64 // inference requests since the start
	requestRate          float64 // per second
	memoryTotal          float64 // bytes
	memoryUsed           float64 // bytes
}

// available is the memory that is not in use, in bytes.
func (s *snapshot) available() float64 { return s.memoryTotal - s.memoryUsed }

// Name is "node".
func (e *Exporter) Name() string { return "node" }

// ContentType is what node_exporter answers to any Accept header but one for protobuf.
func (e *Exporter) ContentType() string {
	return "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
}

// AppendScrape appends the body of GET /metrics at a time.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	s := e.snapshot(at)
	return e.page.Append(dst, &s)
}

func (e *Exporter) snapshot(at time.Time) snapshot {
	start, host := e.world.Start(), e.world.Host()
	if at.Before(start) {
		at = start
	}
	// Counters are worked out on whole milliseconds; see the world's ticks.
	elapsed := float64(at.Sub(start)/time.Millisecond) / 1000
	// average is the load average over the last minutes: how many CPUs were busy.
	average := func(minutes time.Duration) float64 {
		return float64(host.CPUs()) * host.MeanCPUUtilization(at.Add(-minutes*time.Minute), at)
	}
	return snapshot{
		now: seconds(at), start: math.Floor(seconds(start)*100) / 100, boot: math.Floor(seconds(host.Boot())),
		elapsed: elapsed, uptime: elapsed + start.Sub(host.Boot()).Seconds(),
		cpus: host.CPUs(), load: host.CPUUtilization(at), busy: host.BusySeconds(at),
		load1: average(1), load5: average(5), load15: average(15),
		requests: host.Requests(at), requestRate: host.RequestRate(at),
		memoryTotal: float64(host.MemoryTotal()), memoryUsed: host.MemoryUsed(at),
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// number writes a value as Prometheus's Go libraries do: the shortest text that reads back the same.
func number(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'g', -1, 64) }
