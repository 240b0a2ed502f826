package rule

import (
	"fmt"
	"math"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

// smallestSkew is the least constant that is worth a word: what is smaller changes no
// rate that anybody looks at.
const smallestSkew = 0.01

// promqlNaNHidden finds divisors that are kept off zero by a number that also changes
// what is divided by.
func promqlNaNHidden() Rule {
	return Rule{
		ID:       "promql/nan-hidden",
		Severity: Warning,
		Summary:  "a divisor is kept off zero by clamp_min(…, 1) or 1 + …, which skews small rates",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, e := range in.expressions() {
				promparser.Inspect(e.root, func(n promparser.Node, _ []promparser.Node) error {
					if div, ok := n.(*promparser.BinaryExpr); ok && div.Op == promparser.DIV {
						if f := in.skewedDivisor(e, div.RHS); f != nil {
							out = append(out, *f)
						}
					}
					return nil
				})
			}
			return out
		},
	}
}

// skewed is a divisor with what keeps it off zero taken apart.
type skewed struct {
	divisor promparser.Expr // what is meant to be divided by
	by      float64
	what    string // what is done to it, for a message
}

// skewedDivisor is nil for a divisor that is as it is.
func (in *Static) skewedDivisor(e *expression, divisor promparser.Expr) *Finding {
	s, ok := skewOf(divisor)
	if !ok || in.movesFast(e, s.divisor) || s.by < smallestSkew || math.IsInf(s.by, 1) || e.guessedConstant(divisor, s.divisor) {
		return nil
	}
	f := e.finding(bare(divisor))
	f.Message = fmt.Sprintf("the divisor %s: where there are few requests the quotient comes out far too small, and where there are none it is 0 instead of nothing", s.what)
	f.Fix = "divide by the rate itself, with \"> 0\" behind it where it may be 0: nothing is shown where nothing happened"
	start, end, ok := e.span(bare(divisor))
	first, last, also := e.span(s.divisor)
	if !ok || !also {
		return &f
	}
	before, after := "(", " > 0)"
	if looserThanComparison(s.divisor) {
		before, after = "((", ") > 0)"
	}
	edits := []edit{{start, first, before}, {last, end, after}}
	if at := divisor.PositionRange(); int(at.Start) < start && before == "(" { // in parentheses already
		edits = []edit{{start, first, ""}, {last, end, " > 0"}}
	}
	f.Mended = e.mended(edits...)
	return &f
}

// movesFast says whether a rate is of what comes in thousands a second where there is
// any of it at all: one more does no harm.
func (in *Static) movesFast(e *expression, divisor promparser.Expr) bool {
	for _, vs := range Selectors(divisor) {
		name := e.metric(vs)
		m, part, _ := in.Metrics.Series(name)
		fine := slices.Contains([]string{"bytes", "us", "ms", "ns", "mJ"}, m.Unit) && part != catalogue.Count && part != catalogue.Bucket
		if fine || strings.Contains(name, "_bytes") || strings.Contains(name, "_us_sum") || strings.Contains(name, "_ms_sum") {
			return true
		}
	}
	return false
}

// guessedConstant says whether only a server could tell the constant that is added.
func (e *expression) guessedConstant(all, of promparser.Expr) bool {
	start, end, ok := e.span(all)
	first, last, also := e.span(of)
	return !ok || !also || e.guessed(start, first) || e.guessed(last, end)
}

// skewOf takes clamp_min(rate, c), clamp(rate, c, d), rate + c and c + rate apart.
func skewOf(divisor promparser.Expr) (skewed, bool) {
	if call, ok := isCall(divisor, "clamp_min", "clamp"); ok && speaksOf(call.Args[0], "rate", "irate") {
		by, constant := numberOf(call.Args[1])
		return skewed{call.Args[0], by, fmt.Sprintf("is at least %g a second", by)}, constant
	}
	sum, ok := bare(divisor).(*promparser.BinaryExpr)
	if !ok || sum.Op != promparser.ADD {
		return skewed{}, false
	}
	for _, side := range [][2]promparser.Expr{{sum.LHS, sum.RHS}, {sum.RHS, sum.LHS}} {
		if by, constant := numberOf(side[0]); constant && speaksOf(side[1], "rate", "irate", "increase") {
			return skewed{side[1], by, fmt.Sprintf("has %g added to it", by)}, true
		}
	}
	return skewed{}, false
}

// speaksOf says whether an expression passes on what one of these functions returns,
// summed or scaled.
func speaksOf(n promparser.Expr, functions ...string) bool {
	switch n := bare(n).(type) {
	case *promparser.Call:
		if _, ok := isCall(n, functions...); ok {
			return true
		}
		return len(n.Args) > 0 && (n.Func.Name == "label_replace" || n.Func.Name == "sum_over_time") && speaksOf(n.Args[0], functions...)
	case *promparser.AggregateExpr:
		switch n.Op {
		case promparser.SUM, promparser.AVG, promparser.MIN, promparser.MAX:
			return speaksOf(n.Expr, functions...)
		}
	case *promparser.BinaryExpr:
		if n.Op == promparser.ADD || n.Op == promparser.SUB || n.Op == promparser.LOR {
			return speaksOf(n.LHS, functions...) || speaksOf(n.RHS, functions...)
		}
	}
	return false
}

// looserThanComparison says whether an expression needs parentheses before "> 0".
func looserThanComparison(n promparser.Expr) bool {
	b, ok := n.(*promparser.BinaryExpr)
	return ok && (b.Op.IsComparisonOperator() || b.Op.IsSetOperator())
}
