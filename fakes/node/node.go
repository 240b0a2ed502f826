// Package node is a fake node_exporter: what a release of 1.x prints with its flags on the host of a world, a server with Linux, one
// NVMe disk and one network card. Collectors that find nothing on such a machine print no series here either.
package node

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// DefaultPort is where node_exporter listens by default.
const DefaultPort = 9100

// Exporter answers the scrapes of one node_exporter. It is immutable and safe for concurrent use.
type Exporter struct {
	world    *fakes.World
	settings settings
	own      []family
	groups   []group
	page     *page.Page[snapshot] // of all enabled collectors
}

// New is the node_exporter of the machine at an address, "host:port" or "host": the newest release, started without a flag.
func New(w *fakes.World, instance string) *Exporter {
	e, err := Build(w, instance, fakes.Setup{})
	if err != nil {
		panic(fmt.Sprintf("node: the zero setup: %v", err)) // the tests build it
	}
	return e
}

// Build is New for an exporter that is set up otherwise. An error says what in the setup the real one would not start with.
func Build(w *fakes.World, instance string, setup fakes.Setup) (*Exporter, error) {
	s, err := read(setup)
	if err != nil {
		return nil, err
	}
	past, cpus := newHistory(), w.Host().CPUs()
	e := &Exporter{world: w, settings: s, own: s.own(past, cpus), groups: s.groups(past, cpus, fakes.IdentityOf(instance))}
	e.page = e.layout(nil)
	return e, nil
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
	now, start, boot     float64 // seconds since the epoch; start is when node_exporter's process was started
	age                  float64 // seconds since start
	elapsed, uptime      float64 // seconds since the world's start and since boot
	cpus                 int
	load                 float64 // share of CPU time that is not idle, 0..1
	busy                 float64 // integral of load since the world's start, in seconds
	load1, load5, load15 float64
	requests             float64 // inference requests since the world's start
	requestRate          float64 // per second
	memoryTotal          float64 // bytes
	memoryUsed           float64 // bytes
}

// available is the memory that is not in use, in bytes.
func (s *snapshot) available() float64 { return s.memoryTotal - s.memoryUsed }

// exporterName is what package fakes and its users call this exporter.
const exporterName = "node"

// Name is "node".
func (e *Exporter) Name() string { return exporterName }

// ContentType is what node_exporter answers where the client does not ask for a format: it has no other text than the one of 0.0.4,
// OpenMetrics it never had.
func (e *Exporter) ContentType() string { return string(e.settings.format(nil)) }

// AppendScrape appends the body of GET /metrics at a time.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	return e.appendPage(dst, e.page, at)
}

func (e *Exporter) appendPage(dst []byte, p *page.Page[snapshot], at time.Time) []byte {
	s := e.snapshot(at, e.world.Started(exporterName, at))
	return p.Append(dst, &s)
}

// snapshot is what there is to see at a time of a node_exporter that was started at another. The kernel's counters go back to when the
// machine was booted, those of node_exporter's process to its start.
func (e *Exporter) snapshot(at, started time.Time) snapshot {
	begin, host := e.world.Start(), e.world.Host()
	if at.Before(begin) {
		at = begin
	}
	// Counters are worked out on whole milliseconds; see the world's ticks.
	elapsed := float64(at.Sub(begin)/time.Millisecond) / 1000
	// average is the load average over the last minutes: how many CPUs were busy.
	average := func(minutes time.Duration) float64 {
		return float64(host.CPUs()) * host.MeanCPUUtilization(at.Add(-minutes*time.Minute), at)
	}
	return snapshot{
		now: seconds(at), start: math.Floor(seconds(started)*100) / 100, boot: math.Floor(seconds(host.Boot())),
		age: max(0, float64(at.Sub(started)/time.Millisecond)/1000), elapsed: elapsed, uptime: elapsed + begin.Sub(host.Boot()).Seconds(),
		cpus: host.CPUs(), load: host.CPUUtilization(at), busy: host.BusySeconds(at),
		load1: average(1), load5: average(5), load15: average(15),
		requests: host.Requests(at), requestRate: host.RequestRate(at),
		memoryTotal: float64(host.MemoryTotal()), memoryUsed: host.MemoryUsed(at),
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// number writes a value as Prometheus's Go libraries do: the shortest text that reads back the same.
func number(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'g', -1, 64) }
