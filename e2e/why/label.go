package why

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/nearest"
)

// ExplainLabel says why label_values(selector, label) finds nothing: because the
// selector does not, or because what it finds lacks the label. It returns nil
// where the label has values, so that something behind the query, such as a
// variable's regex, must have removed them; those values come second.
func (a *Asker) ExplainLabel(ctx context.Context, selector, label string) (*Diagnosis, []string, error) {
	if out, err := a.Explain(ctx, selector); out != nil || err != nil {
		return out, nil, err
	}
	root, err := parse(selector)
	if err != nil {
		return nil, nil, fmt.Errorf("parse %q: %w", selector, err)
	}
	vs, ok := root.(*promparser.VectorSelector)
	if !ok {
		return nil, nil, nil
	}
	d := a.diagnosing(ctx)
	d.window(vs, 0)
	found, _, err := d.series(vs.LabelMatchers)
	if err != nil {
		return nil, nil, err
	}
	if values := valueList(found, label); len(values) > 0 {
		return nil, values, nil
	}
	if out := d.labelTakenAway(vs.Name, selector, label); out != nil {
		return out, nil, nil
	}
	names := labelNames(found)
	out := &Diagnosis{
		Part: selector, End: len(selector), Reason: LabelMissing, Asked: d.asked,
		Message:  fmt.Sprintf("no series of %s has a label %s", selector, label),
		Evidence: []string{"labels there are: " + strings.Join(names, ", ")},
		Fix:      "ask for a label that the metric has",
	}
	if near := nearest.Names(label, names, 1); len(near) > 0 {
		out.Fix = fmt.Sprintf("write %s in place of %s, if that is what is meant", near[0], label)
	}
	return out, nil, nil
}

// labelTakenAway is for a label that an exporter prints and relabelling removes, nil for others.
func (d *diagnosing) labelTakenAway(metric, selector, label string) *Diagnosis {
	out := &Diagnosis{Part: selector, End: len(selector), Asked: d.asked}
	present := labels.MustNewMatcher(labels.MatchRegexp, label, ".+")
	if !d.takenAway(metric, present, out) {
		return nil
	}
	out.Message = fmt.Sprintf("the exporter prints %s with a label %s, and Prometheus has it without", metric, label)
	return out
}
