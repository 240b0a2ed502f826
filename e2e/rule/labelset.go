package rule

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// labelSet is what the text of an expression tells of the labels that its series
// carry. The zero labelSet knows nothing: any label may be there. The name of the
// metric is none of them.
type labelSet struct {
	// closed says that no series carries a label that is not in only.
	closed bool
	only   map[string]bool
	lacks  map[string]bool // labels that no series carries
	must   map[string]bool // labels that every series carries
}

// may says whether a series may carry a label.
func (s labelSet) may(label string) bool {
	return !s.lacks[label] && (!s.closed || s.only[label])
}

// none says whether no series can carry any label at all.
func (s labelSet) none() bool { return s.closed && len(s.names()) == 0 }

// names are the labels that a closed set may have, in order.
func (s labelSet) names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.only)), func(l string) bool { return s.lacks[l] })
}

// surely are the labels that every series carries, in order.
func (s labelSet) surely() []string { return slices.Sorted(maps.Keys(s.must)) }

func (s labelSet) copied() labelSet {
	out := labelSet{closed: s.closed, only: maps.Clone(s.only), lacks: maps.Clone(s.lacks), must: maps.Clone(s.must)}
	for _, m := range []*map[string]bool{&out.only, &out.lacks, &out.must} {
		if *m == nil {
			*m = map[string]bool{}
		}
	}
	return out
}

// having is the set where a label may be there, sure or not.
func (s labelSet) having(label string, sure bool) labelSet {
	out := s.copied()
	out.only[label] = true
	delete(out.lacks, label)
	delete(out.must, label)
	if sure {
		out.must[label] = true
	}
	return out
}

// without is the set where these labels have been taken away.
func (s labelSet) without(names ...string) labelSet {
	out := s.copied()
	for _, l := range names {
		out.lacks[l] = true
		delete(out.must, l)
	}
	return out
}

// by is the set where nothing but these labels has been kept.
func (s labelSet) by(names ...string) labelSet {
	out := labelSet{closed: true}.copied()
	for _, l := range names {
		if s.may(l) {
			out = out.having(l, s.must[l])
		}
	}
	return out
}

// and is what is known of series whose labels both sets describe.
func (s labelSet) and(o labelSet) labelSet {
	out := s.copied()
	maps.Copy(out.must, o.must)
	maps.Copy(out.lacks, o.lacks)
	switch {
	case !s.closed && o.closed:
		out.closed, out.only = true, maps.Clone(o.only)
	case s.closed && o.closed:
		maps.DeleteFunc(out.only, func(l string, _ bool) bool { return !o.only[l] })
	}
	return out
}

// or is what is known of series that one of two sets describes.
func (s labelSet) or(o labelSet) labelSet {
	out := labelSet{closed: s.closed && o.closed}.copied()
	for _, l := range slices.Concat(slices.Collect(maps.Keys(s.only)), slices.Collect(maps.Keys(o.only))) {
		if s.may(l) || o.may(l) {
			out.only[l] = true
		}
	}
	for _, l := range slices.Concat(slices.Collect(maps.Keys(s.lacks)), slices.Collect(maps.Keys(o.lacks))) {
		if !s.may(l) && !o.may(l) {
			out.lacks[l] = true
		}
	}
	for l := range s.must {
		if o.must[l] {
			out.must[l] = true
		}
	}
	return out
}

// labelReader works out label sets of the expressions of a stack.
type labelReader struct {
	in *Static
	e  *expression
}

// labels are those that the series of an expression carry.
func (r labelReader) labels(n promparser.Expr) labelSet {
	switch n := n.(type) {
	case *promparser.ParenExpr:
		return r.labels(n.Expr)
	case *promparser.UnaryExpr:
		return r.labels(n.Expr)
	case *promparser.StepInvariantExpr:
		return r.labels(n.Expr)
	case *promparser.SubqueryExpr:
		return r.labels(n.Expr)
	case *promparser.MatrixSelector:
		return r.labels(n.VectorSelector)
	case *promparser.VectorSelector:
		return r.selected(n)
	case *promparser.AggregateExpr:
		return r.aggregated(n)
	case *promparser.BinaryExpr:
		return r.combined(n)
	case *promparser.Call:
		return r.called(n)
	}
	return labelSet{}
}

// selected are the labels of a selector: what its matchers demand and deny, and what
// the exporter is known to print.
func (r labelReader) selected(vs *promparser.VectorSelector) labelSet {
	out := r.in.printed(r.e.metric(vs)).copied()
	for _, m := range vs.LabelMatchers {
		switch {
		case m.Name == model.MetricNameLabel:
		case m.Type == labels.MatchEqual && m.Value == "":
			out = out.without(m.Name)
		case !m.Matches("") && !strings.Contains(r.e.asWrittenPart(vs), "$"): // a variable may hold anything, also nothing
			out = out.having(m.Name, true)
		}
	}
	return out
}

