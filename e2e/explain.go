package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// explain has the reason found for every query that came back empty or with
// nothing but NaN, and for every variable without an option. Queries that are
// the same in the same window share one.
func (r *run) explain(ctx context.Context, prom promv1.API, live *rule.Live) error {
	var empty []*rule.Asked
	for _, a := range live.Asked {
		if a.Status == rule.StatusFailed && a.Sent && a.Err == nil && a.Finite == 0 {
			empty = append(empty, a)
		}
	}
	if len(empty) == 0 && !slices.ContainsFunc(live.Variables, rule.Variable.Empty) {
		return nil
	}
	known, err := exporterMetrics(live.Instance.World, live.Instance.Now)
	if err != nil {
		return err
	}
	if err := r.explainVariables(ctx, prom, live, known); err != nil {
		return err
	}
	seen := map[string]*why.Diagnosis{}
	for i, a := range empty {
		r.progress("asking why", i, len(empty))
		key := fmt.Sprint(a.Samples > 0, a.Request.Expr, a.Request.Start, a.Request.End, a.Request.Step)
		d, ok := seen[key]
		if !ok {
			if d, err = r.explainQuery(ctx, prom, live, a, known); err != nil {
				return err
			}
			seen[key] = d
		}
		a.Diagnosis = d
	}
	return nil
}

func (r *run) explainQuery(ctx context.Context, prom promv1.API, live *rule.Live, a *rule.Asked, known map[string]string) (d *why.Diagnosis, err error) {
	asker := r.asker(prom, live, a.Board, known)
	asker.Start, asker.End, asker.Step = a.Request.Start, a.Request.End, a.Request.Step
	if a.Request.Instant {
		asker.Start = a.Request.End
	}
	if a.Samples > 0 {
		d, err = asker.ExplainNaN(ctx, a.Request.Expr)
	} else {
		d, err = asker.Explain(ctx, a.Request.Expr)
	}
	if err != nil {
		return nil, fmt.Errorf("say why %q is empty: %w", a.Request.Expr, err)
	}
	return d, nil
}

// explainVariables finds out why variables have no option. One whose query does
// not parse is left to variable/query-error.
func (r *run) explainVariables(ctx context.Context, prom promv1.API, live *rule.Live, known map[string]string) error {
	for i, v := range live.Variables {
		q := query.ParseVariableQuery(v.Query)
		if !v.Empty() || q.Arg == "" || q.Kind == query.LabelNames || q.Kind == query.Metrics {
			continue
		}
		rng, err := v.Board.Range(live.Instance.Now)
		if _, parseErr := rule.Parse(q.Arg); err != nil || parseErr != nil {
			continue
		}
		asker := r.asker(prom, live, v.Board, known)
		asker.Start, asker.End, asker.Step = rng.From, rng.To, max(rng.Duration()/100, time.Second)
		if q.Kind == query.QueryResult {
			asker.Start = rng.To
		}
		diagnosis, values, err := asker.ExplainLabel(ctx, q.Arg, q.Label)
		if err != nil {
			return fmt.Errorf("say why variable %q is empty: %w", v.Variable.Name.Value, err)
		}
		live.Variables[i].Diagnosis, live.Variables[i].Removed = diagnosis, values
	}
	return nil
}

// asker knows what can be known about a dashboard's queries, but not their window.
func (r *run) asker(prom promv1.API, live *rule.Live, b *rule.Board, known map[string]string) *why.Asker {
	asker := &why.Asker{API: prom, Targets: live.Instance.Targets, ExporterOf: exporterOf(known)}
	for _, j := range r.stack.Prometheus.Jobs {
		asker.ScrapeInterval = max(asker.ScrapeInterval, j.ScrapeInterval)
	}
	for m := range known {
		asker.KnownMetrics = append(asker.KnownMetrics, m)
	}
	sort.Strings(asker.KnownMetrics)
	for _, v := range live.Variables {
		if v.Board == b && v.Empty() {
			asker.EmptyVariables = append(asker.EmptyVariables, v.Variable.Name.Value)
		}
	}
	return asker
}

// exporterOf knows a metric by name, or by belonging to the family of names
// that only one exporter uses.
func exporterOf(known map[string]string) func(string) string {
	return func(metric string) string {
		if e, ok := known[metric]; ok {
			return e
		}
		for prefix, e := range map[string]string{"nv_": "triton", "DCGM_": "dcgm", "node_": "node"} {
			if strings.HasPrefix(metric, prefix) {
				return e
			}
		}
		return ""
	}
}

// exporterMetrics maps the names that the exporters print to who prints them.
func exporterMetrics(w *fakes.World, at time.Time) (map[string]string, error) {
	out := map[string]string{}
	if w == nil {
		return out, nil
	}
	for _, name := range standard.Names() {
		exp, err := standard.ByName(name, "", w)
		if err != nil {
			return nil, fmt.Errorf("list the metrics of %s: %w", name, err)
		}
		p, err := textparse.New(exp.AppendScrape(nil, at), exp.ContentType(), labels.NewSymbolTable(),
			textparse.ParserOptions{FallbackContentType: "text/plain"})
		if err != nil {
			return nil, fmt.Errorf("list the metrics of %s: %w", name, err)
		}
		for {
			entry, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("list the metrics of %s: %w", name, err)
			}
			if entry == textparse.EntrySeries {
				var ls labels.Labels
				p.Labels(&ls)
				out[ls.Get(model.MetricNameLabel)] = name
			}
		}
	}
	return out, nil
}
