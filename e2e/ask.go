package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/rule"
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
	r.announce(live.Asked)
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
	r.settle(c.Asked...)
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
		if ctx.Err() == nil && settled(a, c.Live) { // else it was not asked to the end
			r.settle(a)
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
