// Package alert evaluates the conditions of alerting rules over a past: those of
// Prometheus rule files, and those of Grafana's alert rules in their common shapes.
// It asks Prometheus through its HTTP API only.
package alert

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Condition is what an alerting rule waits for.
type Condition struct {
	For      time.Duration
	Interval time.Duration // between two evaluations
	step     step
	// compared are the comparisons that decide, all of which must hold; nil where the
	// condition is none of these.
	compared []Comparison
}

// Comparison is a comparison of a value with a threshold.
type Comparison struct {
	Side      string // PromQL of the value
	Op        string // ">", "<=" …
	Threshold float64
}

// Window is the past that a condition is evaluated over.
type Window struct {
	From, To time.Time
	// HoldFor is how long the condition must hold, Condition.For where nil.
	HoldFor *time.Duration
}

// Outcome is what came of evaluating a condition.
type Outcome struct {
	Fires  bool
	Since  time.Time // when it has held for long enough for the first time
	Labels model.Metric
	Value  float64
	// Instances is how many label sets fire.
	Instances int
	// Held is whether the condition held at all, be it for a moment.
	Held bool
	// Approaches say how near each comparison came.
	Approaches []Approach
}

// Approach is how near a value came to its threshold.
type Approach struct {
	Comparison
	Seen      bool // there was a value at all
	Low, High float64
}

// Met says whether the threshold was crossed at some time.
func (a Approach) Met() bool {
	return a.Seen && (holds(a.Op, a.Low, a.Threshold) || holds(a.Op, a.High, a.Threshold))
}

// Nearest is the value that came nearest to the threshold.
func (a Approach) Nearest() float64 {
	switch a.Op {
	case "<", "<=":
		return a.Low
	case ">", ">=":
		return a.High
	}
	if math.Abs(a.Low-a.Threshold) < math.Abs(a.High-a.Threshold) {
		return a.Low
	}
	return a.High
}

func holds(op string, v, threshold float64) bool {
	switch op {
	case ">":
		return v > threshold
	case ">=":
		return v >= threshold
	case "<":
		return v < threshold
	case "<=":
		return v <= threshold
	case "==":
		return v == threshold
	case "!=":
		return v != threshold
	}
	return false
}

// mostPoints bounds the evaluations of one condition.
const mostPoints = 5000

// Compared are the comparisons that decide, nil where the condition is of another
// shape.
func (c *Condition) Compared() []Comparison { return c.compared }

// Over evaluates the condition over a window. The error is Prometheus' own where it
// refuses a query.
func (c *Condition) Over(ctx context.Context, api promv1.API, w Window) (Outcome, error) {
	e := &evaluation{ctx: ctx, api: api, Window: w, every: max(c.Interval, w.To.Sub(w.From)/mostPoints, time.Second)}
	result, err := c.step.evaluate(e)
	if err != nil {
		return Outcome{}, err
	}
	hold := c.For
	if w.HoldFor != nil {
		hold = *w.HoldFor
	}
	out := result.outcome(e.every, hold)
	for _, cmp := range c.compared {
		a, err := e.approach(cmp)
		if err != nil {
			return out, err
		}
		out.Approaches = append(out.Approaches, a)
	}
	return out, nil
}

// evaluation is one Over.
type evaluation struct {
	ctx context.Context
	api promv1.API
	Window
	every time.Duration
}

// ask evaluates an expression at each evaluation of the rule.
func (e *evaluation) ask(expr string, from time.Time, every time.Duration) (model.Matrix, error) {
	v, _, err := e.api.QueryRange(e.ctx, expr, promv1.Range{Start: from, End: e.To, Step: every})
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", expr, err)
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("evaluate %s: the answer is %T", expr, v)
	}
	return m, nil
}

func (e *evaluation) approach(c Comparison) (Approach, error) {
	a := Approach{Comparison: c}
	for _, f := range []string{"min", "max"} {
		m, err := e.ask(f+"("+c.Side+")", e.From, e.every)
		if err != nil {
			return a, err
		}
		for _, s := range m {
			for _, p := range s.Values {
				a.see(float64(p.Value))
			}
		}
	}
	return a, nil
}

func (a *Approach) see(v float64) {
	if math.IsNaN(v) {
		return
	}
	if !a.Seen {
		a.Seen, a.Low, a.High = true, v, v
	}
	a.Low, a.High = min(a.Low, v), max(a.High, v)
}

// values are a number by label set and moment: what a step of a condition yields.
type values []series

type series struct {
	labels model.Metric
	points []model.SamplePair // one an evaluation, in the order of time
}

func fromMatrix(m model.Matrix) values {
	var out values
	for _, s := range m {
		out = append(out, series{labels: s.Metric, points: s.Values})
	}
	return out
}

// outcome finds the label sets that are there for long enough without a gap.
func (v values) outcome(every, hold time.Duration) Outcome {
	var out Outcome
	for _, s := range v {
		out.Held = out.Held || len(s.points) > 0
		at, value, ok := s.firesAt(every, hold)
		if !ok {
			continue
		}
		out.Instances++
		if !out.Fires || at.Before(out.Since) {
			out.Fires, out.Since, out.Labels, out.Value = true, at, s.labels, value
		}
	}
	return out
}

// firesAt is when the label set has been there for as long as hold.
func (s series) firesAt(every, hold time.Duration) (time.Time, float64, bool) {
	var since, before time.Time
	for _, p := range s.points {
		at := p.Timestamp.Time()
		if since.IsZero() || at.Sub(before) > every+every/2 {
			since = at
		}
		before = at
		if at.Sub(since) >= hold {
			return at, float64(p.Value), true
		}
	}
	return time.Time{}, 0, false
}

// sorted is a copy with the points of each series in the order of time.
func (v values) sorted() values {
	for _, s := range v {
		slices.SortFunc(s.points, func(a, b model.SamplePair) int { return int(a.Timestamp - b.Timestamp) })
	}
	return v
}
