package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// variableUnused finds controls that change nothing.
func variableUnused() Rule {
	return Rule{
		ID:       "variable/unused",
		Severity: Info,
		Summary:  "nothing uses a variable",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				if usesUnknown(in, b.Dashboard) {
					continue
				}
				used := in.uses(b.Dashboard)
				for _, v := range b.Variables {
					if used[v.Name.Value] || actsByItself(v) {
						continue
					}
					f := onBoard(b.Dashboard, v.Pos)
					if !v.Name.Pos.IsZero() {
						f.Pos = v.Name.Pos
					}
					f.Message = fmt.Sprintf("variable %q is used by nothing: choosing a value changes no panel", v.Name.Value)
					f.Fix = fmt.Sprintf("remove it, or use $%s in a query", v.Name.Value)
					out = append(out, f)
				}
			}
			return out
		},
	}
}

// usesIn are the names that texts of a dashboard refer to. What a variable says of
// itself is no use of it.
func usesIn(texts []dashboard.Place) map[string]bool {
	used := map[string]bool{}
	for _, place := range texts {
		own := ""
		if place.Variable != nil {
			own = place.Variable.Name.Value
		}
		if place.Bare {
			used[place.Text.Value] = true
			continue
		}
		for _, ref := range query.References(place.Text.Value) {
			if ref.Name != own {
				used[ref.Name] = true
			}
		}
	}
	return used
}

// actsByItself says whether a variable has an effect without being named.
func actsByItself(v *dashboard.Variable) bool {
	return v.Type.Value == "adhoc" || v.Type.Value == "groupby"
}

// usesUnknown says whether something may use variables that the file does not
// show: a panel of Grafana's library, or a link that hands all of them on.
func usesUnknown(in *Static, d *dashboard.Dashboard) bool {
	if in.uses(d)["__all_variables"] {
		return true
	}
	handsOn := func(links *source.Node) bool {
		return slices.ContainsFunc(links.Items(), func(n *source.Node) bool { return n.Get("includeVars").Bool() })
	}
	if handsOn(d.Root.Get("links")) {
		return true
	}
	return slices.ContainsFunc(d.Panels, func(p *dashboard.Panel) bool {
		return p.Library != nil && !p.Library.Resolved || handsOn(p.Node.Get("links"))
	})
}
