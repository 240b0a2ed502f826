package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// variableDefaultMissing finds saved selections that are not on offer: Grafana
// opens the dashboard with something else than its author saw.
func variableDefaultMissing() Rule {
	return Rule{
		ID:       "variable/default-missing",
		Severity: Warning,
		Summary:  "the saved value of a variable is not among its options",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, v := range distinctVariables(in) {
				if !v.CurrentMissing || v.Err != nil || len(v.Options) == 0 {
					continue
				}
				f := onBoard(v.Board.Dashboard, v.Variable.CurrentPos)
				f.Message = fmt.Sprintf("variable %q is saved with %s, which is not among its options: Grafana opens the dashboard with %s",
					v.Variable.Name.Value, quotedList(savedAndGone(v)), opened(v))
				f.Evidence = []string{"on offer: " + quotedList(optionValues(v.Options))}
				f.Fix = "save a value that is on offer, or remove \"current\" to begin with the first"
				out = append(out, f)
			}
			return out
		},
	}
}

// savedAndGone are the saved values that are not on offer.
func savedAndGone(v Variable) []string {
	offered := optionValues(v.Options)
	return slices.DeleteFunc(slices.Clone(v.Variable.CurrentValue), func(s string) bool { return slices.Contains(offered, s) })
}

func optionValues(options []dashboard.Option) []string {
	var out []string
	for _, o := range options {
		out = append(out, o.Value)
	}
	return out
}

func opened(v Variable) string {
	if v.Value.All {
		return "All"
	}
	return quotedList(v.Value.Values)
}

// quotedList names up to eight values.
func quotedList(list []string) string {
	const most = 8
	var out []string
	for i, s := range list {
		if i == most {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(list)-most)
		}
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, ", ")
}
