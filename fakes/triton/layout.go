package triton

import (
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/internal/page"
	"github.com/panelgate/panelgate/fakes/release"
)

// layout builds the page that the server prints while the same models are loaded.
type layout struct {
	page.Builder[snapshot]
	options *options
	release release.Release
	series  []series // those of loaded models, in the order in which they were made
	all     []series // and of models that the process had before
	gpus    []series
}

func newPage(e *Exporter, present []presence) *page.Page[snapshot] {
	l := layout{options: e.options, release: e.options.release}
	for _, p := range present {
		l.all = append(l.all, e.reporters(p)...)
	}
	l.all = distinct(l.all)
	for _, s := range l.all {
		if !s.gone {
			l.series = append(l.series, s)
		}
	}
	for i, gpu := range e.gpus {
		l.gpus = append(l.gpus, series{index: i, labels: []label{{"gpu_uuid", gpu.UUID(e.id)}}})
	}
	if l.release.Before(grouped) {
		l.registered()
	} else {
		l.grouped()
	}
	return l.Page()
}

// distinct leaves out label sets that are there already, as a model has that runs on several GPUs: Triton's reporters share one.
func distinct(all []series) []series {
	var out []series
	for _, s := range all {
		if !slices.ContainsFunc(out, func(o series) bool { return !o.gone && !s.gone && slices.Equal(o.labels, s.labels) }) {
			out = append(out, s)
		}
	}
	return out
}

// registered lays out what releases before 22.09 print: all families in the order of registration, those without a series too.
func (l *layout) registered() {
	l.families(func(catalogue.Type) bool { return true })
	l.customFamilies("")
	l.backendCounters()
	l.backendGauges()
	l.backendHistograms()
}

// grouped lays out what releases since 22.09 print: families by type, those without a series not at all.
func (l *layout) grouped() {
	only := func(kind catalogue.Type) { l.families(func(k catalogue.Type) bool { return k == kind }) }
	only(catalogue.Counter)
	l.customFamilies(catalogue.Counter)
	l.backendCounters()
	only(catalogue.Gauge)
	l.customFamilies(catalogue.Gauge)
	l.backendGauges()
	only(catalogue.Histogram)
	l.backendHistograms()
	only(catalogue.Summary)
}

func (l *layout) families(of func(catalogue.Type) bool) {
	for _, f := range families() {
		m, _, known := l.options.catalogue.Series(f.name)
		if !known || !published(m, l.options) || !of(m.Type) {
			continue
		}
		l.Family(f.name, string(m.Type), l.help(m), l.options.format())
		if f.onlyIf == nil || f.onlyIf(l.options) {
			f.series(l)
		}
		if l.release.Before(grouped) {
			l.Bare()
		}
	}
}

// help is a metric's text in the release at hand.
func (l *layout) help(m catalogue.Metric) string {
	if until, text, ok := strings.Cut(m.FormerHelp, ": "); ok && l.release.Before(until) {
		return text
	}
	return m.Help
}

// perModel has a series for each label set of each model.
func perModel(value func(*fakes.Counters) int64) func(*layout) {
	return func(l *layout) { l.ordered(l.all, func(s series) page.Value[snapshot] { return l.counted(s, value) }) }
}

// perCachedModel has one where the response cache is on for the model.
func perCachedModel(value func(*fakes.Counters) int64) func(*layout) {
	return func(l *layout) {
		shown := l.all
		if !l.release.Before("23.03") {
			shown = slices.DeleteFunc(slices.Clone(shown), func(s series) bool { return !l.cached(s) })
		}
		l.ordered(shown, func(s series) page.Value[snapshot] {
			if !l.cached(s) {
				return zero
			}
			return l.counted(s, value)
		})
	}
}

// cached says whether the response cache is on for a series' model: on in the server, and in the model's configuration.
func (l *layout) cached(s series) bool { return l.options.cache.on && s.model.Cached() }

// counted is a model's counter. Without counter_latencies no counter moves at all, though its own name is not among those that the
// flag is about.
func (l *layout) counted(s series, value func(*fakes.Counters) int64) page.Value[snapshot] {
	if !s.counts || !l.options.counters || l.silent(s) {
		return zero
	}
	return func(now *snapshot) float64 { return float64(value(&now.models[s.index])) }
}

// perReporter is for the gauges that only a model's own label set moves.
func perReporter(value func(series, *snapshot) float64) func(*layout) {
	return func(l *layout) {
		l.ordered(l.all, func(s series) page.Value[snapshot] {
			if !s.waiting {
				return zero
			}
			return func(now *snapshot) float64 { return value(s, now) }
		})
	}
}

func perGPU(value func(*gpuState) float64) func(*layout) {
	return func(l *layout) {
		l.ordered(l.gpus, func(s series) page.Value[snapshot] {
			return func(now *snapshot) float64 { return value(&now.gpus[s.index]) }
		})
	}
}

func perServer(value func(*snapshot) float64) func(*layout) {
	return func(l *layout) { l.Sample("", value) }
}

func (l *layout) failures() {
	if l.release.Before(failureReasons) {
		perModel(func(c *fakes.Counters) int64 {
			var total int64
			for _, n := range c.Failures {
				total += n
			}
			return total
		})(l)
		return
	}
	var shown []series
	for _, s := range l.all {
		for _, reason := range fakes.Reasons() {
			with := s
			at := slices.IndexFunc(s.labels, func(l label) bool { return l.name > "reason" })
			with.labels = slices.Insert(slices.Clone(s.labels), at, label{"reason", reason.String()})
			with.reason = reason
			shown = append(shown, with)
		}
	}
	l.ordered(shown, func(s series) page.Value[snapshot] {
		return l.counted(s, func(c *fakes.Counters) int64 { return c.Failures[s.reason] })
	})
}

// ordered adds the series to the family last started, in the order that Triton prints them. shown is in the order of making.
func (l *layout) ordered(shown []series, value func(series) page.Value[snapshot]) {
	for _, i := range printOrder(shown) {
		l.Sample(labelText(shown[i].labels), value(shown[i]))
	}
}

func zero(*snapshot) float64 { return 0 }

// labelText is what stands between the braces.
func labelText(labels []label) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.name)
		b.WriteString(`="`)
		b.WriteString(escaped(l.value))
		b.WriteByte('"')
	}
	return b.String()
}

func escaped(value string) string {
	if !strings.ContainsAny(value, "\n\\\"") {
		return value
	}
	return strings.NewReplacer("\n", `\n`, `\`, `\\`, `"`, `\"`).Replace(value)
}
