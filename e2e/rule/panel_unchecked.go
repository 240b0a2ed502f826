package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack/source"
)

// panelUnchecked lists what this gate cannot prove, so that nothing counts as
// checked that was not.
func panelUnchecked() Rule {
	return Rule{
		ID:       "panel/unchecked",
		Severity: Info,
		Summary:  "a panel or a variable asks something that is not checked, such as a datasource of another type",
		Static: func(in *Static) []Finding {
			return append(uncheckedAnnotations(in), eachTarget(in.Boards, func(q *Question) *Finding {
				if !q.Unchecked {
					return nil
				}
				f := onQuestion(q)
				f.Message = "not checked: " + q.Skip
				return &f
			})...)
		},
		Live: func(in *Live) []Finding {
			return append(uncheckedVariables(in), beforeHistory(in)...)
		},
	}
}

// uncheckedAnnotations are the queries of annotations, which mark moments in
// panels and are mostly empty when all is well: they are not asked.
func uncheckedAnnotations(in *Static) []Finding {
	var out []Finding
	for _, b := range readable(in.Boards) {
		for _, a := range b.Annotations {
			if a.BuiltIn || !a.Enable || a.Expr.Value == "" {
				continue
			}
			f := onBoard(b.Dashboard, a.Expr.Pos)
			f.Expr = a.Expr.Value
			f.Message = fmt.Sprintf("not checked: annotation %q, whose query may well find nothing", a.Name.Value)
			out = append(out, f)
		}
	}
	return out
}

// uncheckedVariables are those in use whose options nobody could be asked for:
// what is asked with them is asked with the values that the file has.
func uncheckedVariables(in *Live) []Finding {
	var out []Finding
	for _, v := range distinctVariables(in) {
		if v.Unchecked == "" || !in.uses(v.Board.Dashboard)[v.Variable.Name.Value] {
			continue
		}
		f := onBoard(v.Board.Dashboard, variablePos(v.Variable))
		f.Message = fmt.Sprintf("variable %q is not checked: %s", v.Variable.Name.Value, v.Unchecked)
		f.Evidence = []string{"panels are asked with the value that is saved in the file"}
		out = append(out, f)
	}
	return out
}

// beforeHistory are the queries that were asked and whose empty answer proves
// nothing, each target once.
func beforeHistory(in *Live) []Finding {
	seen := map[source.Pos]bool{}
	var out []Finding
	for _, a := range in.Asked {
		if a.Status != StatusUnchecked || !a.Sent {
			continue
		}
		f := onAsked(a)
		if seen[f.Pos] {
			continue
		}
		seen[f.Pos] = true
		f.Severity = Warning
		f.Message = "not checked: " + a.Skip
		f.Fix = "raise --history beyond what the query looks back"
		out = append(out, f)
	}
	return out
}
