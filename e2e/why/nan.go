package why

import (
	"context"
	"fmt"
	"math"

	"github.com/prometheus/common/model"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

// ExplainNaN says why a query has samples and none of them is a number: the
// innermost division whose divisor is zero throughout, and whether that is so
// because nothing happened. It returns nil where no division accounts for it.
func (a *Asker) ExplainNaN(ctx context.Context, expr string) (*Diagnosis, error) {
	root, err := parse(expr)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	d := a.diagnosing(ctx)
	if found, err := d.emptyScalar(root, expr); found != nil || err != nil {
		return found, err
	}
	return d.innermostZero(divisions(root), expr)
}

// innermostZero is the last of divisions whose divisor is zero throughout, asked for
// all of them at once.
func (d *diagnosing) innermostZero(all []*promparser.BinaryExpr, expr string) (*Diagnosis, error) {
	if len(all) == 0 {
		return nil, nil
	}
	if len(all) > maxParts {
		return nil, fmt.Errorf("the expression has %d divisions, more than the %d that are looked into", len(all), maxParts)
	}
	var divisors []string
	for _, division := range all {
		if division.RHS.Type() == promparser.ValueTypeScalar {
			divisors = append(divisors, "vector("+division.RHS.String()+")")
			continue
		}
		divisors = append(divisors, "max(abs("+division.RHS.String()+"))")
	}
	answers, err := d.together(divisors...)
	if err != nil {
		return nil, err
	}
	var found *Diagnosis
	for i, division := range all {
		if zero(answers[i]) {
			found = divided(division, expr)
			found.Asked = d.asked
		}
	}
	return found, nil
}

// divisions are the divisions of an expression, outer ones first.
func divisions(root promparser.Expr) []*promparser.BinaryExpr {
	var out []*promparser.BinaryExpr
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		if b, ok := n.(*promparser.BinaryExpr); ok && (b.Op == promparser.DIV || b.Op == promparser.MOD) {
			out = append(out, b)
		}
		return nil
	})
	return out
}

// zero says whether an answer has zeros and nothing else but NaN.
func zero(m model.Matrix) bool {
	zeros := 0
	for _, s := range m {
		for _, v := range s.Values {
			switch f := float64(v.Value); {
			case f == 0:
				zeros++
			case !math.IsNaN(f):
				return false
			}
		}
	}
	return zeros > 0
}

// emptyScalar explains scalar() of nothing, which is NaN rather than nothing.
func (d *diagnosing) emptyScalar(root promparser.Expr, expr string) (*Diagnosis, error) {
	for _, call := range scalars(root) {
		at := call.Args[0].PositionRange()
		out, err := d.Explain(d.ctx, expr[at.Start:at.End])
		if err != nil {
			return nil, err
		}
		if out != nil {
			out.Start, out.End = out.Start+int(at.Start), out.End+int(at.Start)
			return out, nil
		}
	}
	return nil, nil
}

// scalars are the calls of scalar in an expression.
func scalars(root promparser.Expr) []*promparser.Call {
	var out []*promparser.Call
	promparser.Inspect(root, func(n promparser.Node, _ []promparser.Node) error {
		if c, ok := n.(*promparser.Call); ok && c.Func.Name == "scalar" {
			out = append(out, c)
		}
		return nil
	})
	return out
}

func divided(b *promparser.BinaryExpr, expr string) *Diagnosis {
	pos := b.RHS.PositionRange()
	out := &Diagnosis{
		Reason: DividesByZero, Part: expr[pos.Start:pos.End], Start: int(pos.Start), End: int(pos.End),
		Message: "every value is divided by zero",
		Fix:     "check what the divisor counts",
	}
	out.Evidence = append(out.Evidence, fmt.Sprintf("%s is zero in the whole range", out.Part))
	if countsEvents(b.RHS) {
		out.Reason = NoTraffic
		out.Message = "the divisor counts events, and none happened in the whole range"
		out.Fix = "choose a scenario with traffic, or declare the panel as expected to be empty"
	}
	return out
}
