package query

import (
	"fmt"
	"strconv"
	"time"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// Request is one query as it goes to Prometheus.
type Request struct {
	Expr    string  // PromQL, with everything replaced that Grafana replaces
	Mapping Mapping // from Expr back to the target's Expr
	Instant bool
	// Start and End bound a range query, both floored to Step. An instant query
	// is asked at End, as it stands; its Start is the range's.
	Start, End             time.Time
	Step                   time.Duration
	Interval, RateInterval time.Duration // $__interval and $__rate_interval
	Browser                Browser
}

// Browser is the same query as a browser sends it to Grafana, whose back end works
// out the rest: the macros, the step and the ends of the range.
type Browser struct {
	// Expr is PromQL in which $__interval, $__rate_interval, $__range and their kin
	// still stand, unless ad hoc filters had to be added to it.
	Expr           string
	From, To       time.Time // the panel's range
	Interval       string    // the target's min step as written, "" for none
	IntervalMS     int64     // what the panel's settings come to
	MaxDataPoints  int64
	IntervalFactor int64
}

// Timing is what the step of a query depends on besides the panel.
type Timing struct {
	Range        Range
	TimeInterval string // the datasource's jsonData.timeInterval, "" for 15s
	// MaxDataPoints is what a panel that sets none asks for, 1500 where 0.
	MaxDataPoints int64
	// Now is the moment of asking, Range.To where zero. A panel's own relative
	// time is counted from there.
	Now time.Time
	// Grafana is the version whose arithmetic holds, as "13.2.3"; "" for the newest.
	Grafana string
}

// Requests are the queries that the target sends: one, or a range and an instant
// query where it asks for both. Where it asks for neither, it is a range query.
// The ad hoc filters that the dashboard saves are added where they concern the
// target's datasource; an expression that does not parse stays without them.
// Whether the target is hidden is the caller's concern. The error says which
// setting cannot be read or which variable leads back to itself.
func Requests(p *dashboard.Panel, t *dashboard.Target, s *Scope, tm Timing) ([]Request, error) {
	r, err := panelRange(p, s, tm)
	if err != nil {
		return nil, err
	}
	s = s.withRange(r)
	step, err := targetStep(p, t, s, r, tm)
	if err != nil {
		return nil, err
	}
	expr, mapping, err := s.InterpolateMapped(t.Expr.Value, PromQL)
	if err != nil {
		return nil, fmt.Errorf("interpolate the expression: %w", err)
	}
	browser := step.browser
	browser.Expr, browser.From, browser.To = expr, r.From, r.To
	m := macros{interval: step.step, rateInterval: step.rate, span: r.Duration()}
	expr, next := m.replace(expr)
	mapping = mapping.then(next)
	if filters := s.filtersFor(p, t); len(filters) > 0 {
		if expr, next, err = s.addFilters(expr, filters); err != nil {
			return nil, err
		}
		mapping = mapping.then(next)
		browser.Expr = expr
	}
	base := Request{
		Expr: expr, Mapping: mapping, Start: r.From, End: r.To,
		Step: step.step, Interval: step.step, RateInterval: step.rate, Browser: browser,
	}
	var requests []Request
	if t.Range || !t.Instant {
		ranged := base
		ranged.Start, ranged.End = floorTo(r.From, step.step), floorTo(r.To, step.step)
		requests = append(requests, ranged)
	}
	if t.Instant {
		instant := base
		instant.Instant = true
		requests = append(requests, instant)
	}
	return requests, nil
}

// floorTo is the last multiple of step since the epoch that is not after t.
func floorTo(t time.Time, step time.Duration) time.Time {
	ns := t.UnixNano()
	rest := ns % int64(step)
	if rest < 0 {
		rest += int64(step)
	}
	return time.Unix(0, ns-rest).UTC()
}

// withRange adds the variables that tell the time range.
func (s *Scope) withRange(r Range) *Scope {
	ms := func(t time.Time) []string { return []string{strconv.FormatInt(t.UnixMilli(), 10)} }
	return s.With(Value{Name: "__from", Values: ms(r.From)}).With(Value{Name: "__to", Values: ms(r.To)})
}
