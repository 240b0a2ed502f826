package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// explain has the reason found for every query that came back empty or with
// nothing but NaN, and for every variable without an option. Queries that are
// the same in the same window share one.
func (r *run) explain(ctx context.Context, src *sources, live *rule.Live) error {
	var empty []*rule.Asked
	for _, a := range live.Asked {
		if a.Status == rule.StatusFailed && a.Sent && a.Err == nil && a.Finite == 0 {
			empty = append(empty, a)
		}
	}
	divided := withAlternatives(live.Asked)
	if len(empty) == 0 && len(divided) == 0 && !slices.ContainsFunc(live.Variables, rule.Variable.Empty) {
		return nil
	}
	known, err := r.metrics(live.Instance)
	if err != nil {
		return err
	}
	if err := r.explainVariables(ctx, src, live, known); err != nil {
		return err
	}
	if err := r.explainQueries(ctx, src, live, empty, known); err != nil {
		return err
	}
	return r.explainIdle(ctx, src, live, divided, known)
}

// withAlternatives are the answered queries whose set operators may pass over a part
// without data, each target's once.
func withAlternatives(asked []*rule.Asked) []*rule.Asked {
	seen := map[*dashboard.Target]bool{}
	var out []*rule.Asked
	for _, a := range asked {
		if a.Status != rule.StatusOK || a.Target == nil || seen[a.Target] || !a.Sent {
			continue
		}
		if setOperator.MatchString(a.Request.Expr) {
			seen[a.Target] = true
			out = append(out, a)
		}
	}
	return out
}

// setOperator finds what may be an operator that passes over an empty side.
var setOperator = regexp.MustCompile(`(?i)\b(or|unless)\b`)

// explainIdle asks of queries with data which of their parts have none.
func (r *run) explainIdle(ctx context.Context, src *sources, live *rule.Live, divided []*rule.Asked, known *printed) error {
	same, order := alike(src, divided)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	for _, id := range order {
		g.Go(env.Guarded(func() error {
			idle, err := r.idle(ctx, src, live, same[id][0], known)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // the panel has its data: what more could be known is not worth failing for
				r.Logger.Warn("parts of a query could not be looked into", "expr", id.expr, "error", err)
			}
			for _, a := range same[id] {
				a.Idle = idle
			}
			return nil
		}))
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("look for parts of queries without data: %w", err)
	}
	return nil
}

// idle are the parts of a query with data that have none. What has something at the end
// has something, so that hardly any query is asked for at all of its steps.
func (r *run) idle(ctx context.Context, src *sources, live *rule.Live, a *rule.Asked, known *printed) ([]*why.Diagnosis, error) {
	look := func(req query.Request) ([]*why.Diagnosis, error) {
		asker := r.asker(ours(src, a.Datasource), live, a.Board, a.Target.Expr.Value, known)
		asker.Start, asker.End, asker.Step = req.Start, req.End, req.Step
		if req.Instant {
			asker.Start = req.End
		}
		return asker.Idle(ctx, req.Expr)
	}
	atEnd := a.Request
	atEnd.Instant = true
	found, err := look(atEnd)
	if len(found) == 0 || err != nil || a.Request.Instant {
		return found, err
	}
	return look(a.Request)
}

// alike are the entries by what they ask, and what they ask in the order of the first
// that does.
func alike(src *sources, all []*rule.Asked) (same map[identity][]*rule.Asked, order []identity) {
	same = map[identity][]*rule.Asked{}
	for _, a := range all {
		id := identityOf(ours(src, a.Datasource), a.Request)
		if same[id] == nil {
			order = append(order, id)
		}
		same[id] = append(same[id], a)
	}
	return same, order
}

