package why

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// lacking says whether a part of an expression is certain to be empty, since it reads a
// metric of which Prometheus has no series at all. Stacks whose exporters are not there
// ask hundreds of such queries, and the list of names, which is asked for once, tells of
// them all. False says nothing: whether the part is empty is to be asked.
func (d *diagnosing) lacking(n promparser.Expr) bool {
	known, ok := d.lacked[n]
	if !ok {
		known = d.readsNothing(n)
		d.lacked[n] = known
	}
	return known
}

func (d *diagnosing) readsNothing(n promparser.Expr) bool {
	switch n := n.(type) {
	case *promparser.VectorSelector:
		return d.unread(n, 0)
	case *promparser.MatrixSelector:
		vs, ok := n.VectorSelector.(*promparser.VectorSelector)
		return ok && d.unread(vs, n.Range)
	case *promparser.SubqueryExpr: // looks further back than its part does alone
		return false
	case *promparser.Call:
		if n.Func.Name == "info" { // gives its first argument where the second has nothing
			return false
		}
	case *promparser.BinaryExpr:
		switch m := n.VectorMatching; {
		case n.Op == promparser.LOR:
			sides := causes(n)
			return len(sides) > 0 && !slices.ContainsFunc(sides, func(e promparser.Expr) bool { return !d.lacking(e) })
		case m != nil && (m.FillValues.LHS != nil || m.FillValues.RHS != nil): // filled where a side has nothing
			return false
		}
	}
	return slices.ContainsFunc(causes(n), d.lacking)
}

// unread says whether a selector names a metric that there is not. One that is fixed to
// a time may look anywhere.
func (d *diagnosing) unread(vs *promparser.VectorSelector, rangeSel time.Duration) bool {
	name, _ := splitName(vs)
	if name == nil || vs.Timestamp != nil || vs.StartOrEnd != 0 {
		return false
	}
	d.window(vs, rangeSel)
	return d.lacks(name)
}

// lacks says whether Prometheus has no series of a metric's name in the window nor in the
// day before. Without a list of all names it says no: then the series are asked for.
func (d *diagnosing) lacks(name *labels.Matcher) bool {
	if name.Type != labels.MatchEqual {
		return false
	}
	names, warnings, err := d.API.LabelValues(d.ctx, model.MetricNameLabel, nil, d.from.Add(-before), d.to)
	return err == nil && len(warnings) == 0 && !slices.Contains(names, model.LabelValue(name.Value))
}
