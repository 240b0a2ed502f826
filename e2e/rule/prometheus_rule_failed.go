package rule

import (
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
)

// prometheusRuleFailed proves that Prometheus evaluates each rule of its files. What
// parses may still fail on the series that there are.
func prometheusRuleFailed() Rule {
	return Rule{
		ID:       "prometheus/rule-failed",
		Severity: Error,
		Summary:  "a recording or alerting rule fails to evaluate",
		Live: func(in *Live) []Finding {
			if in.down(env.RolePrometheus) {
				return nil
			}
			var out []Finding
			for _, failure := range in.RuleFailures {
				f := onRule(failure.Rule)
				f.Message = "the rule fails to evaluate, so that it records nothing: " + oneLine(failure.Error)
				if failure.Rule.Alert.Value != "" {
					f.Message = "the rule fails to evaluate, so that the alert never fires: " + oneLine(failure.Error)
				}
				f.Fix = "ask Prometheus for the expression by hand, and mend what it complains of"
				switch {
				case strings.Contains(failure.Error, "many-to-many"), strings.Contains(failure.Error, "duplicate series"),
					strings.Contains(failure.Error, "multiple matches"):
					f.Fix = "aggregate the side that has several series for one label set, or say group_left or group_right with the labels to match on()"
				case strings.Contains(failure.Error, "same labelset"):
					f.Fix = "keep in the result the labels that tell the series apart, or do not set them to one value under labels"
				}
				out = append(out, f)
			}
			return out
		},
	}
}
