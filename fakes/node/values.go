package node

import (
	"math"
	"strconv"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

func one(*snapshot) float64  { return 1 }
func none(*snapshot) float64 { return 0 }

func constant(v float64) page.Value[snapshot] { return func(*snapshot) float64 { return v } }

// counts is a counter of whole things that grows with the time since boot, with the work of the CPUs and with the inference requests:
// by so much a second, a second of the average CPU's work, and a request. None may be negative, or the counter could fall.
func counts(perSecond, perBusySecond, perRequest float64) page.Value[snapshot] {
	return func(s *snapshot) float64 {
		return math.Floor(perSecond*s.uptime + perBusySecond*s.busy + perRequest*s.requests)
	}
}

// withTraffic is a gauge of whole things: base when no inference requests arrive, and some more for each a second.
func withTraffic(base, perRate float64) page.Value[snapshot] {
	return func(s *snapshot) float64 { return base + math.Round(perRate*s.requestRate) }
}

// single is the one series of a family without labels.
func single(value page.Value[snapshot]) []sample { return []sample{{labels: "", value: value}} }

// labelled is one series for each of a label's values; what it shows follows from the value's place in the list.
func labelled(label string, values []string, value func(s *snapshot, i int) float64) []sample {
	samples := make([]sample, 0, len(values))
	for i, v := range values {
		samples = append(samples, sample{labels: label + `="` + v + `"`, value: func(s *snapshot) float64 { return value(s, i) }})
	}
	return samples
}

// numbers are "0" to n-1, as CPUs and devices are named.
func numbers(n int) []string {
	names := make([]string, 0, n)
	for i := range n {
		names = append(names, strconv.Itoa(i))
	}
	return names
}

// perCPU is one series a CPU.
func perCPU(cpus int, value func(s *snapshot, cpu int) float64) []sample {
	return labelled("cpu", numbers(cpus), value)
}

// hundredths rounds down to the clock ticks in which the kernel counts CPU time.
func hundredths(v float64) float64 { return math.Floor(v*100) / 100 }

// thousandths rounds down to the milliseconds in which the kernel counts disk time.
func thousandths(seconds float64) float64 { return math.Floor(seconds*1000) / 1000 }

// micros rounds down to the microseconds in which the kernel counts stalls.
func micros(v float64) float64 { return math.Floor(v*1e6) / 1e6 }

// nanos rounds down to the nanoseconds in which the kernel's scheduler counts.
func nanos(seconds float64) float64 { return math.Floor(seconds*1e9) / 1e9 }

// pageSize is the kernel's page of memory, in bytes.
const pageSize = 4096

// floor4k rounds down to whole pages, in which the kernel counts.
func floor4k(bytes float64) float64 { return math.Floor(bytes/pageSize) * pageSize }

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// whole rounds down to a multiple of unit.
func whole(v, unit float64) float64 { return math.Floor(v/unit) * unit }
