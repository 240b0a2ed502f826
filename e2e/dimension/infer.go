package dimension

import (
	"math"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// Source says what the samples of a series of this name are measured in: the zero
// Unit where it is not known.
type Source func(series string) Unit

// Of is the unit of an expression's values.
func Of(expr promparser.Expr, metric Source) Unit {
	switch e := expr.(type) {
	case *promparser.NumberLiteral:
		return pure(e.Val)
	case *promparser.ParenExpr:
		return Of(e.Expr, metric)
	case *promparser.StepInvariantExpr:
		return Of(e.Expr, metric)
	case *promparser.UnaryExpr:
		return unary(Of(e.Expr, metric), e.Op)
	case *promparser.VectorSelector:
		return metric(e.Name)
	case *promparser.MatrixSelector:
		return Of(e.VectorSelector, metric)
	case *promparser.SubqueryExpr:
		return Of(e.Expr, metric)
	case *promparser.AggregateExpr:
		return aggregate(e, metric)
	case *promparser.BinaryExpr:
		return binary(e, metric)
	case *promparser.Call:
		return call(e, metric)
	default:
		return Unit{}
	}
}

func unary(u Unit, op promparser.ItemType) Unit {
	if op == promparser.SUB {
		return u.times(-1)
	}
	return u
}

func aggregate(e *promparser.AggregateExpr, metric Source) Unit {
	u := Of(e.Expr, metric)
	switch e.Op {
	case promparser.SUM:
		return summed(u)
	case promparser.AVG:
		return averaged(u)
	case promparser.COUNT, promparser.COUNT_VALUES:
		return count()
	case promparser.GROUP:
		return truth()
	case promparser.STDDEV:
		return spread(u)
	case promparser.STDVAR:
		return multiply(spread(u), spread(u))
	case promparser.MIN, promparser.MAX, promparser.QUANTILE, promparser.TOPK, promparser.BOTTOMK, promparser.LIMITK, promparser.LIMIT_RATIO:
		return unfolded(u)
	default:
		return Unit{}
	}
}

// unfolded keeps a constant from being computed with further: an aggregation of
// vector(1) is none that the expression states.
func unfolded(u Unit) Unit {
	if u.kind == constant {
		return Unit{}
	}
	return u
}

func summed(u Unit) Unit {
	switch {
	case u.kind == flag:
		return count()
	case u.additive():
		return u
	default:
		return Unit{}
	}
}

func averaged(u Unit) Unit {
	if u.kind == flag {
		return share()
	}
	return unfolded(u)
}

// spread is the unit of a deviation: of a temperature it is no temperature.
func spread(u Unit) Unit {
	if !u.additive() {
		return Unit{}
	}
	return u
}

func binary(e *promparser.BinaryExpr, metric Source) Unit {
	left, right := Of(e.LHS, metric), Of(e.RHS, metric)
	switch e.Op {
	case promparser.ADD:
		return add(left, right)
	case promparser.SUB:
		return subtract(left, right)
	case promparser.MUL:
		return multiply(left, right)
	case promparser.DIV:
		return divide(left, right)
	case promparser.POW:
		return raised(left, right)
	case promparser.LAND, promparser.LUNLESS:
		return left
	case promparser.LOR:
		return either(left, right)
	}
	if !e.Op.IsComparisonOperator() {
		return Unit{} // %, atan2 and what may come
	}
	switch {
	case e.ReturnBool:
		return truth()
	case e.LHS.Type() == promparser.ValueTypeScalar: // a filter keeps the vector's values
		return right
	default:
		return left
	}
}

// raised computes what constants come to, as 1024^2.
func raised(base, exponent Unit) Unit {
	if base.kind != constant || exponent.kind != constant {
		return Unit{}
	}
	return pure(math.Pow(base.value, exponent.value))
}

// Observed is the unit of what a histogram has observed, given an expression over its
// buckets or over a native histogram.
func Observed(expr promparser.Expr, metric Source) Unit {
	switch e := expr.(type) {
	case *promparser.ParenExpr:
		return Observed(e.Expr, metric)
	case *promparser.StepInvariantExpr:
		return Observed(e.Expr, metric)
	case *promparser.MatrixSelector:
		return Observed(e.VectorSelector, metric)
	case *promparser.SubqueryExpr:
		return Observed(e.Expr, metric)
	case *promparser.AggregateExpr:
		return Observed(e.Expr, metric)
	case *promparser.VectorSelector:
		if base, ok := strings.CutSuffix(e.Name, "_bucket"); ok {
			return metric(base + "_sum")
		}
		return metric(e.Name)
	case *promparser.BinaryExpr:
		return observedByEither(e, metric)
	case *promparser.Call:
		if len(e.Args) > 0 && bucketsStay(e.Func.Name) {
			return Observed(e.Args[0], metric)
		}
	}
	return Unit{}
}

// observedByEither is the unit that both sides of an operator agree on: sums and
// multiples of buckets are still buckets of the same.
func observedByEither(e *promparser.BinaryExpr, metric Source) Unit {
	left, right := Observed(e.LHS, metric), Observed(e.RHS, metric)
	switch {
	case e.Op == promparser.LAND || e.Op == promparser.LUNLESS || e.RHS.Type() == promparser.ValueTypeScalar:
		return left
	case e.LHS.Type() == promparser.ValueTypeScalar:
		return right
	default:
		return either(left, right)
	}
}
