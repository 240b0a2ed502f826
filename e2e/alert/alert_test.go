package alert

import (
	"context"
	"errors"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	promparser "github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// engineAPI answers range queries with Prometheus' own engine.
type engineAPI struct {
	promv1.API
	engine  *promql.Engine
	storage storage.Queryable
}

func (e *engineAPI) QueryRange(ctx context.Context, expr string, r promv1.Range, _ ...promv1.Option) (model.Value, promv1.Warnings, error) {
	q, err := e.engine.NewRangeQuery(ctx, e.storage, nil, expr, r.Start, r.End, r.Step)
	if err != nil {
		return nil, nil, &promv1.Error{Type: promv1.ErrBadData, Msg: err.Error()}
	}
	defer q.Close()
	m, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, nil, &promv1.Error{Type: promv1.ErrExec, Msg: err.Error()}
	}
	var out model.Matrix
	for _, s := range m {
		one := &model.SampleStream{Metric: model.Metric{}}
		for name, value := range s.Metric.Map() {
			one.Metric[model.LabelName(name)] = model.LabelValue(value)
		}
		for _, p := range s.Floats {
			one.Values = append(one.Values, model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)})
		}
		out = append(out, one)
	}
	return out, nil, nil
}

// prometheus holds an hour of samples, one a minute: load climbs by 1 a minute from 0,
// wave is 10 for five minutes in every ten, and two instances are up.
func prometheus(t *testing.T) *engineAPI {
	t.Helper()
	s := promqltest.LoadedStorage(t, `
load 1m
  load{gpu="0"} 0+1x60
  load{gpu="1"} 0x60
  up{instance="a"} 1x60
  up{instance="b"} 1x60
`)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute,
		Parser: promparser.NewParser(promparser.Options{EnableExperimentalFunctions: true})})
	return &engineAPI{engine: engine, storage: s}
}

func hour() Window { return Window{From: time.Unix(0, 0), To: time.Unix(3600, 0)} }

func text(v string) source.Text { return source.Text{Value: v} }

func promRule(expr string, hold time.Duration) *stack.Rule {
	return &stack.Rule{Group: &stack.RuleGroup{Interval: time.Minute}, Alert: text("a"), Expr: text(expr), For: stack.RuleDuration{Duration: hold}}
}

func TestPrometheusRules(t *testing.T) {
	api := prometheus(t)
	for _, tc := range []struct {
		expr      string
		hold      time.Duration
		fires     bool
		since     time.Duration
		held      bool
		instances int
	}{
		{expr: `up == 0`},
		{expr: `up == 1`, fires: true, held: true, instances: 2},
		{expr: `load > 50`, fires: true, since: 51 * time.Minute, held: true, instances: 1},
		{expr: `load > 50`, hold: 5 * time.Minute, fires: true, since: 56 * time.Minute, held: true, instances: 1},
		{expr: `load > 50`, hold: 30 * time.Minute, held: true},
		{expr: `absent(nothing)`, hold: 10 * time.Minute, fires: true, since: 10 * time.Minute, held: true, instances: 1},
		{expr: `absent(up)`},
		{expr: `load > 10 and load < 20`, hold: 5 * time.Minute, fires: true, since: 16 * time.Minute, held: true, instances: 1},
	} {
		c, err := OfPrometheus(promRule(tc.expr, tc.hold))
		require.NoError(t, err)
		out, err := c.Over(t.Context(), api, hour())
		require.NoError(t, err)
		name := tc.expr + " for " + tc.hold.String()
		assert.Equal(t, tc.fires, out.Fires, name)
		assert.Equal(t, tc.held, out.Held, name)
		assert.Equal(t, tc.instances, out.Instances, name)
		if tc.fires {
			assert.Equal(t, time.Unix(0, 0).Add(tc.since).UTC(), out.Since.UTC(), name)
		}
	}
}

func TestHoldForOverridesFor(t *testing.T) {
	c, err := OfPrometheus(promRule(`load > 50`, time.Hour))
	require.NoError(t, err)
	w, hold := hour(), time.Minute
	w.HoldFor = &hold
	out, err := c.Over(t.Context(), prometheus(t), w)
	require.NoError(t, err)
	assert.True(t, out.Fires)
}

