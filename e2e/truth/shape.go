package truth

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// shape is what a claim takes from an expression: which metrics it is about and which
// series of them, over which time, and how lines are put together. How it computes is
// left out: that is what the truth is to tell.
type shape struct {
	parts     map[part]bool
	exporter  string
	of        about
	selectors map[part][][]*labels.Matcher // without the name
	window    time.Duration                // the longest of a range selector
	functions map[string]bool
	outermost promparser.ItemType // aggregation, 0 for none
	// outside says that the outermost aggregation is around a division.
	outside bool
	divides bool
	shares  bool // a time is divided by another
	filters bool // lines are left out by their values, or by others
	mixed   bool // different aggregations, one inside of the other
}

// shapeOf is false for an expression of which more than the claim decides what it
// shows: a quantile, a prediction, another time than now, a metric that nobody knows.
func shapeOf(root promparser.Expr) (*shape, bool) {
	s := &shape{parts: map[part]bool{}, selectors: map[part][][]*labels.Matcher{}, functions: map[string]bool{}}
	known, ok := metrics(), true
	first := true
	promparser.Inspect(root, func(n promparser.Node, path []promparser.Node) error {
		switch n := n.(type) {
		case *promparser.VectorSelector:
			ok = s.selector(n, known, first) && ok
			first = false
		case *promparser.MatrixSelector:
			s.window = max(s.window, n.Range)
		case *promparser.SubqueryExpr:
			ok = false
		case *promparser.Call:
			s.functions[n.Func.Name] = true
			ok = slices.Contains(transparent(), n.Func.Name) && ok
		case *promparser.AggregateExpr:
			ok = s.aggregation(n, path) && ok
		case *promparser.BinaryExpr:
			ok = s.binary(n) && ok
		}
		return nil
	})
	return s, ok && len(s.parts) > 0
}

// transparent are the functions that do not change what an expression is about.
func transparent() []string {
	return []string{"rate", "irate", "increase", "avg_over_time", "last_over_time", "label_replace", "label_join", "sort", "sort_desc", "abs",
		"clamp", "clamp_min", "clamp_max", "scalar", "vector"}
}

func (s *shape) selector(n *promparser.VectorSelector, known map[string]metric, first bool) bool {
	var rest []*labels.Matcher
	name := n.Name
	for _, m := range n.LabelMatchers {
		switch {
		case m.Name != model.MetricNameLabel:
			rest = append(rest, m)
		case m.Type == labels.MatchEqual:
			name = m.Value
		}
	}
	m, ok := known[name]
	if !ok || n.OriginalOffset != 0 || n.Timestamp != nil || n.StartOrEnd != 0 {
		return false
	}
	if !first && (s.exporter != m.exporter || s.of != m.of) {
		return false
	}
	s.exporter, s.of = m.exporter, m.of
	s.parts[m.part] = true
	s.selectors[m.part] = append(s.selectors[m.part], rest)
	return true
}

func (s *shape) aggregation(n *promparser.AggregateExpr, path []promparser.Node) bool {
	switch n.Op {
	case promparser.TOPK, promparser.BOTTOMK:
		s.filters = true
		return true // they choose lines, and put none together
	case promparser.SUM, promparser.AVG, promparser.MAX, promparser.MIN:
	default:
		return false
	}
	for _, around := range path {
		if a, ok := around.(*promparser.AggregateExpr); ok && a.Op != n.Op {
			s.mixed = true
		}
	}
	if s.outermost == 0 {
		s.outermost = n.Op
		s.outside = divides(n.Expr)
	}
	return true
}

func (s *shape) binary(n *promparser.BinaryExpr) bool {
	if n.Op == promparser.DIV && n.RHS.Type() == promparser.ValueTypeVector {
		s.divides = true
	}
	if n.Op.IsComparisonOperator() || n.Op == promparser.LAND || n.Op == promparser.LUNLESS {
		s.filters = true
	}
	s.shares = s.shares || n.Op == promparser.DIV && isTimes(partsOf(n.LHS)) && isTimes(partsOf(n.RHS))
	return !n.ReturnBool && n.Op != promparser.POW && n.Op != promparser.MOD && n.Op != promparser.ATAN2 &&
		!compares(n) && !estimates(n)
}

// partsOf are what an expression is about, as far as that is known.
func partsOf(e promparser.Expr) []part {
	known := metrics()
	var out []part
	promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
		if v, ok := n.(*promparser.VectorSelector); ok {
			out = append(out, known[v.Name].part)
		}
		return nil
	})
	return out
}

// isTimes says whether there are parts that are times of requests.
func isTimes(parts []part) bool { return slices.ContainsFunc(parts, part.isTime) }

// compares says whether an operator tells how far one quantity is from another of its
// kind, or from a limit that the author has set: what is left of a request without its
// stages, a temperature below the limit, a device against the average.
func compares(n *promparser.BinaryExpr) bool {
	if n.Op != promparser.SUB {
		return false
	}
	left, right := partsOf(n.LHS), partsOf(n.RHS)
	levels := func(p part) bool {
		return p == utilization || p == power || p == powerLimit || p == temperature || p == otherTemperature
	}
	switch {
	case isTimes(left) && isTimes(right):
		return true
	case slices.ContainsFunc(left, levels) && slices.ContainsFunc(right, levels):
		return true
	case len(left) == 0 || len(right) == 0:
		return slices.ContainsFunc(slices.Concat(left, right), func(p part) bool { return levels(p) && p != utilization })
	}
	return false
}

// estimates says whether a value is multiplied by a factor that leads to no other unit
// of it: a price, a share for the cooling.
func estimates(n *promparser.BinaryExpr) bool {
	if n.Op != promparser.MUL {
		return false
	}
	for _, side := range []promparser.Expr{n.LHS, n.RHS} {
		if c, ok := side.(*promparser.NumberLiteral); ok && c.Val > 0.1 && c.Val < 10 && c.Val != math.Trunc(c.Val) {
			return true
		}
	}
	return false
}

// divides says whether one series is divided by another in an expression.
func divides(e promparser.Expr) bool {
	found := false
	promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
		if b, ok := n.(*promparser.BinaryExpr); ok && b.Op == promparser.DIV && b.RHS.Type() == promparser.ValueTypeVector {
			found = true
		}
		return nil
	})
	return found
}

// only says whether the expression is about these parts and no others.
func (s *shape) only(parts ...part) bool {
	for p := range s.parts {
		if !slices.Contains(parts, p) {
			return false
		}
	}
	return true
}

// times are the parts of the expression that are times.
func (s *shape) times() []part {
	var out []part
	for p := range s.parts {
		if p.isTime() {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// moves says whether the expression looks at how counters move.
func (s *shape) moves() bool {
	return s.functions["rate"] || s.functions["irate"] || s.functions["increase"]
}

// chosen are the matchers of the selectors of some parts.
func (s *shape) chosen(parts ...part) [][]*labels.Matcher {
	var out [][]*labels.Matcher
	for _, p := range parts {
		out = append(out, s.selectors[p]...)
	}
	return out
}

// text is a title or legend for looking up words: lower case, without what variables
// and labels fill in.
func text(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range strings.ToLower(s) {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case depth <= 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}
