package e2e

import (
	"context"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// askRules finds the rules that Prometheus fails to evaluate: by what it says of them
// and, of those that it has not come to yet, by evaluating them.
func (r *run) askRules(ctx context.Context, src *sources, live *rule.Live) {
	rules := rule.PrometheusRules(r.stack)
	if len(rules) == 0 {
		return
	}
	prom, err := src.of(nil)
	if err != nil || prom == nil {
		return // findings of its own say that there is no Prometheus
	}
	states := map[ruleName]ruleState{}
	if said, err := prom.Rules(ctx, nil); err == nil {
		for _, g := range said.Groups {
			for _, one := range g.Rules {
				name, state := stateOf(one)
				name.group = g.Name
				states[name] = state
			}
		}
	}
	for _, one := range rules {
		state := states[nameOf(one)]
		if state.health != promv1.RuleHealthGood && state.health != promv1.RuleHealthBad {
			if _, _, err := prom.Query(ctx, one.Expr.Value, live.Instance.Now); refusedByPrometheus(err) {
				state = ruleState{promv1.RuleHealthBad, err.Error()}
			}
		}
		if state.health == promv1.RuleHealthBad {
			live.RuleFailures = append(live.RuleFailures, rule.FailedRule{Rule: one, Error: state.err})
		}
	}
}

// ruleName is by what a rule of a file is found again in Prometheus.
type ruleName struct{ group, name, expr string }

// ruleState is what Prometheus says of a rule.
type ruleState struct {
	health promv1.RuleHealth
	err    string
}

func stateOf(one any) (ruleName, ruleState) {
	switch one := one.(type) {
	case promv1.RecordingRule:
		return ruleName{name: one.Name, expr: canonical(one.Query)}, ruleState{one.Health, one.LastError}
	case promv1.AlertingRule:
		return ruleName{name: one.Name, expr: canonical(one.Query)}, ruleState{one.Health, one.LastError}
	}
	return ruleName{}, ruleState{}
}

func nameOf(r *stack.Rule) ruleName {
	name := r.Record.Value
	if name == "" {
		name = r.Alert.Value
	}
	return ruleName{group: r.Group.Name.Value, name: name, expr: canonical(r.Expr.Value)}
}

// canonical is an expression as the parser writes it, which is how Prometheus shows it.
func canonical(expr string) string {
	e, err := rule.Parse(expr)
	if err != nil {
		return expr
	}
	return e.String()
}
