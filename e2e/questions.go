package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// questions fills each dashboard's variables and lists what it asks with them. Several
// dashboards are under way at once, and what they ask alike is asked once.
func (r *run) questions(ctx context.Context, src *sources, live *rule.Live) ([]*rule.Question, error) {
	questions, variables := make([][]*rule.Question, len(live.Boards)), make([][]rule.Variable, len(live.Boards))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	for i, b := range live.Boards {
		g.Go(env.Guarded(func() (err error) {
			questions[i], variables[i], err = r.questionsOf(ctx, b, live, func(ds *stack.Datasource) promv1.API { return r.lookups.through(ours(src, ds)) })
			b.Fold()
			r.count("filling variables", len(live.Boards))
			return err
		}))
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	live.Variables = slices.Concat(variables...)
	return slices.Concat(questions...), nil
}

// questionsOf fills the variables of one dashboard.
func (r *run) questionsOf(ctx context.Context, b *rule.Board, live *rule.Live, ask func(*stack.Datasource) promv1.API) ([]*rule.Question, []rule.Variable, error) {
	rng, err := b.Range(live.Instance.Now)
	if err != nil {
		rng = query.Range{From: live.Instance.Now.Add(-time.Hour), To: live.Instance.Now}
	}
	scope, resolved, err := query.Resolve(ctx, b.Dashboard, r.stack.Datasources, ask, rng)
	var cycle *query.CycleError // variable/query-error says so; the rest is filled
	switch {
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("fill the variables of %s: %w", b.File, ctx.Err())
	case err != nil && !errors.As(err, &cycle):
		return nil, nil, fmt.Errorf("fill the variables of %s: %w", b.File, err)
	}
	var variables []rule.Variable
	for _, res := range resolved {
		r.sayNotRun(&res, scope)
		variables = append(variables, rule.Variable{Board: b, Resolution: res})
	}
	return b.Ask(r.stack, scope, live.Instance.Now), variables, nil
}

// ours is the Prometheus under test where a datasource leads to it, else nobody.
func ours(src *sources, ds *stack.Datasource) promv1.API {
	prom, err := src.of(ds)
	if err != nil {
		return nil
	}
	return prom
}

// sayNotRun gives a variable that nobody could be asked for the reason that panels
// of its datasource have.
func (r *run) sayNotRun(res *query.Resolution, scope *query.Scope) {
	if res.Unchecked == "" {
		return
	}
	ds, _, err := query.ResolveDatasource(res.Variable.Datasource, scope, r.stack.Datasources)
	if err != nil || ds == nil {
		return
	}
	if why := rule.NotRun(r.stack, ds); why != "" {
		res.Unchecked = why
	}
}

// sourceOf is the datasource that a variable asks, nil where that is none of ours.
func (r *run) sourceOf(v rule.Variable) *stack.Datasource {
	ds, _, err := query.ResolveDatasource(v.Variable.Datasource, v.Board.Scope, r.stack.Datasources)
	if err != nil {
		return nil
	}
	return ds
}
