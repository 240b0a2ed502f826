package rule

import (
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// promqlHistogramNoLE finds quantiles of histograms whose buckets have been added up
// across their bounds.
func promqlHistogramNoLE() Rule {
	return Rule{
		ID:       "promql/histogram-no-le",
		Severity: Error,
		Summary:  "histogram_quantile is taken over an aggregation that lost le",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
					if f := in.lostBuckets(e, n); f != nil {
						out = append(out, *f)
					}
					return nil
				})
			}
			return out
		},
	}
}

// lostBuckets is nil where a node is no quantile of a histogram, or one that has its
// buckets. A native histogram has none and needs no le.
func (in *Static) lostBuckets(e *expression, n promparser.Node) *Finding {
	call, ok := n.(*promparser.Call)
	if !ok || call.Func.Name != "histogram_quantile" || len(call.Args) != 2 || !asksBuckets(e, call.Args[1]) {
		return nil
	}
	r := labelReader{in: in, e: e}
	if r.labels(call.Args[1]).may(model.BucketLabel) {
		return nil
	}
	f := e.finding(call)
	f.Message = "histogram_quantile needs the label le of the buckets, and nothing that it is given has it: the answer is empty"
	f.Fix = "keep le on the way: aggregate by (le, …)"
	agg := r.losing(call.Args[1], model.BucketLabel)
	if agg == nil {
		return &f
	}
	f.Pos = e.finding(agg).Pos
	f.Message = fmt.Sprintf("%s adds the buckets up without le, which histogram_quantile needs: the answer is empty", groupingAsWritten(agg))
	f.Fix = fmt.Sprintf("write %s by (le, …)", agg.Op)
	if agg.Without {
		f.Fix = "take le out of without (…)"
	}
	if ed, ok := e.keep(agg, model.BucketLabel); ok && len(r.allLosing(call.Args[1], model.BucketLabel)) == 1 {
		f.Mended = e.mended(ed)
	}
	return &f
}

// asksBuckets says whether what is selected under an expression are the buckets of
// classic histograms, and nothing else.
func asksBuckets(e *expression, under promparser.Expr) bool {
	all := Selectors(under)
	for _, vs := range all {
		if !strings.HasSuffix(e.metric(vs), "_bucket") {
			return false
		}
	}
	return len(all) > 0
}

// losing is the innermost aggregation that takes a label away, nil where another thing
// does.
func (r labelReader) losing(n promparser.Expr, label string) *promparser.AggregateExpr {
	if all := r.allLosing(n, label); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// allLosing are the aggregations that would each take a label away, outermost first.
func (r labelReader) allLosing(n promparser.Expr, label string) []*promparser.AggregateExpr {
	var out []*promparser.AggregateExpr
	promparser.Inspect(n, func(n promparser.Node, _ []promparser.Node) error {
		if agg, ok := n.(*promparser.AggregateExpr); ok && loses(agg, label) && !r.guessedGrouping(agg) {
			out = append(out, agg)
		}
		return nil
	})
	return out
}

// loses says whether an aggregation takes a label away by its grouping.
func loses(agg *promparser.AggregateExpr, label string) bool {
	switch agg.Op {
	case promparser.TOPK, promparser.BOTTOMK, promparser.LIMITK, promparser.LIMIT_RATIO:
		return false
	}
	for _, l := range agg.Grouping {
		if l == label {
			return agg.Without
		}
	}
	return !agg.Without
}

// groupingAsWritten is an aggregation in short, as "sum by (model)".
func groupingAsWritten(agg *promparser.AggregateExpr) string {
	switch {
	case agg.Without:
		return fmt.Sprintf("%s without (%s)", agg.Op, strings.Join(agg.Grouping, ", "))
	case len(agg.Grouping) > 0:
		return fmt.Sprintf("%s by (%s)", agg.Op, strings.Join(agg.Grouping, ", "))
	}
	return agg.Op.String()
}
