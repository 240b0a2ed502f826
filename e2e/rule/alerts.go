package rule

import (
	"fmt"
	"math"
	"strings"

	"github.com/panelgate/panelgate/e2e/alert"
	"github.com/panelgate/panelgate/stack/source"
)

// begin starts a finding about an alert: at what it evaluates.
func (a *Alert) begin() Finding {
	if a.Rule != nil {
		return onRule(a.Rule)
	}
	f := onAlert(a.Grafana, nil)
	for _, q := range a.Grafana.Data {
		if !q.IsExpression() {
			return onAlert(a.Grafana, q)
		}
	}
	return f
}

// expr is the text of what the alert evaluates, with where its parts stand.
func (a *Alert) expr() source.Text {
	if a.Rule != nil {
		return a.Rule.Expr
	}
	for _, q := range a.Grafana.Data {
		if !q.IsExpression() {
			return q.Expr
		}
	}
	return source.Text{}
}

// Fires says whether the alert fires in one of its trials.
func (a *Alert) Fires() bool {
	for _, t := range a.Trials {
		if t.Fires {
			return true
		}
	}
	return false
}

// scenarios lists what an alert was held against.
func (a *Alert) scenarios() string {
	var names []string
	for _, t := range a.Trials {
		names = append(names, t.Scenario)
	}
	return strings.Join(names, ", ")
}

// approach is one comparison of an alert over all of its trials.
type approach struct {
	alert.Approach
	scenario string // in which the value came nearest
	moved    bool   // the value is not the same in all scenarios
	met      bool
}

// approaches put the trials of each comparison together.
func (a *Alert) approaches() []approach {
	var out []approach
	for _, t := range a.Trials {
		for i, ap := range t.Approaches {
			if i == len(out) {
				out = append(out, approach{})
			}
			out[i].add(t.Scenario, ap)
		}
	}
	return out
}

// muchOf is how far a value must move between scenarios, as a share of itself, for
// them to count as having acted on it.
const muchOf = 0.25

func (a *approach) add(scenario string, next alert.Approach) {
	if a.Op == "" {
		a.Comparison = next.Comparison
	}
	if !next.Seen {
		return
	}
	a.met = a.met || next.Met()
	if !a.Seen {
		a.Approach, a.scenario = next, scenario
		return
	}
	span := max(a.High, next.High) - min(a.Low, next.Low)
	within := max(a.High-a.Low, next.High-next.Low)
	a.moved = a.moved || span-within > muchOf*max(math.Abs(a.High), math.Abs(a.Low))
	before := a.Nearest()
	a.Low, a.High = min(a.Low, next.Low), max(a.High, next.High)
	if a.Nearest() != before {
		a.scenario = scenario
	}
}

// farOf is how many times the nearest value a threshold must be for it to count as
// out of reach: a scenario is not the worst that can happen.
const farOf = 1.5

// far says whether the threshold is not only missed but of another magnitude.
func (a approach) far() bool {
	switch a.Op {
	case ">", ">=", "==":
		return a.High > 0 && a.Threshold > farOf*a.High
	case "<", "<=":
		return a.Threshold > 0 && a.Low > farOf*a.Threshold
	}
	return false
}

func (a approach) String() string {
	return fmt.Sprintf("%s: nearest to %s %s was %s, in scenario %s; all in all it is between %s and %s",
		a.Side, a.Op, number(a.Threshold), number(a.Nearest()), a.scenario, number(a.Low), number(a.High))
}

// number is a value as a person reads it.
func number(v float64) string { return fmt.Sprintf("%.6g", v) }
