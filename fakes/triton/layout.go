package triton

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// series is a label set of a model. A model has one; a model loaded onto a GPU after start-up has two, as Triton then makes one
// reporter for the model and one for its instance on the GPU.
type series struct {
	model   *fakes.Model
	index   int // into snapshot.models
	labels  []label
	waiting bool // this set's gauges move; the others' stay 0
	counts  bool // this set's counters move
}

func modelSeries(m *fakes.Model, index int, id fakes.Identity) []series {
	labels := []label{{"model", m.Name()}, {"version", m.Version()}}
	gpu, onGPU := m.GPU()
	if m.LoadedAtStart() || !onGPU {
		return []series{{model: m, index: index, labels: labels, waiting: true, counts: true}}
	}
	withGPU := append([]label{{"gpu_uuid", id.GPUUUID(gpu)}}, labels...)
	return []series{
		{model: m, index: index, labels: labels, waiting: true},
		{model: m, index: index, labels: withGPU, counts: true},
	}
}

// layout builds the page that the server prints once the given models are loaded.
type layout struct {
	page.Builder[snapshot]
	series []series
	gpus   [][]label
}

func newPage(models []*fakes.Model, gpus int, id fakes.Identity) *page.Page[snapshot] {
	var l layout
	for i, m := range models {
		l.series = append(l.series, modelSeries(m, i, id)...)
	}
	for i := range gpus {
		l.gpus = append(l.gpus, []label{{"gpu_uuid", id.GPUUUID(i)}})
	}
	l.counters()
	l.gauges()
	return l.Page()
}

func (l *layout) counters() {
	success := func(c *fakes.Counters) int64 { return c.Success }
	l.modelFamily(modelFamily{name: successName, help: successHelp, value: success})
	l.failures()
	for _, f := range workFamilies() {
		l.modelFamily(f)
	}
	energy := func(g *gpuState) float64 { return math.Floor(g.energyJoules*1000) / 1000 }
	l.gpuFamily(counter, gpuFamily{name: energyName, help: energyHelp, value: energy})
}

func (l *layout) gauges() {
	waiting := slices.Clone(l.series)
	l.Family(pendingName, gauge, pendingHelp, number)
	l.ordered(waiting, func(s series) page.Value[snapshot] {
		if !s.waiting {
			return zero
		}
		return func(now *snapshot) float64 { return float64(s.model.Pending(now.at)) }
	})
	l.Family(loadName, gauge, loadHelp, number)
	l.ordered(waiting, func(s series) page.Value[snapshot] {
		if !s.waiting {
			return zero
		}
		return func(*snapshot) float64 { return s.model.LoadDuration() }
	})
	l.serverFamilies(pinnedFamilies())
	for _, f := range gpuFamilies() {
		l.gpuFamily(gauge, f)
	}
	l.serverFamilies(cpuFamilies())
}

func (l *layout) modelFamily(f modelFamily) {
	l.Family(f.name, counter, f.help, number)
	shown := slices.Clone(l.series)
	if f.cachedOnly {
		shown = slices.DeleteFunc(shown, func(s series) bool { return !s.model.Cached() })
	}
	l.ordered(shown, func(s series) page.Value[snapshot] {
		if !s.counts {
			return zero
		}
		return func(now *snapshot) float64 { return float64(f.value(&now.models[s.index])) }
	})
}

func (l *layout) failures() {
	l.Family(failureName, counter, failureHelp, number)
	var shown []series
	var reasons []fakes.Reason
	for _, s := range l.series {
		for _, reason := range fakes.Reasons() {
			with := s
			at := slices.IndexFunc(s.labels, func(l label) bool { return l.name > "reason" })
			with.labels = slices.Insert(slices.Clone(s.labels), at, label{"reason", reason.String()})
			shown, reasons = append(shown, with), append(reasons, reason)
		}
	}
	for _, i := range printOrder(labelsOf(shown)) {
		s, reason := shown[i], reasons[i]
		value := zero
		if s.counts {
			value = func(now *snapshot) float64 { return float64(now.models[s.index].Failures[reason]) }
		}
		l.Sample(labelText(s.labels), value)
	}
}

// ordered adds the series to the family last started, in the order that Triton prints them.
func (l *layout) ordered(shown []series, value func(series) page.Value[snapshot]) {
	for _, i := range printOrder(labelsOf(shown)) {
		l.Sample(labelText(shown[i].labels), value(shown[i]))
	}
}

func (l *layout) gpuFamily(kind string, f gpuFamily) {
	l.Family(f.name, kind, f.help, number)
	for _, i := range printOrder(l.gpus) {
		l.Sample(labelText(l.gpus[i]), func(now *snapshot) float64 { return f.value(&now.gpus[i]) })
	}
}

func (l *layout) serverFamilies(families []serverFamily) {
	for _, f := range families {
		l.Family(f.name, gauge, f.help, number)
		l.Sample("", f.value)
	}
}

func zero(*snapshot) float64 { return 0 }

func labelsOf(shown []series) [][]label {
	all := make([][]label, len(shown))
	for i, s := range shown {
		all[i] = s.labels
	}
	return all
}

// labelText is what stands between the braces. Nothing in it needs escaping: scenarios take no names that would.
func labelText(labels []label) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = l.name + `="` + l.value + `"`
	}
	return strings.Join(parts, ",")
}

// exact is up to where a float64 holds every whole number that has no more than 16 digits.
const exact = 1e15

// number writes a value as a C++ stream of precision 16 does.
func number(dst []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < exact:
		return strconv.AppendInt(dst, int64(v), 10)
	case math.IsNaN(v):
		return append(dst, "Nan"...)
	case math.IsInf(v, 1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	}
	return strconv.AppendFloat(dst, v, 'g', 16, 64)
}
