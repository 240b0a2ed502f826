package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
)

// askBoth puts a request to Prometheus and, where the environment has a real
// Grafana, through that as well, by the uid that the panel names. What Grafana
// answers is what people see, so it decides.
func (r *run) askBoth(ctx context.Context, src *sources, a *rule.Asked, live *rule.Live) {
	g := live.Instance.Grafana
	if a.Expression && g != nil {
		r.askExpression(ctx, g, a, live)
		return
	}
	if !a.Asks() {
		return
	}
	prom, err := src.of(a.Datasource)
	if err != nil || prom == nil {
		a.Status, a.Err = rule.StatusFailed, err
		return
	}
	value := answer(ctx, prom, a, 1)
	if g != nil {
		a.Grafana = through(ctx, g, a, value)
		// What has been scraped between the two questions is no difference between
		// the two servers: those that differ are asked again.
		for range retries {
			if len(a.Grafana.Differs) == 0 || ctx.Err() != nil {
				break
			}
			value = answer(ctx, prom, a, 1)
			a.Grafana = through(ctx, g, a, value)
		}
		if a.Err == nil {
			a.Err = a.Grafana.Err
		}
	}
	judge(a, live)
}

// retries is how often a query is asked again on which the two servers differ.
const retries = 2

// through asks Grafana what Prometheus has answered with value.
func through(ctx context.Context, g *grafana.Client, a *rule.Asked, value model.Value) *rule.ThroughGrafana {
	out := &rule.ThroughGrafana{}
	answers, err := g.Query(ctx, grafana.Request{From: a.Request.Browser.From, To: a.Request.Browser.To,
		Queries: []grafana.Query{asBrowser(a.Question, a.Request)}})
	if err != nil {
		out.Err = err
		return out
	}
	got := take(answers, a.Target.RefID.Value, out)
	if out.Err == nil && a.Err == nil {
		out.Differs = differences(value, got, a.Request)
	}
	if out.Err != nil && a.Err == nil {
		out.Differs = []string{"Prometheus answers, Grafana says: " + out.Err.Error()}
	}
	return out
}

// take counts what Grafana answers under a refId and returns it.
func take(answers map[string]grafana.Answer, refID string, out *rule.ThroughGrafana) []grafana.Series {
	answer, ok := answers[refID]
	if !ok {
		out.Err = fmt.Errorf("the answer of Grafana has nothing for query %s", refID)
		return nil
	}
	for _, f := range answer.Frames {
		if f.ExecutedQuery != "" {
			out.Executed = f.ExecutedQuery
		}
	}
	if out.Err = answer.Err; out.Err != nil {
		return nil
	}
	series, err := answer.Series()
	if err != nil {
		out.Err = fmt.Errorf("read Grafana's answer: %w", err)
		return nil
	}
	out.Series = len(series)
	for _, s := range series {
		out.Samples += len(s.Points)
		for _, p := range s.Points {
			if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				out.Finite++
			}
		}
	}
	return series
}

// asBrowser is a request as a browser sends it.
func asBrowser(q *rule.Question, req query.Request) grafana.Query {
	b := req.Browser
	return grafana.Query{
		RefID: q.Target.RefID.Value, DatasourceUID: q.Datasource.EffectiveUID, DatasourceType: q.Datasource.Type.Value,
		Expr: b.Expr, Instant: req.Instant, Range: !req.Instant, Interval: b.Interval, IntervalFactor: b.IntervalFactor,
		IntervalMS: b.IntervalMS, MaxDataPoints: b.MaxDataPoints, Format: q.Target.Format, LegendFormat: q.Target.LegendFormat.Value,
	}
}

// askExpression asks for the result of a server-side expression: it is sent with
// all queries of its panel, as it may be fed with any.
func (r *run) askExpression(ctx context.Context, g *grafana.Client, a *rule.Asked, live *rule.Live) {
	req, err := expressionRequest(a.Question, live)
	if err != nil {
		a.Status, a.Err = rule.StatusFailed, err
		return
	}
	began := time.Now()
	a.Sent, a.Grafana = true, &rule.ThroughGrafana{}
	answers, err := g.Query(ctx, req)
	if err != nil {
		a.Grafana.Err = err
	} else {
		take(answers, a.Target.RefID.Value, a.Grafana)
	}
	a.Duration = time.Since(began)
	a.Err, a.Series, a.Samples, a.Finite = a.Grafana.Err, a.Grafana.Series, a.Grafana.Samples, a.Grafana.Finite
	judge(a, live)
}

// leaveUnfed marks the expressions that are computed from what is not asked here:
// Grafana could only fail over them.
func leaveUnfed(live *rule.Live) {
	for _, a := range live.Asked {
		if !a.Expression || a.Status != "" {
			continue
		}
		if from := live.FedByUnchecked(a.Question); from != nil {
			q := *a.Question
			q.Skip = fmt.Sprintf("it is computed from %s, which is not asked: %s", from.Target.RefID.Value, from.Skip)
			a.Question, a.Status = &q, rule.StatusUnchecked
		}
	}
}

