package rule

import (
	"time"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// Reach is how far before its evaluation the question's expression needs samples. Its
// requests differ in when they are evaluated.
func (q *Question) Reach() time.Duration {
	if q.reach != nil {
		return *q.reach
	}
	if len(q.Requests) == 0 {
		return 0
	}
	return Reach(q.Requests[0].Expr)
}

// Reach is how far before its evaluation an expression needs samples, 0 for one that does
// not parse: panel/syntax says so.
func Reach(expr string) time.Duration {
	root, err := Parse(expr)
	if err != nil {
		return 0
	}
	return reachOf(root)
}

// reachOf is how far before its evaluation an expression needs samples.
func reachOf(root promparser.Expr) time.Duration {
	longest := time.Duration(0)
	promparser.Inspect(root, func(n promparser.Node, path []promparser.Node) error {
		vs, ok := n.(*promparser.VectorSelector)
		if !ok {
			return nil
		}
		back := vs.OriginalOffset
		inRange := false
		for _, p := range path {
			switch p := p.(type) {
			case *promparser.MatrixSelector:
				back, inRange = back+p.Range, true
			case *promparser.SubqueryExpr:
				back += p.Range + p.OriginalOffset
			}
		}
		if !inRange {
			back += lookback
		}
		longest = max(longest, back)
		return nil
	})
	return longest
}
