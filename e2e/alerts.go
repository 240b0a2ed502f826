package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	promparser "github.com/prometheus/prometheus/promql/parser"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/alert"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// judged is an alert on its way through the scenarios.
type judged struct {
	*rule.Alert
	condition *alert.Condition
	exprs     []promparser.Expr // what it asks of Prometheus
}

// How much past an alert is held against. Long windows are cut short in a trial: what
// a scenario does, it does from its beginning.
const (
	longestReach = 15 * time.Minute
	longestHold  = 5 * time.Minute
	spareTrial   = 3 * time.Minute
	longestLook  = 6 * time.Hour // of the run's own past
	// warmUp is how long the scenario's beginning lasts, when models are still loaded.
	warmUp = 10 * time.Minute
)

// historyOfAlerts is how much past the alerts of a stack need, but for those that need
// more than is worth it; 0 without any.
func historyOfAlerts(s *stack.Stack) time.Duration {
	const worth = 2 * time.Hour
	longest := time.Duration(0)
	need := func(d time.Duration) {
		if d += warmUp + spareTrial; d <= worth {
			longest = max(longest, d)
		}
	}
	for _, r := range rule.PrometheusRules(s) {
		if r.Alert.Value != "" {
			need(rule.Reach(r.Expr.Value) + r.For.Duration)
		}
	}
	for _, r := range s.Alerts {
		for _, q := range r.Data {
			need(q.From + r.For.Duration)
		}
	}
	return longest
}

// judgeAlerts holds the alerts of the stack against the scenario of the run, and those
// that it does not make fire against others.
func (r *run) judgeAlerts(ctx context.Context, src *sources, live *rule.Live) error {
	if live.Instance.World == nil || live.Instance.PrometheusURL == "" {
		return nil // nothing is faked: what a running stack alerts about is its own business
	}
	prom, err := src.of(nil)
	if err != nil {
		return nil //nolint:nilerr // findings of its own say that there is no Prometheus
	}
	all := r.conditions(live)
	if len(all) == 0 {
		return nil
	}
	known, err := r.metrics(live.Instance)
	if err != nil {
		return err
	}
	for _, j := range all {
		live.Alerts = append(live.Alerts, j.Alert)
		j.gate(live, known)
		if err := r.inOwnScenario(ctx, prom, live, j, known); err != nil {
			return err
		}
	}
	return r.tryScenarios(ctx, live, all)
}

// conditions are the alerting rules of the stack.
func (r *run) conditions(live *rule.Live) []*judged {
	var out []*judged
	for _, pr := range rule.PrometheusRules(r.stack) {
		if pr.Alert.Value == "" {
			continue
		}
		j := &judged{Alert: &rule.Alert{Rule: pr}}
		c, err := alert.OfPrometheus(pr)
		j.take(c, err, pr.Expr.Value)
		if slices.ContainsFunc(live.RuleFailures, func(f rule.FailedRule) bool { return f.Rule == pr }) {
			j.Unchecked = "it fails to evaluate"
		}
		out = append(out, j)
	}
	for _, gr := range r.stack.Alerts {
		if !gr.Records {
			out = append(out, r.grafanaCondition(gr))
		}
	}
	return out
}

func (j *judged) take(c *alert.Condition, err error, exprs ...string) {
	if err != nil {
		j.Unchecked = err.Error()
		return
	}
	j.condition = c
	for _, text := range exprs {
		if e, err := rule.Parse(text); err == nil {
			j.exprs = append(j.exprs, e)
		}
	}
}

func (r *run) grafanaCondition(gr *stack.AlertRule) *judged {
	j := &judged{Alert: &rule.Alert{Grafana: gr}}
	if gr.Paused {
		j.Unchecked = "it is paused"
		return j
	}
	queries := map[string]alert.Query{}
	var exprs []string
	for _, q := range gr.Data {
		ds, ok := r.stack.Datasource(q.DatasourceUID.Value)
		if !ok || q.IsExpression() || !query.IsPrometheus(ds) || rule.Elsewhere(r.stack, ds) != "" {
			continue
		}
		req, err := rule.AlertRequest(ds, q, time.Now())
		if err != nil {
			continue
		}
		if _, err := rule.Parse(req.Expr); err != nil {
			j.Unchecked = "its query does not parse"
			return j
		}
		queries[q.RefID.Value] = alert.Query{Expr: req.Expr, Step: req.Step}
		exprs = append(exprs, req.Expr)
	}
	c, err := alert.OfGrafana(gr, queries)
	j.take(c, err, exprs...)
	return j
}

