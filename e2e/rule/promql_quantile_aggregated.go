package rule

import (
	"fmt"
	"regexp"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

// promqlQuantileAggregated finds quantiles of summaries that are averaged or added up.
func promqlQuantileAggregated() Rule {
	return Rule{
		ID:       "promql/quantile-aggregated",
		Severity: Error,
		Summary:  "quantiles of a summary are averaged or added up (a warning where it is one quantile over several series)",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
					if agg, ok := n.(*promparser.AggregateExpr); ok && (agg.Op == promparser.AVG || agg.Op == promparser.SUM) {
						if vs := in.quantilesUnder(e, agg.Expr); vs != nil {
							out = append(out, in.aggregatedQuantiles(e, agg, vs))
						}
					}
					return nil
				})
			}
			return out
		},
	}
}

// quantilesUnder is the selector of a summary's quantiles that an expression passes on,
// be it scaled; nil for none.
func (in *Static) quantilesUnder(e *expression, n promparser.Expr) *promparser.VectorSelector {
	switch n := bare(n).(type) {
	case *promparser.VectorSelector:
		if in.isQuantile(e, n) {
			return n
		}
	case *promparser.BinaryExpr:
		switch {
		case n.RHS.Type() == promparser.ValueTypeScalar:
			return in.quantilesUnder(e, n.LHS)
		case n.LHS.Type() == promparser.ValueTypeScalar:
			return in.quantilesUnder(e, n.RHS)
		}
	case *promparser.Call:
		switch n.Func.Name {
		case "label_replace", "label_join", "sort", "sort_desc", "clamp_min", "clamp_max", "clamp", "avg_over_time", "max_over_time", "last_over_time":
			if vs := ranged(n.Args[0]); vs != nil {
				return in.quantilesUnder(e, vs)
			}
			return in.quantilesUnder(e, n.Args[0])
		}
	}
	return nil
}

// isQuantile says whether a selector asks for quantiles: by the catalogue, or because it
// chooses them.
func (in *Static) isQuantile(e *expression, vs *promparser.VectorSelector) bool {
	m, part, known := in.Metrics.Series(e.metric(vs))
	if known {
		return m.Type == catalogue.Summary && part == catalogue.Whole
	}
	for _, lm := range vs.LabelMatchers {
		if lm.Name == model.QuantileLabel {
			return !lm.Matches("") // quantile="" chooses what is none
		}
	}
	return false
}

func (in *Static) aggregatedQuantiles(e *expression, agg *promparser.AggregateExpr, vs *promparser.VectorSelector) Finding {
	f := e.finding(agg)
	verb := map[promparser.ItemType]string{promparser.AVG: "averages", promparser.SUM: "adds up"}[agg.Op]
	f.Fix = "take max: no more than that share of the requests anywhere took longer. For a quantile of all of them, make it of a histogram"
	var edits []edit
	start, _, ok := e.span(agg)
	if ok {
		edits = append(edits, edit{start, start + len(agg.Op.String()), "max"})
	}
	if oneQuantile(vs) || !loses(agg, model.QuantileLabel) {
		f.Severity = Warning
		f.Message = fmt.Sprintf("%s %s a quantile over the series of %s, which is no quantile of all of their requests: each counts alike, however few requests it had",
			groupingAsWritten(agg), verb, e.metric(vs))
	} else {
		f.Message = fmt.Sprintf("%s %s the different quantiles of %s: the outcome means nothing", groupingAsWritten(agg), verb, e.metric(vs))
		f.Fix = "choose one with a matcher such as quantile=\"0.99\", or keep them apart with by (quantile), and take max"
		ed, kept := e.keep(agg, model.QuantileLabel)
		if !kept || !ok {
			return f
		}
		if ed.start == edits[0].end { // right behind the operator
			ed = edit{edits[0].start, ed.end, edits[0].text + ed.text}
			edits = nil
		}
		edits = append(edits, ed)
	}
	f.Mended = e.mended(edits...)
	return f
}

// oneQuantile says whether a selector chooses a single quantile, or one that a variable
// chooses.
func oneQuantile(vs *promparser.VectorSelector) bool {
	for _, m := range vs.LabelMatchers {
		if m.Name != model.QuantileLabel {
			continue
		}
		if m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp && regexp.QuoteMeta(m.Value) == m.Value {
			return true
		}
		if m.Type == labels.MatchRegexp {
			return decimal.MatchString(m.Value)
		}
	}
	return false
}

// decimal is a quantile in a regular expression, its point escaped or not.
var decimal = regexp.MustCompile(`^\(?[0-9]+(?:\\*\.[0-9]+)?\)?$`)
