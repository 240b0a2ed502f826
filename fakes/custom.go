package fakes

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/curve"
)

// CustomMetric is a metric that a model's own code has Triton print, under a name and labels of its own choice.
type CustomMetric struct {
	model *Model
	spec  *customSpec
}

// CustomLabel is a label of a CustomMetric.
type CustomLabel struct{ Name, Value string }

type customSpec struct {
	name, kind, help string
	labels           []CustomLabel // by name
	perRequest       float64       // of a counter: what each successful request adds
	value            curve.Curve   // of a gauge
}

// The types that a custom metric may have.
const (
	customCounter = "counter"
	customGauge   = "gauge"
)

// CustomMetrics are the metrics of the model's own, as the scenario lists them.
func (m *Model) CustomMetrics() []CustomMetric {
	all := make([]CustomMetric, len(m.spec.custom))
	for i := range all {
		all[i] = CustomMetric{model: m, spec: &m.spec.custom[i]}
	}
	return all
}

// Name is the name of the metric's family.
func (c CustomMetric) Name() string { return c.spec.name }

// Type is "counter" or "gauge".
func (c CustomMetric) Type() string { return c.spec.kind }

// Help is the text of the family's HELP line.
func (c CustomMetric) Help() string { return c.spec.help }

// Labels are the metric's labels, by name.
func (c CustomMetric) Labels() []CustomLabel { return slices.Clone(c.spec.labels) }

// Value is the metric's value at a time, at which its model's counters are these. A counter's is whole.
func (c CustomMetric) Value(counters *Counters, at time.Time) float64 {
	if c.spec.kind == customCounter {
		return math.Floor(c.spec.perRequest * float64(counters.Success))
	}
	return c.spec.value.At(c.model.world.tickAt(at).seconds())
}

var (
	metricName = regexp.MustCompile(`^[A-Za-z_:][A-Za-z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// maxCustom is what a custom metric may be, or a request may add to one.
const maxCustom = 1e12

// addCustom reads a custom metric. Models may share a family, and must say the same of it then; before are those read so far.
func (m *modelSpec) addCustom(f field, before []modelSpec) error {
	c := customSpec{kind: customCounter}
	var value wave
	err := f.mapping(setters{
		"name":        text(&c.name),
		"type":        oneOf(&c.kind, customCounter, customGauge),
		"help":        text(&c.help),
		"labels":      c.readLabels,
		"per_request": number(&c.perRequest, 0, maxCustom),
		"value":       waveform(&value, 0, maxCustom),
	})
	if err != nil {
		return err
	}
	c.value = value.curve()
	switch {
	case !metricName.MatchString(c.name):
		return f.errorf("name: %q is not a name for a metric", c.name)
	case strings.HasPrefix(c.name, "nv_") || strings.HasPrefix(c.name, "vllm:"):
		return f.errorf("name: %q is among the names of Triton and its back ends", c.name)
	case c.help == "" || strings.ContainsAny(c.help, "\n\\"):
		return f.errorf("help: want a line of text without a backslash")
	case c.kind == customGauge && c.perRequest != 0 || c.kind == customCounter && value.mean != 0:
		return f.errorf("a counter has per_request, a gauge has value")
	}
	for _, other := range append(slices.Clone(before), *m) {
		for _, o := range other.custom {
			if o.name == c.name && (o.kind != c.kind || o.help != c.help) {
				return f.errorf("%s has another type or help at model %q", c.name, other.name)
			}
			if o.name == c.name && slices.Equal(o.labels, c.labels) {
				return f.errorf("%s with these labels stands at model %q already", c.name, other.name)
			}
		}
	}
	m.custom = append(m.custom, c)
	return nil
}

// readLabels reads labels: any names, each with its value.
func (c *customSpec) readLabels(f field) error {
	set := setters{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		name := f.node.Content[i].Value
		if !labelName.MatchString(name) {
			return f.errorf("%q is not a name for a label", name)
		}
		set[name] = func(f field) error {
			var value string
			if err := text(&value)(f); err != nil {
				return err
			}
			c.labels = append(c.labels, CustomLabel{Name: name, Value: value})
			return nil
		}
	}
	if err := f.mapping(set); err != nil {
		return err
	}
	slices.SortFunc(c.labels, func(a, b CustomLabel) int { return strings.Compare(a.Name, b.Name) })
	return nil
}
