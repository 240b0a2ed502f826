package truth

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes"
)

// ofGPU reads a claim about GPUs: how busy, how full, how hot they are, what they draw.
func (c *claim) ofGPU(s *shape, w words, u unit) bool {
	if s.functions["increase"] || w.has("energy", "clock", "throughput", "bandwidth", "error", "count", "number") {
		return false
	}
	for p := range s.parts {
		c.selectors = append(c.selectors, s.selectors[p]...)
	}
	switch u.kind {
	case kindPercent:
		return c.gpuShare(s, w)
	case kindBytes:
		c.scales = u.prefixes()
		return c.gpuMemory(s, w)
	case kindWatts:
		return c.gpuPower(s, w)
	case kindCelsius:
		if !w.has("temp") || w.has("mem", "hbm") || !s.parts[temperature] && !s.parts[otherTemperature] && !s.parts[power] && !s.parts[utilization] {
			return false
		}
		c.what = "the GPU's temperature"
		c.level(s, 0.5, func(g *fakes.GPU, from, to time.Time) float64 {
			if !from.Before(to) {
				return g.Temperature(to)
			}
			return g.MeanTemperature(from, to)
		})
		return true
	}
	return false
}

// wholePercent is half a step of what the driver reports of utilisation.
const wholePercent = 0.005

func (c *claim) gpuShare(s *shape, w words) bool {
	memory := s.parts[memoryUsed] || s.parts[memoryFree]
	switch {
	case memory && s.divides && w.has("mem", "framebuffer", "fb", "vram"):
		return c.gpuMemoryShare(s, w)
	case (s.parts[power] || s.parts[powerLimit]) && s.divides && s.only(power, powerLimit) && w.has("power"):
		c.what = "the power that is drawn as a share of the limit"
		c.portions(s, []ofDevice{func(g *fakes.GPU, from, to time.Time) float64 { return g.MeanPower(from, to) }}, []ofDevice{func(g *fakes.GPU, _, _ time.Time) float64 { return g.PowerLimit() }})
		return true
	case memory || s.divides || w.has("idle", "unused") || !w.has("util", "usage", "load", "busy") || !w.has("gpu"),
		w.has("mem", "copy", "enc", "dec", "tensor", "dram", "pipe", "nvlink", "pcie", "framebuffer", "vram", "bandwidth", "fp16", "fp32", "fp64", "occupancy") || w.is("sm", "fb"):
		return false
	}
	if s.outermost == promparser.SUM && w.is("sum", "total", "combined", "all") {
		return false // of 200 %, as the title says
	}
	c.what = "the share of time that the GPU is busy"
	c.level(s, wholePercent, func(g *fakes.GPU, from, to time.Time) float64 { return g.MeanUtilization(from, to) })
	return true
}

// ofDevice is a quantity of a GPU over a window, in the base unit.
type ofDevice func(g *fakes.GPU, from, to time.Time) float64

func used(g *fakes.GPU, from, to time.Time) float64 { return g.MeanMemoryUsed(from, to) }
func total(g *fakes.GPU, _, _ time.Time) float64    { return float64(g.MemoryTotal()) }

// usable is the memory without what the driver keeps for itself.
func usable(g *fakes.GPU, _, _ time.Time) float64 {
	return float64(g.MemoryTotal() - g.MemoryReserved())
}

func free(of ofDevice) ofDevice {
	return func(g *fakes.GPU, from, to time.Time) float64 { return of(g, from, to) - used(g, from, to) }
}

// memoryMeant is which memory is claimed, by the legend, the title, else the metric.
func memoryMeant(s *shape, w words) part {
	for _, ws := range []words{{legend: w.legend}, {title: w.title}} {
		switch {
		case ws.has("free", "avail", "remaining"):
			return memoryFree
		case ws.has("total", "limit", "capacity", "size"):
			return memoryTotal
		case ws.has("used", "usage", "utili", "alloc"):
			return memoryUsed
		}
	}
	if len(s.parts) == 1 {
		for p := range s.parts {
			return p
		}
	}
	return unknown
}

func (c *claim) gpuMemory(s *shape, w words) bool {
	if s.divides || !s.only(memoryUsed, memoryFree, memoryReserved, memoryTotal) {
		return false
	}
	switch memoryMeant(s, w) {
	case memoryUsed:
		c.what = "the GPU memory that is in use"
		c.amounts(s, false, used)
	case memoryFree:
		c.what = "the GPU memory that is free"
		c.amounts(s, false, free(total), free(usable))
	case memoryTotal:
		c.what = "the GPU's memory"
		c.amounts(s, false, total, usable)
		if w.has("used", "usage") { // "Total memory used"
			c.amounts(s, false, total, usable, used)
		}
	default:
		return false
	}
	return true
}

func (c *claim) gpuMemoryShare(s *shape, w words) bool {
	switch memoryMeant(s, w) {
	case memoryFree:
		c.what = "the share of the GPU's memory that is free"
		c.portions(s, []ofDevice{free(total), free(usable)}, []ofDevice{total, usable})
	default:
		c.what = "the share of the GPU's memory that is in use"
		c.portions(s, []ofDevice{used}, []ofDevice{total, usable})
	}
	return true
}

