package embedded

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// mostSubquerySteps is how many steps a subquery may be evaluated at: those of a year at
// one each 30 s are a fifth of it.
const mostSubquerySteps = 5_000_000

// boundedEngine refuses subqueries of more steps than any database has samples. The
// engine makes room for all of them before it looks at a limit of its own, and what
// there is no room for ends the whole process, the real Prometheus as well.
type boundedEngine struct {
	*promql.Engine
	parser parser.Parser
	usual  time.Duration // the step of a subquery that names none
}

// NewInstantQuery implements promql.QueryEngine.
func (e *boundedEngine) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, at time.Time) (promql.Query, error) {
	if err := e.check(expr, 0); err != nil {
		return nil, err
	}
	return e.Engine.NewInstantQuery(ctx, q, opts, expr, at)
}

// NewRangeQuery implements promql.QueryEngine.
func (e *boundedEngine) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, start, end time.Time, step time.Duration) (promql.Query, error) {
	if err := e.check(expr, end.Sub(start)); err != nil {
		return nil, err
	}
	return e.Engine.NewRangeQuery(ctx, q, opts, expr, start, end, step)
}

// check finds the first subquery that asks for too much. One inside another covers the
// ranges of both.
func (e *boundedEngine) check(expr string, over time.Duration) error {
	if !strings.Contains(expr, "[") || !strings.Contains(expr, ":") {
		return nil // most have none, and are not parsed twice
	}
	parsed, err := e.parser.ParseExpr(expr)
	if err != nil {
		return nil //nolint:nilerr // the engine says so in its own words
	}
	return e.walk(parsed, over)
}

func (e *boundedEngine) walk(n parser.Node, over time.Duration) error {
	if s, ok := n.(*parser.SubqueryExpr); ok {
		step := s.Step
		if step <= 0 {
			step = e.usual
		}
		if over > maxDuration-s.Range {
			over = maxDuration
		} else {
			over += s.Range
		}
		if steps := over / max(step, time.Millisecond); steps > mostSubquerySteps {
			return fmt.Errorf("the subquery [%s:%s] is evaluated at %d steps, the limit is %d: take a shorter range or a longer step", s.Range, step, steps, mostSubquerySteps)
		}
	}
	for child := range parser.ChildrenIter(n) {
		if err := e.walk(child, over); err != nil {
			return err
		}
	}
	return nil
}

const maxDuration = time.Duration(1<<63 - 1)
