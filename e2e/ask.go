package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// ask puts every question of the chosen dashboards to a running stack, and judges each
// dashboard by what it was answered. said is what the files alone have told. Where the
// run is lean, the answers themselves are gone by then.
func (r *run) ask(ctx context.Context, in *rule.Static, instance env.Instance, said []rule.Finding) (*rule.Live, []rule.Finding, error) {
	src := newSources(r.stack, instance)
	defer src.close()
	live := &rule.Live{Static: in, Instance: instance, Health: map[string]error{}, Unreachable: map[string]string{}, Said: said}
	if r.Env != attach.Name { // there they change nothing
		live.Unmatched = unmatched(r.Config.Targets, r.stack, instance.Targets)
	}
	found, err := r.askBoards(ctx, src, live)
	if err != nil {
		return nil, nil, err
	}
	r.askRules(ctx, src, live)
	if !r.alertsKnown {
		if err := r.judgeAlerts(ctx, src, live); err != nil {
			return nil, nil, err
		}
	}
	if len(live.Alerts) > 0 {
		r.done("alerts")
	}
	return live, found, nil
}

// askBoards asks for everything that the dashboards show and judges them by it.
func (r *run) askBoards(ctx context.Context, src *sources, live *rule.Live) ([]rule.Finding, error) {
	version, err := r.runsGrafana(ctx, live)
	if err != nil {
		return nil, err
	}
	// What Grafana serves is asked for beside the panels: nobody needs it before.
	var beside errgroup.Group
	var served *rule.Served
	var notes []string
	beside.Go(env.Guarded(func() (err error) {
		served, notes, err = r.served(ctx, live, version)
		return err
	}))
	plan, err := r.prepare(ctx, src, live)
	whole := live.Instance.Grafana != nil // all is asked before that answers
	var found []rule.Finding
	told := false
	for _, c := range chunks(live, whole) {
		if err == nil {
			err = r.askAll(ctx, src, plan, c)
		}
		if !told {
			besideErr := beside.Wait()
			err = cmp.Or(err, besideErr)
			live.Served, told = served, true
			r.report.Notes = append(r.report.Notes, notes...)
		}
		if err == nil {
			err = cmp.Or(shortage(c.Live), failed(ctx, live.Instance))
		}
		if err != nil {
			return nil, err
		}
		c.Served = served
		here, err := r.lookInto(ctx, src, plan, c)
		if err != nil {
			return nil, err
		}
		found = append(found, here...)
	}
	return found, nil
}

// prepare finds out what the questions are, and who is to answer them.
func (r *run) prepare(ctx context.Context, src *sources, live *rule.Live) (*plan, error) {
	if err := r.health(ctx, src, live); err != nil {
		return nil, err
	}
	pending, err := r.questions(ctx, src, live)
	if err != nil {
		return nil, err
	}
	for _, q := range pending {
		live.Asked = append(live.Asked, r.expand(q, src, live)...)
	}
	leaveUnfed(live)
	r.toAsk = len(live.Asked)
	if err := r.witness(ctx, live); err != nil {
		return nil, err
	}
	live.Types = r.types(ctx, src)
	r.done("variables")
	if live.Instance.Grafana != nil {
		return &plan{}, nil // it is asked in the name of each panel
	}
	return newPlan(src, live.Asked), nil
}

// lookInto finds the reasons behind what a chunk was answered, and judges it.
func (r *run) lookInto(ctx context.Context, src *sources, plan *plan, c *chunk) ([]rule.Finding, error) {
	r.done("queries")
	if err := r.explain(ctx, src, c.Live); err != nil {
		return nil, err
	}
	if err := r.zeroes(ctx, src, c.Live); err != nil {
		return nil, err
	}
	c.keep()
	r.done("why")
	found, err := r.judgeBoards(ctx, src, c)
	if err != nil {
		return nil, err
	}
	if r.Lean {
		plan.release(c.Asked)
		c.shed()
	}
	r.done("live rules")
	return found, nil
}

