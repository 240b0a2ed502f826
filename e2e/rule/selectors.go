package rule

import (
	"slices"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// guessed says whether a part of the expression hangs on what only a server could tell.
func (e *expression) guessed(start, end int) bool {
	if e.question == nil || start < 0 || start > end || end > len(e.text) {
		return false
	}
	from, to := e.source(start), e.source(end)
	if from >= to { // within one variable: all of its reference counts
		to = len(e.asWritten())
	}
	return e.question.Board.guesses(e.asWritten()[from:to])
}

// metric is the name that a selector asks for, "" where it is not certain: it asks for
// several, or a variable that only a server could fill names it.
func (e *expression) metric(vs *promparser.VectorSelector) string {
	name := metricOf(vs)
	start, end, ok := e.span(vs)
	switch {
	case name == "" || !ok:
		return ""
	case vs.Name != "":
		end = min(start+len(vs.Name), end)
	}
	if e.guessed(start, end) {
		return ""
	}
	return name
}

// Selectors are the selectors under a node, in their order.
func Selectors(n promparser.Node) []*promparser.VectorSelector {
	var out []*promparser.VectorSelector
	promparser.Inspect(n, func(n promparser.Node, _ []promparser.Node) error {
		if vs, ok := n.(*promparser.VectorSelector); ok {
			out = append(out, vs)
		}
		return nil
	})
	return out
}

// bare is an expression without the parentheses around it.
func bare(e promparser.Expr) promparser.Expr {
	for {
		switch inner := e.(type) {
		case *promparser.ParenExpr:
			e = inner.Expr
		case *promparser.StepInvariantExpr:
			e = inner.Expr
		default:
			return e
		}
	}
}

// ranged is the selector of a range selector, nil for anything else.
func ranged(arg promparser.Expr) *promparser.VectorSelector {
	m, ok := bare(arg).(*promparser.MatrixSelector)
	if !ok {
		return nil
	}
	vs, _ := m.VectorSelector.(*promparser.VectorSelector)
	return vs
}

// alternatives are the selectors of the other sides of every "or" that a node stands
// under: what the query shows where the node has nothing.
func alternatives(path []promparser.Node, n promparser.Node) []*promparser.VectorSelector {
	var out []*promparser.VectorSelector
	for i, above := range path {
		or, ok := above.(*promparser.BinaryExpr)
		if !ok || or.Op != promparser.LOR {
			continue
		}
		next := n
		if i+1 < len(path) {
			next = path[i+1]
		}
		other := or.LHS
		if promparser.Node(or.LHS) == next {
			other = or.RHS
		}
		out = append(out, Selectors(other)...)
	}
	return out
}

// isCall says whether an expression calls one of these functions, and hands it out.
func isCall(e promparser.Expr, names ...string) (*promparser.Call, bool) {
	call, ok := bare(e).(*promparser.Call)
	return call, ok && slices.Contains(names, call.Func.Name)
}

// takesRate says whether a function turns a counter into its speed.
func takesRate(function string) bool {
	return slices.Contains([]string{"rate", "irate", "increase"}, function)
}

// numberOf is the constant that an expression is.
func numberOf(e promparser.Expr) (float64, bool) {
	switch e := bare(e).(type) {
	case *promparser.NumberLiteral:
		return e.Val, true
	case *promparser.UnaryExpr:
		v, ok := numberOf(e.Expr)
		if e.Op == promparser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}