func TestApproaches(t *testing.T) {
	api := prometheus(t)
	for _, tc := range []struct {
		expr    string
		op      string
		nearest float64
		met     bool
	}{
		{`load > 90`, ">", 60, false},
		{`90 < load`, ">", 60, false},
		{`load < -1`, "<", 0, false},
		{`load >= 10 * 6`, ">=", 60, true},
		{`(sum(up)) == 3`, "==", 2, false},
	} {
		c, err := OfPrometheus(promRule(tc.expr, 0))
		require.NoError(t, err)
		out, err := c.Over(t.Context(), api, hour())
		require.NoError(t, err)
		require.Len(t, out.Approaches, 1, tc.expr)
		a := out.Approaches[0]
		assert.Equal(t, tc.op, a.Op, tc.expr)
		assert.True(t, a.Seen, tc.expr)
		assert.InDelta(t, tc.nearest, a.Nearest(), 1e-9, tc.expr)
		assert.Equal(t, tc.met, a.Met(), tc.expr)
	}
	for _, expr := range []string{`absent(up)`, `load > up`, `load > bool 3`, `load > 3 or up == 0`, `load`} {
		c, err := OfPrometheus(promRule(expr, 0))
		require.NoError(t, err)
		assert.Empty(t, c.Compared(), expr)
	}
	c, err := OfPrometheus(promRule(`load > 1 and up == 0`, 0))
	require.NoError(t, err)
	assert.Len(t, c.Compared(), 2)
}

func TestRefusedQueries(t *testing.T) {
	c, err := OfPrometheus(promRule(`load * on () up > 1`, 0))
	require.NoError(t, err)
	_, err = c.Over(t.Context(), prometheus(t), hour())
	var refused *promv1.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	assert.Equal(t, promv1.ErrExec, refused.Type)
	_, err = OfPrometheus(promRule(`load >`, 0))
	require.Error(t, err)
}

// grafanaRule is an alert rule of these steps, decided by the last.
func grafanaRule(hold time.Duration, steps ...*stack.AlertQuery) *stack.AlertRule {
	r := &stack.AlertRule{Group: &stack.AlertGroup{Interval: stack.RuleDuration{Duration: time.Minute}}, For: stack.RuleDuration{Duration: hold}, Data: steps}
	for i, q := range steps {
		q.RefID = text(string(rune('A' + i)))
		r.Condition = q.RefID
	}
	return r
}

func instant() *stack.AlertQuery { return &stack.AlertQuery{Instant: true, From: 10 * time.Minute} }

func ranged(from time.Duration) *stack.AlertQuery { return &stack.AlertQuery{From: from} }

func expression(kind, of string, edit func(*stack.AlertQuery)) *stack.AlertQuery {
	q := &stack.AlertQuery{DatasourceUID: text("__expr__"), Type: text(kind), Expression: text(of)}
	if edit != nil {
		edit(q)
	}
	return q
}

func reduce(of, reducer string) *stack.AlertQuery {
	return expression("reduce", of, func(q *stack.AlertQuery) { q.Reducer = text(reducer) })
}

func threshold(of, op string, params ...float64) *stack.AlertQuery {
	return expression("threshold", of, func(q *stack.AlertQuery) {
		q.Conditions = []stack.AlertCondition{{Type: text(op), Params: params}}
	})
}

