package alert

import (
	"fmt"
	"math"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/stack"
)

// step is a part of a condition that yields values.
type step interface {
	evaluate(e *evaluation) (values, error)
}

// promQL is what Prometheus answers at each evaluation.
type promQL string

func (q promQL) evaluate(e *evaluation) (values, error) {
	m, err := e.ask(string(q), e.From, e.every)
	if err != nil {
		return nil, err
	}
	return fromMatrix(m), nil
}

// OfPrometheus is the condition of an alerting rule of a Prometheus rule file.
func OfPrometheus(r *stack.Rule) (*Condition, error) {
	root, err := promparser.NewParser(promparser.Options{EnableExperimentalFunctions: true}).ParseExpr(r.Expr.Value)
	if err != nil {
		return nil, fmt.Errorf("parse the expression of %s: %w", r.Alert.Value, err)
	}
	return &Condition{For: r.For.Duration, Interval: r.Group.Interval, step: promQL(r.Expr.Value), compared: comparisons(root)}, nil
}

// comparisons are the comparisons with a number that an expression comes to, joined
// by nothing but "and"; nil for any other shape.
func comparisons(n promparser.Expr) []Comparison {
	switch n := n.(type) {
	case *promparser.ParenExpr:
		return comparisons(n.Expr)
	case *promparser.BinaryExpr:
		if n.Op == promparser.LAND {
			left, right := comparisons(n.LHS), comparisons(n.RHS)
			if left == nil || right == nil {
				return nil
			}
			return append(left, right...)
		}
		if !n.Op.IsComparisonOperator() || n.ReturnBool {
			return nil
		}
		if c, ok := constant(n.RHS); ok && n.LHS.Type() == promparser.ValueTypeVector {
			return []Comparison{{Side: n.LHS.String(), Op: n.Op.String(), Threshold: c}}
		}
		if c, ok := constant(n.LHS); ok && n.RHS.Type() == promparser.ValueTypeVector {
			return []Comparison{{Side: n.RHS.String(), Op: flipped(n.Op.String()), Threshold: c}}
		}
	}
	return nil
}

// flipped is the operator that says the same with its sides exchanged.
func flipped(op string) string {
	switch op {
	case ">":
		return "<"
	case ">=":
		return "<="
	case "<":
		return ">"
	case "<=":
		return ">="
	}
	return op
}

// constant is the value of an expression of numbers alone.
func constant(n promparser.Expr) (float64, bool) {
	switch n := n.(type) {
	case *promparser.NumberLiteral:
		return n.Val, true
	case *promparser.ParenExpr:
		return constant(n.Expr)
	case *promparser.UnaryExpr:
		v, ok := constant(n.Expr)
		if n.Op == promparser.SUB {
			v = -v
		}
		return v, ok
	case *promparser.BinaryExpr:
		left, ok := constant(n.LHS)
		right, ok2 := constant(n.RHS)
		if !ok || !ok2 {
			return 0, false
		}
		return calculated(n.Op, left, right)
	}
	return 0, false
}

func calculated(op promparser.ItemType, left, right float64) (float64, bool) {
	switch op {
	case promparser.ADD:
		return left + right, true
	case promparser.SUB:
		return left - right, true
	case promparser.MUL:
		return left * right, true
	case promparser.DIV:
		return left / right, true
	case promparser.POW:
		return math.Pow(left, right), true
	}
	return 0, false
}