// expressionRequest holds the panel's queries, the expression's own among them.
func expressionRequest(q *rule.Question, live *rule.Live) (grafana.Request, error) {
	var out grafana.Request
	for _, o := range live.Siblings(q) {
		switch {
		case o.Expression:
			m, err := o.Target.Model(func(text string) (string, error) { return o.Scope.Interpolate(text, query.Plain) })
			if err != nil {
				return out, fmt.Errorf("fill the variables of expression %s: %w", o.Target.RefID.Value, err)
			}
			out.Queries = append(out.Queries, grafana.Query{RefID: o.Target.RefID.Value, DatasourceUID: "__expr__", DatasourceType: "__expr__", Model: m})
		case len(o.Requests) > 0:
			out.Queries = append(out.Queries, asBrowser(o, o.Requests[0]))
			out.From, out.To = o.Requests[0].Browser.From, o.Requests[0].Browser.To
		}
	}
	if out.To.IsZero() {
		rng, err := q.Board.Range(live.Instance.Now)
		if err != nil {
			return out, err
		}
		out.From, out.To = rng.From, rng.To
	}
	return out, nil
}

// differences says where Grafana's answer is not that of Prometheus: in its
// series, its times or its values. At most three are named.
func differences(value model.Value, got []grafana.Series, req query.Request) []string {
	want := pointsOf(value, req)
	have := map[string]map[int64]float64{}
	for _, s := range got {
		have[labelsOf(s.Labels)] = timed(s, req)
	}
	if !shareNames(want, have) { // some versions leave the metric's name to the frame
		want, have = nameless(want), nameless(have)
	}
	var out []string
	for _, name := range sorted(want) {
		points, ok := have[name]
		if !ok {
			out = append(out, "only Prometheus has "+name)
			continue
		}
		out = append(out, pointDifferences(name, want[name], points)...)
	}
	for _, name := range sorted(have) {
		if _, ok := want[name]; !ok {
			out = append(out, "only Grafana has "+name)
		}
	}
	return out[:min(len(out), 3)]
}

// series is points by series, each by its time in milliseconds.
type series = map[string]map[int64]float64

func pointDifferences(name string, want, have map[int64]float64) []string {
	var out []string
	for _, at := range sorted(want) {
		v, ok := have[at]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("%s at %s: Prometheus has %g, Grafana nothing", name, clock(at), want[at]))
		case !same(v, want[at]):
			out = append(out, fmt.Sprintf("%s at %s: Prometheus has %g, Grafana %g", name, clock(at), want[at], v))
		}
	}
	for _, at := range sorted(have) {
		if _, ok := want[at]; !ok {
			out = append(out, fmt.Sprintf("%s at %s: Grafana has %g, Prometheus nothing", name, clock(at), have[at]))
		}
	}
	return out
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05") }

// same says whether two values are equal but for what writing and reading them as
// text may cost.
func same(a, b float64) bool {
	const tolerance = 1e-12
	switch {
	case a == b, math.IsNaN(a) && math.IsNaN(b):
		return true
	default:
		return math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
	}
}

// pointsOf is Prometheus' answer. The moment of an instant query is its own.
func pointsOf(value model.Value, req query.Request) series {
	out := series{}
	switch v := value.(type) {
	case model.Matrix:
		for _, s := range v {
			points := map[int64]float64{}
			for _, p := range s.Values {
				points[int64(p.Timestamp)] = float64(p.Value)
			}
			out[metricOf(s.Metric)] = points
		}
	case model.Vector:
		for _, s := range v {
			if s.Histogram == nil {
				out[metricOf(s.Metric)] = map[int64]float64{0: float64(s.Value)}
			}
		}
	case *model.Scalar:
		out["{}"] = map[int64]float64{0: float64(v.Value)}
	}
	return out
}

// timed is a series of Grafana's by time. An instant query has one moment, whatever
// a version of Grafana calls it.
func timed(s grafana.Series, req query.Request) map[int64]float64 {
	out := map[int64]float64{}
	for _, p := range s.Points {
		at := p.Time.UnixMilli()
		if req.Instant {
			at = 0
		}
		out[at] = p.Value
	}
	return out
}

func metricOf(m model.Metric) string {
	labels := make(map[string]string, len(m))
	for k, v := range m {
		labels[string(k)] = string(v)
	}
	return labelsOf(labels)
}

// labelsOf writes labels in one order.
func labelsOf(labels map[string]string) string {
	var b strings.Builder
	b.WriteString(labels[model.MetricNameLabel] + "{")
	sep := ""
	for _, k := range sorted(labels) {
		if k != model.MetricNameLabel {
			fmt.Fprintf(&b, "%s%s=%q", sep, k, labels[k])
			sep = ", "
		}
	}
	return b.String() + "}"
}

// shareNames says whether the two have a series in common, or both have none.
func shareNames(a, b series) bool {
	for name := range a {
		if _, ok := b[name]; ok {
			return true
		}
	}
	return len(a) == 0 || len(b) == 0
}

// nameless leaves out the metric's name.
func nameless(in series) series {
	out := series{}
	for name, points := range in {
		_, labels, _ := strings.Cut(name, "{")
		out["{"+labels] = points
	}
	return out
}

func sorted[K interface{ ~string | ~int64 }, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkHealth has Grafana make its health check of a datasource.
func checkHealth(ctx context.Context, g *grafana.Client, uid string) error {
	h, err := g.DatasourceHealth(ctx, uid)
	switch {
	case errors.Is(err, grafana.ErrNoHealthCheck), isMissing(err): // datasource/uid-unknown says so
		return nil
	case err != nil:
		return err
	case !h.OK():
		return errors.New(h.Message)
	}
	return nil
}

func isMissing(err error) bool {
	var status *grafana.StatusError
	return errors.As(err, &status) && status.Status == 404
}
