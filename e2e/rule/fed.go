package rule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// fedTargets are the targets whose results the visible expressions of a panel
// need, through other expressions too: Grafana asks for those even where they
// are hidden.
func fedTargets(p *dashboard.Panel) map[*dashboard.Target]bool {
	fed := map[*dashboard.Target]bool{}
	var need func(expression *dashboard.Target)
	need = func(expression *dashboard.Target) {
		for _, t := range p.Targets {
			if fed[t] || t == expression || !feeds(t.RefID.Value, expression) {
				continue
			}
			fed[t] = true
			if t.IsExpression() {
				need(t)
			}
		}
	}
	for _, t := range p.Targets {
		if t.IsExpression() && !t.Hide {
			need(t)
		}
	}
	return fed
}

// FedByUnchecked is a question of the same panel that an expression takes the result
// of, through other expressions too, and that is not asked here; nil without one.
func (in *Live) FedByUnchecked(q *Question) *Question {
	seen := map[*Question]bool{q: true}
	siblings := in.Siblings(q)
	var find func(*Question) *Question
	find = func(expression *Question) *Question {
		for _, o := range siblings {
			switch {
			case seen[o] || o.Target == nil || !feeds(o.Target.RefID.Value, expression.Target):
			case o.Expression:
				seen[o] = true
				if found := find(o); found != nil {
					return found
				}
			case o.Unchecked:
				return o
			}
		}
		return nil
	}
	return find(q)
}

var mathReference = regexp.MustCompile(`\$(?:\{([^}]+)\}|([a-zA-Z_][a-zA-Z0-9_]*))`)

// feeds says whether a server-side expression takes the result of a refId: $A or
// ${my A} in math, the bare name in what reduces, resamples or compares one
// result, a table's name in SQL, a parameter in classic conditions.
func feeds(refID string, t *dashboard.Target) bool {
	text := strings.TrimSpace(t.Expression.Value)
	for _, m := range mathReference.FindAllStringSubmatch(text, -1) {
		if refID == m[1] || refID == m[2] {
			return true
		}
	}
	if text == refID {
		return true
	}
	if t.ExpressionType == "sql" {
		named := regexp.MustCompile(`(?:^|[^\w])` + regexp.QuoteMeta(refID) + `(?:$|[^\w])`)
		return named.MatchString(text)
	}
	return slices.ContainsFunc(t.Node.Get("conditions").Items(), func(c *source.Node) bool {
		return slices.ContainsFunc(c.At("query", "params").Items(), func(n *source.Node) bool { return n.Scalar() == refID })
	})
}
