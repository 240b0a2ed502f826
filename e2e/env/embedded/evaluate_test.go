package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
)

// The short way must be answered as the long one, in values, in labels and in the
// words of errors: what panels are said to show rests on it.
func TestEvaluateAnswersAsTheAPI(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Hour})
	for name, q := range map[string]env.Evaluation{
		"lines":                {Expr: `sum by (model) (rate(nv_inference_request_success[1m]))`, Step: 15 * time.Second},
		"all labels":           {Expr: `{job=~".+"}`, Step: 5 * time.Minute},
		"NaN and Inf":          {Expr: `vector(0) / 0 or label_replace(vector(1) / 0, "a", "b", "", "")`, Step: time.Minute},
		"nothing":              {Expr: `no_such_metric`, Step: time.Minute},
		"a scalar over time":   {Expr: `time()`, Step: time.Minute},
		"a vector":             {Expr: `sort(DCGM_FI_DEV_GPU_UTIL)`},
		"a scalar":             {Expr: `1 + 1`},
		"no PromQL":            {Expr: `sum(`, Step: time.Minute},
		"no PromQL, instant":   {Expr: `sum(`},
		"no such function":     {Expr: `no_such_function(up)`},
		"a matrix over time":   {Expr: `up[5m]`, Step: time.Minute},
		"many to many":         {Expr: `up * on () up`, Step: time.Minute},
		"too many points":      {Expr: `up`, Step: time.Millisecond},
		"no step forward":      {Expr: `up`, Step: -time.Second},
		"subquery":             {Expr: `max_over_time(rate(nv_inference_request_success[1m])[10m:])`, Step: time.Minute},
		"at a time and before": {Expr: `up @ end() offset 1m`, Step: time.Minute},
		"a huge subquery":      {Expr: `max_over_time(up[10y:1ms])`, Step: time.Minute},
		"one inside another":   {Expr: `max_over_time(max_over_time(up[20d:1s])[90d:1m])`},
		"a bad regex":          {Expr: `up{job=~"("}`},
	} {
		t.Run(name, func(t *testing.T) {
			q.Start, q.End = i.Now.Add(-time.Hour+time.Microsecond), i.Now.Add(400*time.Microsecond)
			var want model.Value
			var wantErr error
			if q.Step == 0 {
				want, _, wantErr = client(t, i).Query(t.Context(), q.Expr, q.End)
			} else {
				want, _, wantErr = client(t, i).QueryRange(t.Context(), q.Expr, v1.Range{Start: q.Start, End: q.End, Step: q.Step})
			}
			got, err := i.Evaluate(t.Context(), q)
			assert.Equal(t, wantErr, err)
			if wantErr == nil {
				assert.Equal(t, want.String(), got.String()) // NaN is not equal to itself
				assert.Equal(t, want.Type(), got.Type())
			}
		})
	}
}

// The engine would make room for every step at once, and end the process without it.
func TestHugeSubqueriesAreRefused(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Minute})
	for expr, want := range map[string]string{
		`max_over_time(up[10y:1ms])`:                                              "is evaluated at 315360000000 steps, the limit is 5000000",
		`max_over_time(up[60d:1s] offset 1h)`:                                     "is evaluated at 5184000 steps",
		`max_over_time(max_over_time(up[20d:1s])[90d:1m])`:                        "is evaluated at 9504000 steps",
		`max_over_time(max_over_time(up[290y:1m])[290y:1h])`:                      "is evaluated at ",
		`max_over_time(max_over_time(max_over_time(up[1d:1s])[1d:1s])[1d:1s])`:    "the subquery [24h0m0s:1s] has 86401 steps, which are read at each of the 86401 steps around it",
		"max_over_time(max_over_time(up[1d # ]\n:1s])[1d:1s])":                    "which are read at each of the 86401 steps",
		`max_over_time(max_over_time(up[1h:1m])[1d:1m])`:                          "",
		`max_over_time(up[1y:1m])`:                                                "",
		`sum(count_over_time({job=~"[a:b]"}[5m]) + (max_over_time(up[10y:1ms])))`: "is evaluated at",
	} {
		_, err := i.Evaluate(t.Context(), env.Evaluation{Expr: expr, Start: i.Now, End: i.Now})
		if want == "" {
			assert.NoError(t, err, expr)
		} else {
			assert.ErrorContains(t, err, want, expr)
		}
	}
}

// What has more to it than numbers is left to the API.
func TestEvaluateLeavesTheRestToTheAPI(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Hour})
	_, err := i.Evaluate(t.Context(), env.Evaluation{Expr: `"text"`, End: i.Now})
	assert.ErrorIs(t, err, env.ErrNotPlain)
}

// A query must neither outlive who asks nor the database.
func TestEvaluateEnds(t *testing.T) {
	e, err := embedded.Start(t.Context(), load(t, map[string]string{"prometheus.yml": threeJobs}), embedded.Options{Scenario: steady(t), History: time.Hour})
	require.NoError(t, err)
	i := e.Instance()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = i.Evaluate(ctx, env.Evaluation{Expr: "up", End: i.Now})
	var refused *v1.Error
	require.True(t, errors.As(err, &refused), err)
	assert.Equal(t, v1.ErrCanceled, refused.Type)

	require.NoError(t, e.Close())
	_, err = i.Evaluate(t.Context(), env.Evaluation{Expr: "up", End: i.Now})
	assert.ErrorAs(t, err, &refused, "nothing is read from a database that is closed")
}

// A range query reads a subquery's window at each of its steps.
func TestSubqueriesOfARangeAreCounted(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Minute})
	q := env.Evaluation{Expr: `max_over_time(up[10d:1s])`, Start: i.Now.Add(-6 * time.Hour), End: i.Now, Step: 15 * time.Second}
	_, err := i.Evaluate(t.Context(), q)
	assert.ErrorContains(t, err, "has 864001 steps, which are read at each of the 1441 steps around it")
	q.Expr = `max_over_time(up[10d:1m])`
	_, err = i.Evaluate(t.Context(), q)
	assert.NoError(t, err)
}
