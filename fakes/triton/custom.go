package triton

import (
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
)

// customSeries is a series that a model's own code makes.
type customSeries struct {
	series
	metric fakes.CustomMetric
}

// customFamilies lays out the families of models' own code, in the order in which models made them: all, or those of a type. A family
// that several models make is one.
func (l *layout) customFamilies(kind catalogue.Type) {
	var names []string
	byName := map[string][]customSeries{}
	for _, s := range l.all {
		if !s.counts { // the model's other label set
			continue
		}
		for _, metric := range s.model.CustomMetrics() {
			if kind != "" && metric.Type() != string(kind) {
				continue
			}
			if byName[metric.Name()] == nil {
				names = append(names, metric.Name())
			}
			own := customSeries{series: s, metric: metric}
			own.labels = nil
			for _, given := range metric.Labels() {
				own.labels = append(own.labels, label{given.Name, given.Value})
			}
			byName[metric.Name()] = append(byName[metric.Name()], own)
		}
	}
	for _, name := range names {
		l.customFamily(byName[name])
	}
}

func (l *layout) customFamily(of []customSeries) {
	shown := make([]series, len(of))
	for i, s := range of {
		shown[i] = s.series
	}
	first := of[0].metric
	l.Family(first.Name(), first.Type(), first.Help(), l.options.format())
	for _, i := range printOrder(shown) {
		s, metric := shown[i], of[i].metric
		l.Sample(labelText(s.labels), func(now *snapshot) float64 { return metric.Value(&now.models[s.index], now.at) })
	}
}