// explainQueries asks for each different query once, a bounded number at a time.
func (r *run) explainQueries(ctx context.Context, src *sources, live *rule.Live, empty []*rule.Asked, known *printed) error {
	same, order := alike(src, empty)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	var mu sync.Mutex
	done := 0
	for _, key := range order {
		g.Go(env.Guarded(func() error {
			first := same[key][0]
			d, beyond := r.explainBeyond(ctx, src, live, first, known)
			if d == nil && !beyond {
				d = r.explainQuery(ctx, src, live, first, known)
			}
			for _, a := range same[key] {
				if a.Diagnosis = d; beyond {
					unprovable(a)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			r.progress("asking why", done, len(order))
			return ctx.Err()
		}))
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("ask why panels are empty: %w", err)
	}
	return nil
}

func (r *run) explainQuery(ctx context.Context, src *sources, live *rule.Live, a *rule.Asked, known *printed) *why.Diagnosis {
	asker := r.asker(ours(src, a.Datasource), live, a.Board, a.Target.Expr.Value, known)
	asker.Start, asker.End, asker.Step = a.Request.Start, a.Request.End, a.Request.Step
	if a.Request.Instant {
		asker.Start = a.Request.End
	}
	explain := asker.Explain
	if a.Samples > 0 {
		explain = asker.ExplainNaN
	}
	d, err := explain(ctx, a.Request.Expr)
	if err != nil {
		return unexplained(err)
	}
	return d
}

// explainBeyond is for a query that looks back to before the history, where
// nothing could be found. If everything it reads is there as of now, the
// emptiness proves nothing: beyond is true. Else what is not there is the reason.
func (r *run) explainBeyond(ctx context.Context, src *sources, live *rule.Live, a *rule.Asked, known *printed) (d *why.Diagnosis, beyond bool) {
	if !mayProveNothing(a, live) {
		return nil, false
	}
	asker := r.asker(ours(src, a.Datasource), live, a.Board, a.Target.Expr.Value, known)
	asker.Start, asker.End = live.Instance.Now, live.Instance.Now
	for _, selector := range selectorsAsOfNow(a.Request.Expr) {
		d, err := asker.Explain(ctx, selector)
		if err != nil {
			return unexplained(err), false
		}
		if d != nil {
			d.Start, d.End = 0, 0 // where it stands in the selector says nothing of the query
			return d, false
		}
	}
	return nil, true
}

// unprovable marks a query whose empty answer says nothing about the stack.
func unprovable(a *rule.Asked) {
	q := *a.Question // its other requests may be answered
	q.Unchecked, q.Skip = true, "it looks back to before the history that was laid down: raise --history"
	a.Question, a.Status = &q, rule.StatusUnchecked
}

// unexplained stands for a reason that could not be found. The finding remains;
// only its why is missing.
func unexplained(err error) *why.Diagnosis {
	return &why.Diagnosis{
		Message: "the reason could not be found out: " + err.Error(),
		Fix:     "ask Prometheus for the parts of the query one by one",
	}
}

// explainVariables finds out why variables have no option. One whose query does
// not parse is left to variable/query-error.
func (r *run) explainVariables(ctx context.Context, src *sources, live *rule.Live, known *printed) error {
	explained := slices.Clone(live.Variables) // the others' are looked at meanwhile
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.workers())
	for i := range explained {
		if v := &explained[i]; v.Empty() {
			g.Go(env.Guarded(func() error { return r.explainVariable(ctx, src, live, v, known) }))
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	live.Variables = explained
	return nil
}

// explainVariable finds out why one has no option.
func (r *run) explainVariable(ctx context.Context, src *sources, live *rule.Live, v *rule.Variable, known *printed) error {
	q := query.ParseVariableQuery(v.Query)
	if q.Arg == "" || q.Kind == query.LabelNames || q.Kind == query.Metrics {
		return nil
	}
	rng, err := v.Board.Range(live.Instance.Now)
	if _, parseErr := rule.Parse(q.Arg); err != nil || parseErr != nil {
		return nil //nolint:nilerr // variable/query-error tells of it
	}
	asker := r.asker(ours(src, r.sourceOf(*v)), live, v.Board, v.Variable.Query.Value, known)
	asker.Start, asker.End, asker.Step = rng.From, rng.To, max(rng.Duration()/100, time.Second)
	if q.Kind == query.QueryResult {
		asker.Start = rng.To
	}
	diagnosis, values, err := asker.ExplainLabel(ctx, q.Arg, q.Label)
	if ctx.Err() != nil {
		return fmt.Errorf("ask why variable %q is empty: %w", v.Variable.Name.Value, ctx.Err())
	}
	if err != nil {
		diagnosis = unexplained(err)
	}
	v.Diagnosis, v.Removed = diagnosis, values
	return nil
}

// asker knows what can be known about a text of a dashboard, but not its window.
func (r *run) asker(prom promv1.API, live *rule.Live, b *rule.Board, text string, known *printed) *why.Asker {
	files := r.filed()
	asker := &why.Asker{API: r.lookups.listing(prom), Targets: slices.Concat(live.Instance.Targets, live.Instance.Others),
		ExporterOf: exporterOf(known, live.Metrics), Intervals: files.intervals, Recorded: files.recorded,
		Relabelled: files.relabelled, Catalogue: live.Metrics}
	if live.Instance.World == nil {
		asker.ExporterOf = seen(asker.ExporterOf, asker.Targets)
	}
	asker.KnownMetrics = known.names
	asker.Printed = func(metric string) []model.LabelSet { return known.series[metric] }
	uses := query.References(text)
	for _, v := range live.Variables {
		used := func(ref query.Reference) bool { return ref.Name == v.Variable.Name.Value }
		if v.Board == b && (v.Empty() || v.Err != nil) && slices.ContainsFunc(uses, used) {
			asker.EmptyVariables = append(asker.EmptyVariables, v.Variable.Name.Value)
		}
	}
	return asker
}

// filed is what the files of Prometheus say that reasons name.
type filed struct {
	intervals  map[string]time.Duration // between the scrapes of a job
	relabelled map[string]string        // where a job's metric_relabel_configs stand
	recorded   map[string]string        // where a rule records a series, by its name
}

// filed reads the files of Prometheus once for all questions of a run.
func (r *run) filed() *filed {
	r.filing.Do(func() {
		r.files = &filed{map[string]time.Duration{}, map[string]string{}, map[string]string{}}
		p := r.stack.Prometheus
		if p == nil { // a running stack may have its dashboards alone in files
			return
		}
		for _, j := range p.Jobs {
			r.files.intervals[j.Name.Value] = j.ScrapeInterval
			if n := j.Node.Get("metric_relabel_configs"); n.Exists() {
				r.files.relabelled[j.Name.Value] = n.Pos().String()
			}
		}
		for _, f := range p.RuleFiles {
			for _, rec := range f.Records {
				r.files.recorded[rec.Value] = rec.Pos.String()
			}
		}
	})
	return r.files
}

// printed is what the exporters print that are acted out.
type printed struct {
	names     []string                    // of the metrics, sorted
	exporters map[string]string           // by metric
	series    map[string][]model.LabelSet // by metric, before relabelling
}

// exporterOf knows a metric by name, or by belonging to the family of names
// that only one exporter uses.
func exporterOf(known *printed, names *catalogue.Catalogue) func(string) string {
	return func(metric string) string {
		if e, ok := known.exporters[metric]; ok {
			return e
		}
		return names.Exporter(metric)
	}
}

// seen knows only exporters that answer some target: in a stack that was running
// before, one may have any port, so that not to see it says nothing.
func seen(exporterOf func(string) string, targets []env.Target) func(string) string {
	return func(metric string) string {
		name := exporterOf(metric)
		if slices.ContainsFunc(targets, func(t env.Target) bool { return t.AnsweredBy == name }) {
			return name
		}
		return ""
	}
}

// metrics are what the exporters print, read once in a run.
func (r *run) metrics(instance env.Instance) (_ *printed, err error) {
	if r.printed == nil {
		r.printed, err = exporterMetrics(instance)
	}
	return r.printed, err
}

// exporterMetrics reads what the exporters print at the moment as of which panels are
// asked: those that answer a target as they are set up, and the others as they usually
// are.
func exporterMetrics(instance env.Instance) (*printed, error) {
	out := &printed{exporters: map[string]string{}, series: map[string][]model.LabelSet{}}
	if instance.World == nil {
		return out, nil
	}
	for _, a := range acting(instance.Targets) {
		exp, err := standard.ByName(a.name, "", instance.World, a.setup)
		if err != nil {
			return nil, fmt.Errorf("list the metrics of %s: %w", a.name, err)
		}
		if err := out.read(a.name, exp, instance.Now); err != nil {
			return nil, fmt.Errorf("list the metrics of %s: %w", a.name, err)
		}
	}
	out.names = slices.Sorted(maps.Keys(out.exporters))
	return out, nil
}

// actor is a kind of exporter and how it is set up.
type actor struct {
	name  string
	setup fakes.Setup
}

// acting are the different exporters that answer targets, and the usual one of each kind
// that answers none.
func acting(targets []env.Target) []actor {
	var out []actor
	for _, t := range targets {
		if t.Setup == nil {
			continue
		}
		a := actor{t.AnsweredBy, *t.Setup}
		if !slices.ContainsFunc(out, func(o actor) bool { return reflect.DeepEqual(a, o) }) {
			out = append(out, a)
		}
	}
	for _, name := range standard.Names() {
		if !slices.ContainsFunc(out, func(a actor) bool { return a.name == name }) {
			out = append(out, actor{name: name})
		}
	}
	return out
}

// read adds what an exporter prints at a moment.
func (p *printed) read(name string, exp fakes.Exporter, at time.Time) error {
	parser, err := textparse.New(exp.AppendScrape(nil, at), exp.ContentType(), labels.NewSymbolTable(),
		textparse.ParserOptions{FallbackContentType: "text/plain"})
	if err != nil {
		return err
	}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry == textparse.EntrySeries {
			var ls labels.Labels
			parser.Labels(&ls)
			p.add(name, ls)
		}
	}
}

func (p *printed) add(exporter string, ls labels.Labels) {
	metric := ls.Get(model.MetricNameLabel)
	set := model.LabelSet{}
	ls.Range(func(l labels.Label) { set[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	delete(set, model.MetricNameLabel)
	if _, known := p.exporters[metric]; !known { // what every Python process prints is not vLLM's
		p.exporters[metric] = exporter
	}
	p.series[metric] = append(p.series[metric], set)
}