func (c *claim) gpuPower(s *shape, w words) bool {
	switch {
	case s.divides || !w.has("power", "draw", "watt", "consumption"):
		return false
	case w.has("limit", "cap"):
		if !s.parts[powerLimit] {
			return false
		}
		c.what = "the GPU's power limit"
		c.amounts(s, false, func(g *fakes.GPU, _, _ time.Time) float64 { return g.PowerLimit() })
	default:
		c.what = "the power that the GPU draws"
		c.amounts(s, w.is("total") && !w.has("avg", "average", "mean"), func(g *fakes.GPU, from, to time.Time) float64 { return g.MeanPower(from, to) })
	}
	return true
}

// nested says whether different aggregations are nested, so that which devices each puts together matters.
func (s *shape) nested(who []*subject) bool { return s.mixed && len(who) > 1 }

// amounts reads a quantity of which there is twice as much in two devices; together says
// that it is claimed to be that of all.
func (c *claim) amounts(s *shape, together bool, quantities ...ofDevice) {
	op := s.outermost
	if together && op == promparser.AVG {
		op = promparser.SUM
	}
	c.readings = func(who []*subject, _ model.Metric) []reading {
		if s.nested(who) {
			return nil
		}
		var out []reading
		for _, q := range quantities {
			out = append(out, reading{mean: func(from, to time.Time) float64 {
				values := make([]float64, len(who))
				for i, sub := range who {
					values[i] = q(sub.gpu, from, to)
				}
				return combine(op, values)
			}})
		}
		return out
	}
}

// level reads a quantity that does not add up: of several devices it is their mean,
// the highest or the lowest, and never a sum.
func (c *claim) level(s *shape, slack float64, q ofDevice) {
	op := s.outermost
	if op == promparser.SUM {
		op = promparser.AVG
		c.what += ", of which there is no sum"
	}
	c.readings = func(who []*subject, _ model.Metric) []reading {
		if s.nested(who) {
			return nil
		}
		return []reading{{
			mean: func(from, to time.Time) float64 {
				values := make([]float64, len(who))
				for i, sub := range who {
					values[i] = q(sub.gpu, from, to)
				}
				return combine(op, values)
			},
			slack: func(time.Time, time.Time) float64 { return slack },
		}}
	}
}

// portions reads a share, of all devices together or as the aggregation puts each one's together.
func (c *claim) portions(s *shape, of, among []ofDevice) {
	c.readings = func(who []*subject, _ model.Metric) []reading {
		var out []reading
		for _, o := range of {
			for _, a := range among {
				out = append(out, reading{mean: func(from, to time.Time) float64 {
					parts, wholes := 0.0, 0.0
					for _, sub := range who {
						parts += o(sub.gpu, from, to)
						wholes += a(sub.gpu, from, to)
					}
					return parts / wholes
				}}, reading{mean: func(from, to time.Time) float64 {
					values := make([]float64, len(who))
					for i, sub := range who {
						values[i] = o(sub.gpu, from, to) / a(sub.gpu, from, to)
					}
					op := s.outermost
					if op == promparser.SUM {
						op = promparser.AVG
					}
					return combine(op, values)
				}})
			}
		}
		return out
	}
}

// ofHost reads a claim about machines: how busy their CPUs are, how full their memory.
func (c *claim) ofHost(s *shape, w words, u unit) bool {
	for p := range s.parts {
		c.selectors = append(c.selectors, withoutMode(s.selectors[p])...)
	}
	mean := func(values ...func(h *fakes.Host, from, to time.Time) float64) {
		c.readings = func(who []*subject, _ model.Metric) []reading {
			var out []reading
			for _, v := range values {
				out = append(out, reading{mean: func(from, to time.Time) float64 { return v(who[0].host, from, to) },
					slack: func(time.Time, time.Time) float64 { return wholePercent }})
			}
			return out
		}
	}
	busy := func(h *fakes.Host, from, to time.Time) float64 { return h.MeanCPUUtilization(from, to) }
	cpus := func(h *fakes.Host, from, to time.Time) float64 {
		return float64(h.CPUs()) * h.MeanCPUUtilization(from, to)
	}
	full := func(h *fakes.Host, _, to time.Time) float64 { return h.MemoryUsed(to) / float64(h.MemoryTotal()) }
	switch {
	case u.kind != kindPercent || s.functions["increase"]:
		return false
	case s.only(cpuUtilization, cpuSeconds):
		if !w.has("cpu", "processor") || !w.has("util", "usage", "load", "busy", "used") || w.is("core", "cores", "per", "user", "system", "iowait", "idle", "mode", "steal") || !s.ofIdle() {
			return false
		}
		c.what = "the share of time that the CPUs are busy"
		mean(busy, cpus) // as top counts them
	case s.only(hostMemoryUsed, hostMemoryAvailable, hostMemoryTotal):
		if !s.divides || !w.has("mem", "ram") || w.has("free", "avail", "swap") {
			return false
		}
		c.what = "the share of memory that is in use"
		mean(full)
	default:
		return false
	}
	return true
}

// ofIdle says whether CPU time is told into idle time and the rest: which other modes count as busy, people differ on.
func (s *shape) ofIdle() bool {
	for _, ms := range s.selectors[cpuSeconds] {
		told := false
		for _, m := range ms {
			if m.Name == "mode" && m.Value != "idle" {
				return false
			}
			told = told || m.Name == "mode"
		}
		if !told {
			return false
		}
	}
	return true
}

func withoutMode(selectors [][]*labels.Matcher) [][]*labels.Matcher {
	var out [][]*labels.Matcher
	for _, ms := range selectors {
		out = append(out, slices.DeleteFunc(slices.Clone(ms), func(m *labels.Matcher) bool { return m.Name == "mode" || m.Name == "cpu" }))
	}
	return out
}
