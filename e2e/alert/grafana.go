package alert

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/stack"
)

// Query is what a step of one of Grafana's alert rules asks of Prometheus.
type Query struct {
	Expr string // with its macros filled in
	Step time.Duration
}

// UnknownError says that a condition is of a shape that is not evaluated here.
type UnknownError struct{ What string }

// Error implements error.
func (e *UnknownError) Error() string { return e.What }

func unknown(format string, args ...any) error {
	return &UnknownError{What: fmt.Sprintf(format, args...)}
}

// OfGrafana is the condition of one of Grafana's alert rules; queries are what its
// steps ask, by refId. An *UnknownError says that it cannot be evaluated.
func OfGrafana(r *stack.AlertRule, queries map[string]Query) (*Condition, error) {
	b := &builder{rule: r, queries: queries}
	s, err := b.deciding(r.Condition.Value)
	if err != nil {
		return nil, err
	}
	return &Condition{For: r.For.Duration, Interval: r.Group.Interval.Duration, step: s, compared: b.compared}, nil
}

// builder builds the steps of a rule.
type builder struct {
	rule     *stack.AlertRule
	queries  map[string]Query
	compared []Comparison
}

// deciding is the step that decides whether the alert fires: what it yields is not 0.
func (b *builder) deciding(refID string) (step, error) {
	q := b.rule.Query(refID)
	if q == nil {
		return nil, unknown("the condition %q is no step", refID)
	}
	switch {
	case !q.IsExpression():
		// A query may decide itself: any value but 0 does.
		n, err := b.number(refID, "")
		if err != nil {
			return nil, err
		}
		return filter{n, "!=", []float64{0}}, nil
	case q.Type.Value == "threshold":
		return b.threshold(q)
	case q.Type.Value == "math":
		return b.math(q)
	case q.Type.Value == "classic_conditions":
		return b.classic(q)
	}
	return nil, unknown("it is decided by an expression of type %s", q.Type.Value)
}

func (b *builder) threshold(q *stack.AlertQuery) (step, error) {
	if len(q.Conditions) != 1 || q.Conditions[0].Recovers {
		return nil, unknown("its threshold has a condition of its own for ending")
	}
	return b.compare(q.Expression.Value, "", q.Conditions[0])
}

// operators are the comparisons that an evaluator is made of; more than one must
// all hold for within, one for outside.
func (b *builder) compare(refID, reducer string, c stack.AlertCondition) (step, error) {
	n, err := b.number(refID, reducer)
	if err != nil {
		return nil, err
	}
	count := 1
	var op string
	switch c.Type.Value {
	case "gt":
		op = ">"
	case "lt":
		op = "<"
	case "gte":
		op = ">="
	case "lte":
		op = "<="
	case "eq":
		op = "=="
	case "ne":
		op = "!="
	case "within_range", "outside_range":
		op, count = c.Type.Value, 2
	default:
		return nil, unknown("its comparison is %q", c.Type.Value)
	}
	if len(c.Params) < count {
		return nil, unknown("its comparison has no threshold")
	}
	if side, ok := b.side(refID); ok && count == 1 {
		b.compared = append(b.compared, Comparison{Side: side, Op: op, Threshold: c.Params[0]})
	}
	return filter{n, op, c.Params[:count]}, nil
}

// side is the PromQL that a comparison is about, be it reduced first.
func (b *builder) side(refID string) (string, bool) {
	for range len(b.rule.Data) {
		q := b.rule.Query(ref(refID))
		switch {
		case q == nil:
			return "", false
		case !q.IsExpression():
			expr, ok := b.queries[q.RefID.Value]
			return expr.Expr, ok
		case q.Type.Value != "reduce" || q.Reducer.Value == "count" || q.Reducer.Value == "sum":
			return "", false
		}
		refID = q.Expression.Value
	}
	return "", false
}

// ref is the refId of "A", "$A" and "${A}".
func ref(text string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(text), "$"), "{}")
}

// number is a step that yields one number a label set: a reduced query, or an
// instant one.
func (b *builder) number(refID, reducer string) (step, error) {
	q := b.rule.Query(ref(refID))
	switch {
	case q == nil:
		return nil, unknown("step %q is not there", refID)
	case q.IsExpression() && q.Type.Value == "reduce":
		if q.Mode == "replaceNN" {
			return nil, unknown("it replaces what is no number")
		}
		return b.number(q.Expression.Value, q.Reducer.Value)
	case q.IsExpression():
		return nil, unknown("it compares the result of an expression of type %s", q.Type.Value)
	}
	asked, ok := b.queries[q.RefID.Value]
	if !ok {
		return nil, unknown("step %s does not ask the Prometheus under test", q.RefID.Value)
	}
	if q.Instant {
		if q.To != 0 {
			return nil, unknown("step %s asks for a moment in the past", q.RefID.Value)
		}
		return promQL(asked.Expr), nil
	}
	if reduce := reducerOf(reducer); reduce != nil {
		return reduced{asked, q.From, q.To, reduce}, nil
	}
	return nil, unknown("step %s is reduced by %q", q.RefID.Value, reducer)
}

