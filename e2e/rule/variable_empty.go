package rule

import (
	"fmt"
	"strings"

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
				none := v.Variable.Type.Value == "datasource" && v.Err == nil && len(v.Options) == 0
				if !v.Empty() && !none || !in.uses(v.Board.Dashboard)[v.Variable.Name.Value] {
					continue
				}
				if none {
					out = append(out, noDatasource(in, v))
				} else {
					out = append(out, emptyVariable(v))
				}
			}
			return out
		},
	}
}

// noDatasource tells of a variable that chooses among datasources of which there are none.
func noDatasource(in *Live, v Variable) Finding {
	f := onBoard(v.Board.Dashboard, v.Variable.Query.Pos)
	f.Message = fmt.Sprintf("variable %q has no option: the stack has no datasource of type %q", v.Variable.Name.Value, v.Variable.Query.Value)
	if re := v.Variable.Regex.Value; re != "" {
		f.Message += fmt.Sprintf(" whose name %s matches", re)
	}
	var there []string
	for _, ds := range in.Stack.Datasources {
		there = append(there, fmt.Sprintf("%s (%s)", ds.Name.Value, ds.Type.Value))
	}
	f.Evidence = []string{"datasources there are: " + strings.Join(there, ", ")}
	f.Fix = "name the type of a datasource that is provisioned, or provision one of this type"
	return f
}

func emptyVariable(v Variable) Finding {
	f := onBoard(v.Board.Dashboard, variablePos(v.Variable))
	f.Message = fmt.Sprintf("variable %q has no option: %s finds nothing, and what uses the variable shows nothing",
		v.Variable.Name.Value, v.Query)
	if v.Value.All && v.Value.AllValue != "" {
		// All stands for a text of its own, which needs no option.
		f.Message = fmt.Sprintf("variable %q has no option: %s finds nothing, and only All can be chosen", v.Variable.Name.Value, v.Query)
	}
	f.Fix = "mend its selector: a metric or a label of it is not there"
	re := v.Variable.Regex.Value
	switch {
	case v.Diagnosis != nil:
		f.Reason, f.Fix = string(v.Diagnosis.Reason), v.Diagnosis.Fix
		f.Evidence = append([]string{v.Diagnosis.Message}, v.Diagnosis.Evidence...)
	case re != "" && len(v.Removed) > 0:
		f.Message = fmt.Sprintf("variable %q has no option: its regex %s matches none of what is found", v.Variable.Name.Value, re)
		f.Evidence = []string{"found: " + strings.Join(v.Removed[:min(len(v.Removed), 8)], ", ")}
		f.Fix = "mend the regex"
	case re != "":
		f.Evidence = []string{fmt.Sprintf("the regex %s is applied to what is found", re)}
	}
	return f
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
