package rule

import (
	"fmt"
	"time"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// ownRules are the stack's rules where they are to be judged.
func (in *Static) ownRules() []*expression {
	if in.aside {
		return nil
	}
	return in.ruleExpressions()
}

// ruleExpressions are what the recording and alerting rules of the stack evaluate,
// Prometheus' and Grafana's, as far as it parses: a rule file that does not is
// prometheus/config-invalid, an alert of Grafana alert/invalid.
func (in *Static) ruleExpressions() []*expression {
	var out []*expression
	for _, r := range PrometheusRules(in.Stack) {
		if root, err := Parse(r.Expr.Value); err == nil {
			out = append(out, ofRule(r, root))
		}
	}
	for _, r := range in.Stack.Alerts {
		for _, q := range r.Data {
			if e := ofAlertQuery(in.Stack, r, q); e != nil {
				out = append(out, e)
			}
		}
	}
	return out
}

// PrometheusRules are the rules of all rule files, in their order.
func PrometheusRules(s *stack.Stack) []*stack.Rule {
	if s.Prometheus == nil {
		return nil
	}
	var out []*stack.Rule
	for _, f := range s.Prometheus.RuleFiles {
		for _, g := range f.Groups {
			out = append(out, g.Rules...)
		}
	}
	return out
}

func ofRule(r *stack.Rule, root promparser.Expr) *expression {
	return &expression{root: root, text: r.Expr.Value, posAt: r.Expr.PosAt, begin: func() Finding { return onRule(r) }}
}

// onRule starts a finding about a rule of Prometheus, at its expression.
func onRule(r *stack.Rule) Finding {
	f := Finding{Pos: r.Expr.PosAt(0), Expr: r.Expr.Value, Subject: subjectOf(r)}
	if r.Expr.Pos.IsZero() {
		f.Pos = r.Pos
	}
	return f
}

func subjectOf(r *stack.Rule) string {
	if r.Alert.Value != "" {
		return fmt.Sprintf("alert %q of group %q", r.Alert.Value, r.Group.Name.Value)
	}
	return fmt.Sprintf("recording rule %q of group %q", r.Record.Value, r.Group.Name.Value)
}

// onAlert starts a finding about an alert rule of Grafana; q may be nil.
func onAlert(r *stack.AlertRule, q *stack.AlertQuery) Finding {
	f := Finding{Pos: r.Pos, Subject: fmt.Sprintf("Grafana alert %q of group %q", r.Title.Value, r.Group.Name.Value)}
	if q == nil {
		return f
	}
	f.Pos, f.RefID = q.Pos, q.RefID.Value
	if e := q.Expr; !e.IsZero() {
		f.Pos, f.Expr = e.PosAt(0), e.Value
	}
	return f
}

// ofAlertQuery is nil for an expression, a query that does not ask Prometheus and
// one that does not parse.
func ofAlertQuery(s *stack.Stack, r *stack.AlertRule, q *stack.AlertQuery) *expression {
	ds := alertDatasource(s, q)
	if ds == nil {
		return nil
	}
	request, err := AlertRequest(ds, q, time.Unix(0, 0))
	if err != nil {
		return nil
	}
	root, err := Parse(request.Expr)
	if err != nil {
		return nil
	}
	return &expression{
		root: root, text: request.Expr, written: q.Expr.Value, sourceAt: request.Mapping.Source,
		posAt: func(offset int) source.Pos { return q.Expr.PosAt(request.Mapping.Source(offset)) },
		begin: func() Finding {
			f := onAlert(r, q)
			f.ExprRun = request.Expr
			return f
		},
	}
}

// alertDatasource is the Prometheus that a step of an alert rule asks, nil for an
// expression and for other datasources.
func alertDatasource(s *stack.Stack, q *stack.AlertQuery) *stack.Datasource {
	if q.IsExpression() {
		return nil
	}
	for _, ds := range s.Datasources {
		if ds.EffectiveUID == q.DatasourceUID.Value && query.IsPrometheus(ds) {
			return ds
		}
	}
	return nil
}

// alertPoints is how many points Grafana asks for in an alert rule, unless told.
const alertPoints = 43200

// AlertRequest is the query of an alert rule as Grafana sends it when it evaluates
// the rule: with its macros filled in, and nothing else.
func AlertRequest(ds *stack.Datasource, q *stack.AlertQuery, now time.Time) (query.Request, error) {
	p := &dashboard.Panel{MaxDataPoints: alertPoints}
	t := &dashboard.Target{Expr: q.Expr, Instant: q.Instant, Range: !q.Instant}
	span := query.Range{From: now.Add(-q.From), To: now.Add(-q.To)}
	requests, err := query.Requests(p, t, query.NewScope(), query.Timing{Range: span, TimeInterval: ds.TimeInterval.Value, Now: now})
	if err != nil {
		return query.Request{}, fmt.Errorf("work out the query %s: %w", q.RefID.Value, err)
	}
	return requests[0], nil
}