// gate leaves alone what the fakes cannot tell anything of: an alert on series that
// others print, and one on nothing at all, which is meant to fire always.
func (j *judged) gate(live *rule.Live, known *printed) {
	if j.Unchecked != "" {
		return
	}
	exporterOf := exporterOf(known, live.Metrics)
	faked := slices.Collect(maps.Values(known.exporters))
	some := false
	for _, vs := range j.selectors() {
		some = true
		name := vs.Name
		switch who := exporterOf(name); {
		case name == "":
			j.Unchecked = "a selector names no metric"
		case who != "" && !slices.Contains(faked, who):
			j.Unchecked = fmt.Sprintf("%s is printed by %s, which is not faked", name, who)
		case who == "" && !aboutScrapes(name) && !recorded(live.Stack, name) && name != "ALERTS":
			j.Unchecked = fmt.Sprintf("%s is printed by none of the exporters that are faked", name)
		case who != "" && known.exporters[name] == "" && catalogued(live, name):
			j.Unchecked = fmt.Sprintf("%s is not among what the faked exporter prints by default", name)
		}
	}
	if !some {
		j.Unchecked = "it looks at no series, and so fires always on purpose"
	}
	down := slices.ContainsFunc(live.Instance.Targets, func(t env.Target) bool { return !t.Up })
	j.NotScraped = down && j.aboutAbsence()
}

func catalogued(live *rule.Live, name string) bool {
	_, _, ok := live.Metrics.Series(name)
	return ok
}

// aboutScrapes says whether Prometheus itself makes a series at each scrape.
func aboutScrapes(name string) bool { return name == "up" || strings.HasPrefix(name, "scrape_") }

func recorded(s *stack.Stack, name string) bool {
	return slices.ContainsFunc(rule.PrometheusRules(s), func(r *stack.Rule) bool { return r.Record.Value == name })
}

func (j *judged) selectors() []*promparser.VectorSelector {
	var out []*promparser.VectorSelector
	for _, e := range j.exprs {
		promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
			if vs, ok := n.(*promparser.VectorSelector); ok {
				out = append(out, vs)
			}
			return nil
		})
	}
	return out
}

// aboutAbsence says whether the alert is about what is not there, or not scraped.
func (j *judged) aboutAbsence() bool {
	found := slices.ContainsFunc(j.selectors(), func(vs *promparser.VectorSelector) bool { return aboutScrapes(vs.Name) })
	for _, e := range j.exprs {
		promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
			if c, ok := n.(*promparser.Call); ok {
				found = found || strings.HasPrefix(c.Func.Name, "absent")
			}
			if b, ok := n.(*promparser.BinaryExpr); ok {
				found = found || b.Op == promparser.LUNLESS
			}
			return nil
		})
	}
	return found
}

// reaches is how far before an evaluation the alert looks.
func (j *judged) reaches() time.Duration {
	longest := time.Duration(0)
	for _, e := range j.exprs {
		longest = max(longest, rule.Reach(e.String()))
	}
	if j.Grafana != nil {
		for _, q := range j.Grafana.Data {
			longest = max(longest, q.From)
		}
	}
	return longest
}

