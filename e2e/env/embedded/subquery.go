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

// mostSubqueryReads is how many samples of a series may be read out of a subquery's
// windows: those of [30d:1m] at each of 1,500 steps are an eighth of it.
const mostSubqueryReads = 500_000_000

// boundedEngine refuses subqueries of more steps than any database has samples. The
// engine makes room for all of them before it looks at a limit of its own, and what
// there is no room for ends the whole process, the real Prometheus as well. Between the
// steps of one series the engine looks at no deadline either, so that subqueries inside
// of each other, each read anew at each step of the one around it, take hours.
type boundedEngine struct {
	*promql.Engine
	parser parser.Parser
	usual  time.Duration // the step of a subquery that names none
}

// NewInstantQuery implements promql.QueryEngine.
func (e *boundedEngine) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, at time.Time) (promql.Query, error) {
	if err := e.check(expr, 0, time.Second); err != nil {
		return nil, err
	}
	return e.Engine.NewInstantQuery(ctx, q, opts, expr, at)
}

// NewRangeQuery implements promql.QueryEngine.
func (e *boundedEngine) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, start, end time.Time, step time.Duration) (promql.Query, error) {
	if err := e.check(expr, end.Sub(start), step); err != nil {
		return nil, err
	}
	return e.Engine.NewRangeQuery(ctx, q, opts, expr, start, end, step)
}

// check finds the first subquery that asks for too much, of a query over so much time by
// such steps.
func (e *boundedEngine) check(expr string, over, step time.Duration) error {
	if !mayHaveSubquery(expr) {
		return nil // most have none, and are not parsed twice
	}
	parsed, err := e.parser.ParseExpr(expr)
	if err != nil {
		return nil //nolint:nilerr // the engine says so in its own words
	}
	return e.walk(parsed, over, step)
}

// mayHaveSubquery looks for a colon between brackets. A comment may hide where they end.
func mayHaveSubquery(expr string) bool {
	for {
		_, inside, found := strings.Cut(expr, "[")
		if !found {
			return false
		}
		inside, expr, found = strings.Cut(inside, "]")
		if !found || strings.ContainsAny(inside, ":#") {
			return true
		}
	}
}

// walk goes through what is evaluated over so much time by such steps. A subquery inside
// of another covers the ranges of both.
func (e *boundedEngine) walk(n parser.Node, over, step time.Duration) error {
	if s, ok := n.(*parser.SubqueryExpr); ok {
		inner := s.Step
		if inner <= 0 {
			inner = e.usual
		}
		inner = max(inner, time.Millisecond)
		window, times := int64(s.Range/inner)+1, int64(over/step)+1
		if over > maxDuration-s.Range {
			over = maxDuration
		} else {
			over += s.Range
		}
		if steps := over / inner; steps > mostSubquerySteps {
			return fmt.Errorf("the subquery [%s:%s] is evaluated at %d steps, the limit is %d: take a shorter range or a longer step", s.Range, inner, steps, mostSubquerySteps)
		}
		if window > mostSubqueryReads/times {
			return fmt.Errorf("the subquery [%s:%s] has %d steps, which are read at each of the %d steps around it, and the limit is %d in all: take a shorter range or a longer step",
				s.Range, inner, window, times, mostSubqueryReads)
		}
		step = inner
	}
	for child := range parser.ChildrenIter(n) {
		if err := e.walk(child, over, step); err != nil {
			return err
		}
	}
	return nil
}

const maxDuration = time.Duration(1<<63 - 1)