func TestGrafanaRules(t *testing.T) {
	api := prometheus(t)
	classicOf := func(conditions ...stack.AlertCondition) *stack.AlertQuery {
		return expression("classic_conditions", "", func(q *stack.AlertQuery) { q.Conditions = conditions })
	}
	when := func(reducer, op string, param float64, operator string) stack.AlertCondition {
		return stack.AlertCondition{Query: text("A"), Reducer: text(reducer), Type: text(op), Params: []float64{param}, Operator: operator}
	}
	for _, tc := range []struct {
		name  string
		expr  string
		rule  *stack.AlertRule
		fires bool
		since time.Duration
	}{
		{"instant over threshold", `load{gpu="0"}`, grafanaRule(0, instant(), threshold("A", "gt", 50)), true, 51 * time.Minute},
		{"for", `load{gpu="0"}`, grafanaRule(5*time.Minute, instant(), threshold("A", "gt", 50)), true, 56 * time.Minute},
		{"under threshold", `load{gpu="0"}`, grafanaRule(0, instant(), threshold("A", "lt", 0)), false, 0},
		{"reduced to the last", `load{gpu="0"}`, grafanaRule(0, ranged(5*time.Minute), reduce("A", "last"), threshold("B", "gt", 50)), true, 51 * time.Minute},
		{"reduced to the mean", `load{gpu="0"}`, grafanaRule(0, ranged(10*time.Minute), reduce("A", "mean"), threshold("$B", "gt", 50)), true, 56 * time.Minute},
		{"reduced to the sum", `up{instance="a"}`, grafanaRule(0, ranged(10*time.Minute), reduce("A", "sum"), threshold("B", "gt", 10)), true, 10 * time.Minute},
		{"a mean that never is", `load{gpu="0"}`, grafanaRule(0, ranged(10*time.Minute), reduce("A", "mean"), threshold("B", "gt", 56)), false, 0},
		{"within a range", `load{gpu="0"}`, grafanaRule(0, instant(), threshold("A", "within_range", 10, 20)), true, 11 * time.Minute},
		{"outside a range", `load{gpu="0"}`, grafanaRule(0, instant(), threshold("A", "outside_range", -1, 20)), true, 21 * time.Minute},
		{"math", `load{gpu="0"}`, grafanaRule(0, instant(), expression("math", "${A} >= 50", nil)), true, 50 * time.Minute},
		{"a query that decides itself", `up == 0`, grafanaRule(0, instant()), false, 0},
		{"a query of 1", `load > bool 50`, grafanaRule(0, instant()), true, 51 * time.Minute},
		{"classic", `load{gpu="0"}`, grafanaRule(0, ranged(10*time.Minute), classicOf(when("avg", "gt", 50, "and"))), true, 56 * time.Minute},
		{"classic, both", `load{gpu="0"}`, grafanaRule(0, ranged(10*time.Minute), classicOf(when("max", "gt", 20, "and"), when("min", "lt", 5, "and"))), false, 0},
		{"classic, either", `load{gpu="0"}`, grafanaRule(0, ranged(10*time.Minute), classicOf(when("max", "gt", 20, "and"), when("min", "lt", -5, "or"))), true, 21 * time.Minute},
	} {
		c, err := OfGrafana(tc.rule, map[string]Query{"A": {Expr: tc.expr, Step: time.Minute}})
		require.NoError(t, err, tc.name)
		out, err := c.Over(t.Context(), api, hour())
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.fires, out.Fires, tc.name)
		if tc.fires && out.Fires {
			assert.Equal(t, time.Unix(0, 0).Add(tc.since).UTC(), out.Since.UTC(), tc.name)
		}
	}
}

func TestGrafanaShapesThatAreNotEvaluated(t *testing.T) {
	for name, r := range map[string]*stack.AlertRule{
		"no such condition":   {Condition: text("Z"), Group: &stack.AlertGroup{}},
		"a formula":           grafanaRule(0, instant(), expression("math", "$A > 1 && $A < 5", nil)),
		"sql":                 grafanaRule(0, instant(), expression("sql", "select 1", nil)),
		"a reducer":           grafanaRule(0, ranged(time.Minute), reduce("A", "median"), threshold("B", "gt", 1)),
		"a range, compared":   grafanaRule(0, ranged(time.Minute), threshold("A", "gt", 1)),
		"a comparison":        grafanaRule(0, instant(), threshold("A", "like", 1)),
		"no threshold":        grafanaRule(0, instant(), threshold("A", "gt")),
		"a step not there":    grafanaRule(0, instant(), threshold("Q", "gt", 1)),
		"another datasource":  grafanaRule(0, instant(), instant(), threshold("B", "gt", 1)),
		"no condition at all": grafanaRule(0, instant(), expression("classic_conditions", "", nil)),
	} {
		_, err := OfGrafana(r, map[string]Query{"A": {Expr: "up"}})
		var unknown *UnknownError
		assert.True(t, errors.As(err, &unknown), "%s: %v", name, err)
	}
}
