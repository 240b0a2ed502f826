package e2e

import (
	"context"
	"fmt"
	"math"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/rule"
)

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
