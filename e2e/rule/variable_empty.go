package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// variableEmpty proves that variables have something to offer: an empty one
// empties every panel that uses it.
func variableEmpty() Rule {
	return Rule{
		ID:       "variable/empty",
		Severity: Error,
		Summary:  "a variable's query yields no option",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, v := range distinctVariables(in) {
				name := v.Variable.Name.Value
				if v.Variable.Type.Value != "query" || v.Err != nil || v.Unchecked != "" || len(v.Options) > 0 ||
					!usesOf(v.Board.Dashboard)[name] {
					continue
				}
				f := onBoard(v.Board.Dashboard, variablePos(v.Variable))
				f.Message = fmt.Sprintf("variable %q has no option: %s finds nothing, and what uses the variable shows nothing", name, v.Query)
				f.Fix = "mend its selector: a metric or a label of it is not there"
				if re := v.Variable.Regex.Value; re != "" {
					f.Evidence = []string{fmt.Sprintf("the regex %s is applied to what is found", re)}
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// distinctVariables are the variables of each dashboard file once.
func distinctVariables(in *Live) []Variable {
	seen := map[*dashboard.Variable]bool{}
	var out []Variable
	for _, v := range in.Variables {
		if !seen[v.Variable] {
			seen[v.Variable] = true
			out = append(out, v)
		}
	}
	return out
}

// variablePos is a variable's query, or its entry where it has none.
func variablePos(v *dashboard.Variable) source.Pos {
	if !v.Query.Pos.IsZero() {
		return v.Query.Pos
	}
	return v.Pos
}
