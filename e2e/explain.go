package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// explain has the reason found for every query that came back empty, or with
// nothing but NaN. Queries that are the same in the same window share one.
func (r *run) explain(ctx context.Context, prom promv1.API, live *rule.Live) error {
	var empty []*rule.Asked
	for _, a := range live.Asked {
		if a.Status == rule.StatusFailed && a.Err == nil && a.Finite == 0 {
			empty = append(empty, a)
		}
	}
	if len(empty) == 0 {
		return nil
	}
	known, err := exporterMetrics(live.Instance.World, live.Instance.Now)
	if err != nil {
		return err
	}
	seen := map[string]*why.Diagnosis{}
	for i, a := range empty {
		r.progress("asking why", i, len(empty))
		key := fmt.Sprint(a.Request.Expr, a.Request.Start, a.Request.End, a.Request.Step)
		if d, ok := seen[key]; ok {
			a.Diagnosis = d
			continue
		}
		asker := r.asker(prom, live, a, known)
		if a.Samples > 0 {
			a.Diagnosis, err = asker.ExplainNaN(ctx, a.Request.Expr)
		} else {
			a.Diagnosis, err = asker.Explain(ctx, a.Request.Expr)
		}
		if err != nil {
			return fmt.Errorf("say why %q is empty: %w", a.Request.Expr, err)
		}
		seen[key] = a.Diagnosis
	}
	return nil
}

func (r *run) asker(prom promv1.API, live *rule.Live, a *rule.Asked, known map[string]string) *why.Asker {
	asker := &why.Asker{
		API: prom, Start: a.Request.Start, End: a.Request.End, Step: a.Request.Step,
		Targets: live.Instance.Targets, ExporterOf: exporterOf(known),
	}
	if a.Request.Instant {
		asker.Start = a.Request.End
	}
	for _, j := range r.stack.Prometheus.Jobs {
		asker.ScrapeInterval = max(asker.ScrapeInterval, j.ScrapeInterval)
	}
	for m := range known {
		asker.KnownMetrics = append(asker.KnownMetrics, m)
	}
	sort.Strings(asker.KnownMetrics)
	for _, v := range live.Variables {
		if v.Board == a.Board && len(v.Options) == 0 && v.Unchecked == "" {
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