// inOwnScenario evaluates an alert over the past of the run.
func (r *run) inOwnScenario(ctx context.Context, prom promv1.API, live *rule.Live, j *judged, known *printed) error {
	if j.Unchecked != "" {
		return nil
	}
	from := live.Instance.From.Add(max(j.reaches(), warmUp))
	if live.Instance.Now.Sub(from) <= j.condition.For+j.condition.Interval {
		from = live.Instance.From.Add(j.reaches())
	}
	from = later(from, live.Instance.Now.Add(-longestLook))
	w := alert.Window{From: from, To: live.Instance.Now}
	if w.To.Sub(w.From) <= j.condition.For {
		j.Unchecked = "it looks back further than the history that was laid down"
		return nil
	}
	out, err := j.condition.Over(ctx, prom, w)
	if ctx.Err() != nil {
		return fmt.Errorf("evaluate the alerts: %w", context.Cause(ctx))
	}
	if err != nil {
		j.refused(err)
		return nil
	}
	scenario := cmp.Or(r.Config.Scenario, fakes.DefaultScenario)
	j.Trials = append(j.Trials, rule.Trial{Scenario: scenario, Outcome: out})
	if !out.Held {
		j.Diagnosis = r.whyNever(ctx, prom, live, j, known, w)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// refused keeps the error of a query that Prometheus can never answer.
func (j *judged) refused(err error) {
	j.Unchecked = "it could not be evaluated: " + err.Error()
	if refusedByPrometheus(err) {
		var prom *promv1.Error
		errors.As(err, &prom)
		j.Refused = prom
	}
}

// refusedByPrometheus says whether Prometheus has said no, and would again.
func refusedByPrometheus(err error) bool {
	var prom *promv1.Error
	return errors.As(err, &prom) && (prom.Type == promv1.ErrBadData || prom.Type == promv1.ErrExec)
}

// whyNever says why what an alert watches is empty; nil where a part that is not
// empty would do, and where nobody knows.
func (r *run) whyNever(ctx context.Context, prom promv1.API, live *rule.Live, j *judged, known *printed, w alert.Window) *why.Diagnosis {
	if len(j.exprs) != 1 || either(j.exprs[0]) {
		return nil
	}
	text := j.exprs[0].String()
	if j.Rule != nil {
		text = j.Rule.Expr.Value // so that places in it are those of the file
	}
	asker := r.asker(prom, live, nil, text, known)
	asker.Start, asker.End, asker.Step = w.From, w.To, max(j.condition.Interval, time.Minute)
	d, err := asker.Explain(ctx, text)
	if err != nil {
		return nil
	}
	return d
}

// either says whether an expression has a value where only one of its parts has.
func either(e promparser.Expr) bool {
	found := false
	promparser.Inspect(e, func(n promparser.Node, _ []promparser.Node) error {
		if b, ok := n.(*promparser.BinaryExpr); ok {
			found = found || b.Op == promparser.LOR
		}
		return nil
	})
	return found
}

// trial is a scenario that alerts are held against.
type trial struct {
	name   string   // a built-in scenario's, unless jobs are silent: that is the default one
	silent []string // jobs that nobody answers for
	about  []string // parts of the names of the metrics that it moves by itself; none for many metrics
}

func (t trial) scenario() (*fakes.Scenario, error) {
	if len(t.silent) > 0 {
		return fakes.BuiltinScenario(fakes.DefaultScenario)
	}
	return fakes.BuiltinScenario(t.name)
}

// trials are the scenarios in which something is wrong, beside the run's own.
func (r *run) trials(waiting []*judged) []trial {
	var jobs []string
	for _, j := range r.stack.Prometheus.Jobs {
		jobs = append(jobs, j.Name.Value)
	}
	all := []trial{
		{name: "saturation"}, {name: "every target down", silent: jobs}, {name: "failing"}, {name: "idle"},
		{name: "throttling", about: []string{"CLOCK", "TEMP", "VIOLATION", "compute_infer"}}, {name: "xid", about: []string{"XID"}},
	}
	out := slices.DeleteFunc(all, func(t trial) bool {
		return t.name == r.Config.Scenario || !slices.ContainsFunc(waiting, t.concerns)
	})
	if !slices.ContainsFunc(waiting, (*judged).aboutAbsence) {
		return out
	}
	if len(jobs) == 1 || len(jobs) > mostJobs {
		return out
	}
	for _, job := range jobs {
		out = append(out, trial{name: fmt.Sprintf("job %s down", job), silent: []string{job}})
	}
	return out
}

// mostJobs is for how many jobs each is tried to be down by itself.
const mostJobs = 4

// concerns says whether an alert may come out otherwise in a trial than in the others.
func (t trial) concerns(j *judged) bool {
	if len(t.about) > 0 {
		return slices.ContainsFunc(j.selectors(), func(vs *promparser.VectorSelector) bool {
			return slices.ContainsFunc(t.about, func(part string) bool { return strings.Contains(vs.Name, part) })
		})
	}
	return len(t.silent) == 0 || j.aboutAbsence()
}

// tryScenarios holds the alerts that have not fired yet against one scenario after the
// other, two at a time.
func (r *run) tryScenarios(ctx context.Context, live *rule.Live, all []*judged) error {
	waiting := func() []*judged {
		return slices.DeleteFunc(slices.Clone(all), func(j *judged) bool { return j.Unchecked != "" || j.Fires() })
	}
	if len(waiting()) == 0 {
		return nil
	}
	around, err := r.surroundings(live.Static)
	if err != nil {
		return err
	}
	trials := r.trials(waiting())
	const atOnce = 2
	for done := 0; done < len(trials); done += atOnce {
		left := waiting()
		batch := slices.DeleteFunc(slices.Clone(trials[done:min(done+atOnce, len(trials))]), func(t trial) bool {
			return !slices.ContainsFunc(left, t.concerns)
		})
		if len(batch) == 0 {
			continue
		}
		r.progress("trying scenarios on alerts", done, len(trials))
		if err := r.tryBatch(ctx, around, batch, left); err != nil {
			return err
		}
	}
	return nil
}

// tryBatch acts out some scenarios at once.
func (r *run) tryBatch(ctx context.Context, around embedded.Options, batch []trial, left []*judged) error {
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	outcomes := make([]map[*judged]alert.Outcome, len(batch))
	for i, t := range batch {
		g.Go(env.Guarded(func() error {
			out, err := r.try(gctx, around, t, slices.DeleteFunc(slices.Clone(left), func(j *judged) bool { return !t.concerns(j) }))
			mu.Lock()
			defer mu.Unlock()
			outcomes[i] = out
			return err
		}))
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("try scenarios on the alerts: %w", err)
	}
	for i, t := range batch {
		for _, j := range left {
			if out, ok := outcomes[i][j]; ok {
				j.Trials = append(j.Trials, rule.Trial{Scenario: t.name, Outcome: out})
			}
		}
	}
	return nil
}

// try acts out one scenario and evaluates the alerts in it.
func (r *run) try(ctx context.Context, around embedded.Options, t trial, left []*judged) (_ map[*judged]alert.Outcome, err error) {
	scenario, err := t.scenario()
	if err != nil {
		return nil, fmt.Errorf("act out %s: %w", t.name, err)
	}
	opts := around
	opts.Scenario, opts.World, opts.From, opts.Progress, opts.Logger, opts.Silent = scenario, nil, time.Time{}, nil, nil, t.silent
	opts.History = trialHistory(left)
	running, err := embedded.Start(ctx, r.stack.Prometheus, opts)
	if err != nil {
		return nil, fmt.Errorf("act out %s: %w", t.name, err)
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	src := newSources(r.stack, running.Instance())
	defer src.close()
	prom, err := src.of(nil)
	if err != nil {
		return nil, fmt.Errorf("act out %s: %w", t.name, err)
	}
	instance := running.Instance()
	out := map[*judged]alert.Outcome{}
	for _, j := range left {
		hold := min(j.condition.For, longestHold)
		w := alert.Window{From: instance.Now.Add(-hold - spareTrial), To: instance.Now, HoldFor: &hold}
		w.From = later(w.From, instance.From)
		o, err := j.condition.Over(ctx, prom, w)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("act out %s: %w", t.name, context.Cause(ctx))
		}
		if err == nil { // else it was refused before
			out[j] = o
		}
	}
	return out, nil
}

// trialHistory is how much past the alerts need of a trial.
func trialHistory(left []*judged) time.Duration {
	needed := time.Duration(0)
	for _, j := range left {
		needed = max(needed, min(j.reaches(), longestReach)+min(j.condition.For, longestHold)+spareTrial)
	}
	return needed
}