// asWrittenPart is the text of a node as the file has it.
func (e *expression) asWrittenPart(n promparser.Node) string {
	start, end, ok := e.span(n)
	if !ok || e.source(start) > e.source(end) {
		return e.asWritten()
	}
	return e.asWritten()[e.source(start):e.source(end)]
}

// aggregated are the labels that an aggregation leaves.
func (r labelReader) aggregated(agg *promparser.AggregateExpr) labelSet {
	inner := r.labels(agg.Expr)
	switch agg.Op {
	case promparser.TOPK, promparser.BOTTOMK, promparser.LIMITK, promparser.LIMIT_RATIO:
		return inner // some of the series, as they were
	}
	if r.guessedGrouping(agg) {
		return labelSet{}
	}
	out := inner.by(agg.Grouping...)
	if agg.Without {
		out = inner.without(agg.Grouping...)
	}
	if agg.Op == promparser.COUNT_VALUES {
		if name, ok := bare(agg.Param).(*promparser.StringLiteral); ok {
			out = out.having(name.Val, true)
		} else {
			out = labelSet{}
		}
	}
	return out
}

// guessedGrouping says whether only a server could tell what is grouped by.
func (r labelReader) guessedGrouping(agg *promparser.AggregateExpr) bool {
	start, end, ok := r.e.span(agg)
	first, last, inside := r.e.span(agg.Expr)
	if !ok || !inside || first < start || last > end {
		return true
	}
	return r.e.guessed(start, first) || r.e.guessed(last, end)
}

// called are the labels of what a function returns.
func (r labelReader) called(call *promparser.Call) labelSet {
	switch call.Func.Name {
	case "vector", "time", "scalar", "pi":
		return labelSet{closed: true}
	case "absent", "absent_over_time":
		return labelSet{} // those of the selector's matchers, which nobody joins by
	case "info", "histogram_quantiles":
		return labelSet{}
	case "label_replace", "label_join":
		return r.renamed(call)
	case "histogram_quantile":
		return r.labels(call.Args[1]).without(model.BucketLabel)
	}
	for _, arg := range call.Args {
		if t := arg.Type(); t == promparser.ValueTypeVector || t == promparser.ValueTypeMatrix {
			return r.labels(arg)
		}
	}
	return labelSet{closed: true} // hour() and the like, of the moment itself
}

// renamed are the labels after label_replace or label_join, which set one: to what may
// be empty.
func (r labelReader) renamed(call *promparser.Call) labelSet {
	inner := r.labels(call.Args[0])
	set, ok := bare(call.Args[1]).(*promparser.StringLiteral)
	if !ok {
		return labelSet{}
	}
	return inner.having(set.Val, false)
}

// combined are the labels of what an operator returns.
func (r labelReader) combined(b *promparser.BinaryExpr) labelSet {
	left, right := r.labels(b.LHS), r.labels(b.RHS)
	m := b.VectorMatching
	switch {
	case b.LHS.Type() == promparser.ValueTypeScalar:
		return right
	case b.RHS.Type() == promparser.ValueTypeScalar:
		return left
	case b.Op == promparser.LOR:
		return left.or(right)
	case b.Op == promparser.LAND, b.Op == promparser.LUNLESS:
		return left
	case m == nil || r.guessedMatching(b):
		return labelSet{}
	case m.Card == promparser.CardManyToOne:
		return left.including(m.Include, right)
	case m.Card == promparser.CardOneToMany:
		return right.including(m.Include, left)
	case m.On:
		return left.by(m.MatchingLabels...).and(right.by(m.MatchingLabels...))
	}
	return left.without(m.MatchingLabels...).and(right.without(m.MatchingLabels...))
}

// including are the labels of the many side with those that group_left names of the one.
func (s labelSet) including(names []string, one labelSet) labelSet {
	for _, l := range names {
		if one.may(l) {
			s = s.having(l, one.must[l])
		} else {
			s = s.without(l)
		}
	}
	return s
}

// guessedMatching says whether only a server could tell what an operator matches on.
func (r labelReader) guessedMatching(b *promparser.BinaryExpr) bool {
	_, from, ok := r.e.span(b.LHS)
	to, _, also := r.e.span(b.RHS)
	return !ok || !also || from > to || r.e.guessed(from, to)
}
