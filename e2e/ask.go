package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
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

// ask puts every question of the chosen dashboards to a running stack.
func (r *run) ask(ctx context.Context, in *rule.Static, instance env.Instance) (*rule.Live, error) {
	src := newSources(r.stack, instance)
	defer src.close()
	live := &rule.Live{Static: in, Instance: instance, Health: map[string]error{}, Unreachable: map[string]string{}}
	if r.Env != attach.Name { // there they change nothing
		live.Unmatched = unmatched(r.Config.Targets, r.stack, instance.Targets)
	}
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
	err = r.askPanels(ctx, src, live)
	if besideErr := beside.Wait(); err == nil {
		err = besideErr
	}
	if err == nil {
		err = shortage(live)
	}
	if err != nil {
		return nil, err
	}
	live.Served = served
	live.Types = r.types(ctx, src)
	r.report.Notes = append(r.report.Notes, notes...)
	r.done("queries")
	if err := r.witness(ctx, live); err != nil {
		return nil, err
	}
	if err := r.explain(ctx, src, live); err != nil {
		return nil, err
	}
	if err := r.zeroes(ctx, src, live); err != nil {
		return nil, err
	}
	r.done("why")
	r.askRules(ctx, src, live)
	if !r.alertsKnown {
		if err := r.judgeAlerts(ctx, src, live); err != nil {
			return nil, err
		}
	}
	if len(live.Alerts) > 0 {
		r.done("alerts")
	}
	return live, nil
}

// askPanels asks the variables and then everything that is drawn.
func (r *run) askPanels(ctx context.Context, src *sources, live *rule.Live) error {
	if err := r.health(ctx, src, live); err != nil {
		return err
	}
	pending, err := r.questions(ctx, src, live)
	if err != nil {
		return err
	}
	r.done("variables")
	return r.askAll(ctx, src, pending, live)
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
		if why := unreachable(err); why != "" && live.Instance.Grafana != nil {
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

// questions fills each dashboard's variables and lists what it asks with them.
func (r *run) questions(ctx context.Context, src *sources, live *rule.Live) ([]*rule.Question, error) {
	var out []*rule.Question
	for i, b := range live.Boards {
		r.progress("filling variables", i, len(live.Boards))
		rng, err := b.Range(live.Instance.Now)
		if err != nil {
			rng = query.Range{From: live.Instance.Now.Add(-time.Hour), To: live.Instance.Now}
		}
		scope, resolved, err := query.Resolve(ctx, b.Dashboard, r.stack.Datasources,
			func(ds *stack.Datasource) promv1.API { return ours(src, ds) }, rng)
		var cycle *query.CycleError // variable/query-error says so; the rest is filled
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("fill the variables of %s: %w", b.File, ctx.Err())
		case err != nil && !errors.As(err, &cycle):
			return nil, fmt.Errorf("fill the variables of %s: %w", b.File, err)
		}
		for _, res := range resolved {
			r.sayNotRun(&res, scope)
			live.Variables = append(live.Variables, rule.Variable{Board: b, Resolution: res})
		}
		out = append(out, b.Ask(r.stack, scope, live.Instance.Now)...)
	}
	return out, nil
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

// askAll asks the questions with a bounded number under way at once, and keeps
// the answers in the questions' order.
func (r *run) askAll(ctx context.Context, src *sources, questions []*rule.Question, live *rule.Live) error {
	for _, q := range questions {
		live.Asked = append(live.Asked, r.expand(q, src, live)...)
	}
	leaveUnfed(live)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	var mu sync.Mutex
	done := 0
	for _, a := range live.Asked {
		g.Go(env.Guarded(func() error {
			if a.Status == "" {
				r.askBoth(ctx, src, a, live)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			r.progress("asking panels", done, len(live.Asked))
			return ctx.Err()
		}))
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("ask the panels: %w", err)
	}
	return nil
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

// answer puts one request to Prometheus, counts what comes back and returns it.
func answer(ctx context.Context, prom promv1.API, a *rule.Asked) model.Value {
	ctx, cancel := context.WithTimeoutCause(ctx, queryTimeout, fmt.Errorf("no answer within %s", queryTimeout))
	defer cancel()
	began := time.Now()
	a.Sent, a.Err = true, nil
	a.Series, a.Samples, a.Finite, a.Answer = 0, 0, 0, nil
	var v model.Value
	if a.Request.Instant {
		v, _, a.Err = prom.Query(ctx, a.Request.Expr, a.Request.End)
	} else {
		v, _, a.Err = prom.QueryRange(ctx, a.Request.Expr, promv1.Range{
			Start: a.Request.Start, End: a.Request.End, Step: a.Request.Step})
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
