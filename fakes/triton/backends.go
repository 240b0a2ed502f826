package triton

import (
	"math"
	"slices"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/internal/page"
)

// The back ends of language models register families of their own, which stand behind Triton's of the same type: those of the back
// end whose model was loaded first come first. Their series have no gpu_uuid, and there is one for each model, whatever label sets
// Triton itself has of it.

// The kinds of model that have them.
const (
	vllmKind        = "vllm"
	tensorrtllmKind = "tensorrtllm"
)

// Releases with which the back ends' families changed.
const (
	tensorrtllmComes  = "23.10"
	coreCountersMove  = "23.12" // before, Triton's own counters of a TensorRT-LLM model stood still
	microsecondStamps = "25.03"
)

// backendFamily is one of them.
type backendFamily struct {
	name, help string
	kind       catalogue.Type
	since      string
	category   string        // the label that tells a family's series apart, "" where each model has one
	values     []backendItem // in the order in which the back end makes them
	spread     func(*engine) fakes.Histogram
	bounds     []float64
}

// backendItem is a series of a family: the value of its label, since when it is there, and its number.
type backendItem struct {
	label string
	since string
	value func(*engine) float64
}

// engine is what a language model's engine has counted, and what it does, at the moment of a scrape.
type engine struct {
	fakes.LLMCounters
	llm *fakes.LLM
	now *snapshot

	running, waiting, context int64 // requests; in context are those whose prompt is being worked on
	blocks                    int64
	stamp                     float64
}

// engine reads the engine of a series' model, once a scrape.
func (l *layout) engine(now *snapshot, s series) *engine {
	if e := now.engines[s.index]; e != nil {
		return e
	}
	llm, _ := s.model.LLM() // the families are of models that are one
	e := &engine{LLMCounters: llm.Since(s.from, now.at), llm: llm, now: now, running: llm.Running(now.at), waiting: llm.Waiting(now.at),
		blocks: llm.KVBlocksUsed(now.at)}
	if total := e.Inference.Spread().Mean; total > 0 {
		e.context = min(int64(math.Round(float64(e.running)*e.Prefill.Spread().Mean/total)), e.running)
	}
	e.stamp = float64(now.at.UnixMicro())
	if l.release.Before(microsecondStamps) {
		e.stamp = float64(now.at.Unix())
	}
	if now.engines == nil {
		now.engines = map[int]*engine{}
	}
	now.engines[s.index] = e
	return e
}

func (l *layout) backendCounters()   { l.backendFamilies(catalogue.Counter) }
func (l *layout) backendGauges()     { l.backendFamilies(catalogue.Gauge) }
func (l *layout) backendHistograms() { l.backendFamilies(catalogue.Histogram) }

// silent says whether Triton's own counters of a model stand still. A release that does not have the back end yet counts as with any
// other.
func (l *layout) silent(s series) bool {
	return s.model.Kind() == tensorrtllmKind && l.release.Since(tensorrtllmComes) && l.release.Before(coreCountersMove)
}

// backendFamilies lays out the families of one type, of the models that there are.
func (l *layout) backendFamilies(kind catalogue.Type) {
	var laid []string
	for _, s := range l.series {
		if backend := s.model.Kind(); !slices.Contains(laid, backend) {
			laid = append(laid, backend)
			l.familiesOf(backend, kind)
		}
	}
}

func (l *layout) familiesOf(backend string, kind catalogue.Type) {
	var families []backendFamily
	switch backend {
	case vllmKind:
		families = vllmFamilies()
	case tensorrtllmKind:
		families = tensorrtllmFamilies()
	}
	of := slices.DeleteFunc(slices.Clone(l.all), func(s series) bool { return !s.counts || s.model.Kind() != backend })
	for i := range of {
		of[i].labels = []label{{"model", of[i].model.Name()}, {"version", of[i].model.Version()}}
	}
	for _, f := range families {
		if f.kind != kind || f.since != "" && l.release.Before(f.since) {
			continue
		}
		l.Family(f.name, string(f.kind), f.help, l.options.format())
		if f.spread != nil {
			l.backendHistogram(f, of)
			continue
		}
		l.backendItems(f, of)
	}
}

// backendItems adds the series of a counter or gauge.
func (l *layout) backendItems(f backendFamily, of []series) {
	var shown []series
	var values []func(*engine) float64
	for _, s := range of {
		for _, item := range f.values {
			if item.since != "" && l.release.Before(item.since) {
				continue
			}
			with := s
			with.labels = categorised(s.labels, f.category, item.label)
			shown, values = append(shown, with), append(values, item.value)
		}
	}
	for _, i := range printOrder(shown) {
		s, value := shown[i], values[i]
		l.Sample(labelText(s.labels), func(now *snapshot) float64 { return value(l.engine(now, s)) })
	}
}

// backendHistogram adds the series of a histogram, one for each model.
func (l *layout) backendHistogram(f backendFamily, of []series) {
	shown := slices.Clone(of)
	for i := range shown {
		if f.category != "" {
			shown[i].labels = categorised(shown[i].labels, f.category, f.values[0].label)
		}
	}
	for _, i := range printOrder(shown) {
		s := shown[i]
		of := func(value func(fakes.Histogram) float64) page.Value[snapshot] {
			return func(now *snapshot) float64 { return value(f.spread(l.engine(now, s))) }
		}
		labels := labelText(s.labels)
		l.Suffixed("_count", labels, of(func(h fakes.Histogram) float64 { return float64(h.Count) }))
		l.Suffixed("_sum", labels, of(func(h fakes.Histogram) float64 { return h.Sum }))
		for _, bound := range append(slices.Clone(f.bounds), math.Inf(1)) {
			l.Suffixed("_bucket", labels+`,le="`+string(number(nil, bound))+`"`,
				of(func(h fakes.Histogram) float64 { return float64(h.UpTo(bound)) }))
		}
	}
}

// categorised are a model's labels and that of a category, in order.
func categorised(labels []label, category, value string) []label {
	if category == "" {
		return labels
	}
	at := slices.IndexFunc(labels, func(l label) bool { return l.name > category })
	if at < 0 {
		at = len(labels)
	}
	return slices.Insert(slices.Clone(labels), at, label{category, value})
}