// judgeBoards judges the dashboards of a chunk. What is found in answers to a part of
// the steps is told as all of them have it: those of a panel where the finding names
// one, else of the whole file.
func (r *run) judgeBoards(ctx context.Context, src *sources, c *chunk) ([]rule.Finding, error) {
	found := rule.CheckBoards(c.Live, r.Config.Rules)
	type place struct {
		file  string
		panel int64
	}
	doubted := map[place]bool{}
	for _, f := range found {
		doubted[place{f.Pos.File, f.PanelID}] = true
	}
	var again []*rule.Asked
	for _, a := range c.Asked {
		if a.Every > 1 && (doubted[place{a.Board.File, 0}] || doubted[place{a.Board.File, rule.PanelID(a.Panel)}]) {
			again = append(again, a)
		}
	}
	if len(again) == 0 {
		return found, nil
	}
	err := r.each(ctx, again, func(ctx context.Context, a *rule.Asked) {
		if prom, err := src.of(a.Datasource); err == nil && prom != nil {
			answer(ctx, prom, a, 1)
			judge(a, c.Live)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("ask panels again: %w", err)
	}
	return rule.CheckBoards(c.Live, r.Config.Rules), nil
}

func workers() int { return 2 * runtime.GOMAXPROCS(0) }

// workers is how many questions are under way at once. Servers that others use too
// are asked no more than by a browser, which has six connections.
func (r *run) workers() int {
	if r.Env == attach.Name {
		const asBrowser = 6
		return min(workers(), asBrowser)
	}
	return workers()
}

// health finds out whether Grafana's health check of each Prometheus datasource
// passes: by having a real Grafana make it, else by asking what it asks.
func (r *run) health(ctx context.Context, src *sources, live *rule.Live) error {
	for _, ds := range r.stack.Datasources {
		if !query.IsPrometheus(ds) || rule.Unreachable(r.stack, ds) != nil { // datasource/url-unreachable says it better
			continue
		}
		if ds.Pos.IsZero() { // a running Grafana's own: a query that asks it says so
			continue
		}
		var err error
		if err = missing(live.Instance, ds); err != nil {
			live.Health[ds.EffectiveUID] = err
			continue
		}
		if g := live.Instance.Grafana; g != nil && rule.Elsewhere(r.stack, ds) == "" {
			err = checkHealth(ctx, g, ds.EffectiveUID)
		} else if prom, noAPI := src.of(ds); prom != nil {
			_, _, err = prom.Query(ctx, "1+1", live.Instance.Now)
		} else if noAPI != nil && len(live.Instance.Faults) == 0 {
			err = noAPI
		}
		if ctx.Err() != nil {
			return fmt.Errorf("check the health of the datasources: %w", context.Cause(ctx))
		}
		if why := env.Unreachable(err); why != "" && live.Instance.Grafana != nil {
			live.Unreachable[ds.EffectiveUID] = why
			continue
		}
		live.Health[ds.EffectiveUID] = err
	}
	return nil
}

// missing says that a Grafana through which everything is asked has not got a
// datasource, nil where it has, and where there is no such Grafana.
func missing(instance env.Instance, ds *stack.Datasource) error {
	if instance.Proxied == nil {
		return nil
	}
	_, err := instance.Proxied(ds.EffectiveUID)
	return err
}

// questions fills each dashboard's variables and lists what it asks with them. Several
// dashboards are under way at once, and what they ask alike is asked once.
func (r *run) questions(ctx context.Context, src *sources, live *rule.Live) ([]*rule.Question, error) {
	defer query.KeepTime()()
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

// askAll asks what a chunk asks.
func (r *run) askAll(ctx context.Context, src *sources, plan *plan, c *chunk) error {
	lean := r.Lean && c.Instance.Evaluate != nil && uneventful(c.Live)
	ask := func(ctx context.Context) func(promv1.API, *rule.Asked) {
		return func(prom promv1.API, a *rule.Asked) {
			if lean {
				askLeanly(ctx, prom, a, c.Live)
				return
			}
			answer(ctx, prom, a, 1)
		}
	}
	err := r.each(ctx, c.Asked, func(ctx context.Context, a *rule.Asked) {
		if s := plan.shared[a]; s != nil {
			s.of(a, ask(ctx))
			judge(a, c.Live)
		} else if a.Status == "" {
			r.askBoth(ctx, src, a, c.Live)
		}
	})
	if err != nil {
		return fmt.Errorf("ask the panels: %w", err)
	}
	return nil
}

// each has something done for each entry, a bounded number of them at a time.
func (r *run) each(ctx context.Context, all []*rule.Asked, do func(context.Context, *rule.Asked)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	for _, a := range all {
		g.Go(env.Guarded(func() error {
			do(ctx, a)
			r.askedOne()
			return ctx.Err()
		}))
	}
	return g.Wait()
}

// expand makes one entry for each request of a question, and one for a question
// that sends none.
func (r *run) expand(q *rule.Question, src *sources, live *rule.Live) []*rule.Asked {
	if q.Expression && live.Instance.Grafana != nil {
		return []*rule.Asked{{Question: q}}
	}
	if !q.Asks() {
		return []*rule.Asked{unasked(q, "")}
	}
	if rule.Unreachable(r.stack, q.Datasource) != nil || live.Unreachable[q.Datasource.EffectiveUID] != "" {
		return []*rule.Asked{unasked(q, "its datasource cannot be reached")}
	}
	if _, err := src.of(q.Datasource); err != nil {
		return []*rule.Asked{unasked(q, err.Error())}
	}
	var out []*rule.Asked
	for _, req := range q.Requests {
		out = append(out, &rule.Asked{Question: q, Request: req})
	}
	return out
}

// unasked is the entry of a question that is not put to Prometheus: because it
// need not be, cannot be, or, where a reason is given, because nobody is there.
func unasked(q *rule.Question, reason string) *rule.Asked {
	a := &rule.Asked{Question: q, Status: rule.StatusFailed}
	switch {
	case q.Unchecked:
		a.Status = rule.StatusUnchecked
	case q.Skip != "":
		a.Status = rule.StatusSkipped
	case q.RefErr != nil:
		a.Err = q.RefErr
	case q.BuildErr != nil:
		a.Err = q.BuildErr
	default:
		a.Err = errors.New(reason)
		if len(q.Requests) > 0 {
			a.Request = q.Requests[0]
		}
	}
	return a
}

// queryTimeout is how long a panel waits for an answer: Grafana's own default.
const queryTimeout = 30 * time.Second

// answer puts one request to Prometheus, at every so many-th of its steps, counts what
// comes back and returns it.
func answer(ctx context.Context, prom promv1.API, a *rule.Asked, every int) model.Value {
	req := a.Request
	if every > 1 {
		req = thinned(req, every)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, queryTimeout, fmt.Errorf("no answer within %s", queryTimeout))
	defer cancel()
	began := time.Now()
	a.Sent, a.Every, a.Err = true, every, nil
	a.Series, a.Samples, a.Finite, a.Answer = 0, 0, 0, nil
	var v model.Value
	if req.Instant {
		v, _, a.Err = prom.Query(ctx, req.Expr, req.End)
	} else {
		v, _, a.Err = prom.QueryRange(ctx, req.Expr, promv1.Range{Start: req.Start, End: req.End, Step: req.Step})
	}
	a.Duration = time.Since(began)
	switch {
	case a.Err == nil:
		a.Answer = v
		count(v, a)
	case ctx.Err() != nil:
		a.Err = context.Cause(ctx)
	}
	return v
}

func count(v model.Value, a *rule.Asked) {
	add := func(f model.SampleValue) {
		a.Samples++
		if x := float64(f); !math.IsNaN(x) && !math.IsInf(x, 0) {
			a.Finite++
		}
	}
	switch v := v.(type) {
	case model.Matrix:
		a.Series = len(v)
		for _, s := range v {
			for _, p := range s.Values {
				add(p.Value)
			}
			a.Samples += len(s.Histograms)
			a.Finite += len(s.Histograms)
		}
	case model.Vector:
		a.Series = len(v)
		for _, s := range v {
			if s.Histogram != nil {
				a.Samples, a.Finite = a.Samples+1, a.Finite+1
				continue
			}
			add(s.Value)
		}
	case *model.Scalar:
		a.Series = 1
		add(v.Value)
	case *model.String:
		a.Series, a.Samples, a.Finite = 1, 1, 1
	}
}

// judge gives an answered query its status.
func judge(a *rule.Asked, in *rule.Live) {
	switch {
	case a.Err != nil:
		a.Status = rule.StatusFailed
	case a.Finite > 0:
		a.Status = rule.StatusOK
	case in.Expected(a.Question, in.Instance.Now):
		a.Status = rule.StatusExpectedEmpty
	default:
		a.Status = rule.StatusFailed
	}
}