// reducerOf is nil for a reducer that is not known.
func reducerOf(name string) func([]float64) float64 {
	switch name {
	case "last":
		return func(v []float64) float64 { return v[len(v)-1] }
	case "min":
		return slices.Min[[]float64]
	case "max":
		return slices.Max[[]float64]
	case "sum":
		return total
	case "mean", "avg":
		return func(v []float64) float64 { return total(v) / float64(len(v)) }
	case "count":
		return func(v []float64) float64 { return float64(len(v)) }
	}
	return nil
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

// reduced is a range query of which one number is made at each evaluation.
type reduced struct {
	query    Query
	from, to time.Duration
	reduce   func([]float64) float64
}

func (r reduced) evaluate(e *evaluation) (values, error) {
	every := max(r.query.Step, time.Second, e.To.Sub(e.From.Add(-r.from))/mostPoints)
	m, err := e.ask(r.query.Expr, e.From.Add(-r.from), every)
	if err != nil {
		return nil, err
	}
	var out values
	for _, s := range m {
		one := series{labels: s.Metric}
		for at := e.From; !at.After(e.To); at = at.Add(e.every) {
			if within := between(s.Values, at.Add(-r.from), at.Add(-r.to)); len(within) > 0 {
				one.points = append(one.points, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(r.reduce(within))})
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// between are the numbers of a time; what is none is left out.
func between(points []model.SamplePair, from, to time.Time) []float64 {
	var out []float64
	for _, p := range points {
		at := p.Timestamp.Time()
		if !at.Before(from) && !at.After(to) && !math.IsNaN(float64(p.Value)) {
			out = append(out, float64(p.Value))
		}
	}
	return out
}

// filter keeps the values that a comparison holds for.
type filter struct {
	of     step
	op     string
	params []float64
}

func (f filter) evaluate(e *evaluation) (values, error) {
	in, err := f.of.evaluate(e)
	if err != nil {
		return nil, err
	}
	var out values
	for _, s := range in {
		kept := series{labels: s.labels}
		for _, p := range s.points {
			if f.holds(float64(p.Value)) {
				kept.points = append(kept.points, p)
			}
		}
		out = append(out, kept)
	}
	return out, nil
}

func (f filter) holds(v float64) bool {
	switch f.op {
	case "within_range":
		return v > min(f.params[0], f.params[1]) && v < max(f.params[0], f.params[1])
	case "outside_range":
		return v < min(f.params[0], f.params[1]) || v > max(f.params[0], f.params[1])
	}
	return holds(f.op, v, f.params[0])
}

var comparisonOfMath = regexp.MustCompile(`^\s*\$\{?(\w+)\}?\s*(>=|<=|==|!=|>|<)\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*$`)

// math is a formula that compares one step with a number.
func (b *builder) math(q *stack.AlertQuery) (step, error) {
	m := comparisonOfMath.FindStringSubmatch(q.Expression.Value)
	if m == nil {
		return nil, unknown("it is decided by the formula %s", q.Expression.Value)
	}
	threshold, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return nil, unknown("it is decided by the formula %s", q.Expression.Value)
	}
	n, err := b.number(m[1], "")
	if err != nil {
		return nil, err
	}
	if side, ok := b.side(m[1]); ok {
		b.compared = append(b.compared, Comparison{Side: side, Op: m[2], Threshold: threshold})
	}
	return filter{n, m[2], []float64{threshold}}, nil
}

// classic is the older form: comparisons of which each looks at all series
// together, joined from left to right.
func (b *builder) classic(q *stack.AlertQuery) (step, error) {
	out := classic{}
	either := false
	for i, c := range q.Conditions {
		s, err := b.compare(c.Query.Value, c.Reducer.Value, c)
		if err != nil {
			return nil, err
		}
		or := i > 0 && strings.Contains(c.Operator, "or")
		either = either || or
		out = append(out, classicCondition{s, or})
	}
	if len(out) == 0 {
		return nil, unknown("it has no condition")
	}
	if either {
		b.compared = nil // to miss one threshold is not to miss them all
	}
	return out, nil
}

type classicCondition struct {
	of step
	or bool
}

type classic []classicCondition

func (c classic) evaluate(e *evaluation) (values, error) {
	var held map[model.Time]model.SampleValue
	for i, condition := range c {
		v, err := condition.of.evaluate(e)
		if err != nil {
			return nil, err
		}
		now := map[model.Time]model.SampleValue{}
		for _, s := range v {
			for _, p := range s.points {
				now[p.Timestamp] = p.Value
			}
		}
		held = joined(held, now, i == 0 || condition.or, i == 0)
	}
	one := series{}
	for at, v := range held {
		one.points = append(one.points, model.SamplePair{Timestamp: at, Value: v})
	}
	return values{one}.sorted(), nil
}

// joined are the moments of both, or of either.
func joined(a, b map[model.Time]model.SampleValue, or, first bool) map[model.Time]model.SampleValue {
	if first {
		return b
	}
	out := map[model.Time]model.SampleValue{}
	for at, v := range b {
		if _, both := a[at]; or || both {
			out[at] = v
		}
	}
	if or {
		for at, v := range a {
			out[at] = v
		}
	}
	return out
}
