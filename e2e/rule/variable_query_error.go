package rule

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
)

// variableQueryError proves that variables' queries parse and are answered.
func variableQueryError() Rule {
	return Rule{
		ID:       "variable/query-error",
		Severity: Error,
		Summary:  "a variable's query does not parse, or fails",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				for _, res := range resolveOffline(in.Stack, b) {
					if knownOffline(b, res) {
						out = append(out, variableError(b, res))
					}
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, v := range distinctVariables(in) {
				var elsewhere *query.DatasourceError // datasource/uid-unknown
				if v.Err == nil || errors.As(v.Err, &elsewhere) || knownOffline(v.Board, v.Resolution) {
					continue
				}
				if ds, _, err := query.ResolveDatasource(v.Variable.Datasource, v.Board.Scope, in.Stack.Datasources); err == nil && behindNotTaken(in, ds) {
					continue
				}
				out = append(out, variableError(v.Board, v.Resolution))
			}
			return out
		},
	}
}

// resolveOffline fills the variables with nobody to ask, which still parses
// their queries. That they stand in a circle is an error of those concerned.
func resolveOffline(s *stack.Stack, b *Board) []query.Resolution {
	now := time.Unix(0, 0).UTC()
	nobody := func(*stack.Datasource) promv1.API { return nil }
	// The error repeats what the resolutions say.
	_, all, _ := query.Resolve(context.Background(), b.Dashboard, s.Datasources, nobody, query.Range{From: now.Add(-6 * time.Hour), To: now})
	return all
}

// knownOffline says whether the files alone tell that a variable fails: it stands
// in a circle, or its query does not parse whatever other variables hold.
func knownOffline(b *Board, res query.Resolution) bool {
	var circle *query.CycleError
	var recursion *query.RecursionError
	switch {
	case errors.As(res.Err, &circle), errors.As(res.Err, &recursion):
		return true
	case res.Syntax == nil:
		return false
	}
	text := res.Variable.Query.Value
	return !b.guesses(text) && len(b.undefined(text)) == 0
}

var callForm = regexp.MustCompile(`^\s*([a-zA-Z_]+)\s*\(`)

// variableError says what is wrong with a variable's query, at the place where
// that is known.
func variableError(b *Board, res query.Resolution) Finding {
	v := res.Variable
	f := onBoard(b.Dashboard, variablePos(v))
	f.Message = fmt.Sprintf("variable %q cannot be filled: %s", v.Name.Value, res.Err)
	f.Fix = "mend the variable's query"
	if res.Query != "" && res.Query != v.Query.Value {
		f.Evidence = []string{"the query as run: " + res.Query}
	}
	if res.Syntax == nil {
		return f
	}
	if !v.Query.Pos.IsZero() {
		f.Pos = v.Query.PosAt(res.Syntax.Offset)
	}
	f.Message = fmt.Sprintf("the query of variable %q does not parse: %s", v.Name.Value, reasonOf(res.Syntax.Err))
	functions := []string{"label_values", "label_names", "metrics", "query_result"}
	call := callForm.FindStringSubmatch(res.Query)
	if query.ParseVariableQuery(res.Query).Kind != query.Series || call == nil {
		return f
	}
	if slices.Contains(functions, call[1]) {
		f.Message = fmt.Sprintf("the query of variable %q is none of the forms that %s has, so that Grafana takes it for a selector", v.Name.Value, call[1])
		f.Fix = formOf(call[1])
		return f
	}
	f.Message = fmt.Sprintf("the query of variable %q calls %q, which is no function of variable queries%s",
		v.Name.Value, call[1], nearest.Hint(call[1], functions))
	f.Fix = "write one of label_values, label_names, metrics, query_result; PromQL goes inside of query_result()"
	return f
}

// reasonOf is a parser's error without the position, which the finding carries.
func reasonOf(err error) string {
	if f := failureOf(err); f != nil {
		return f.reason
	}
	return err.Error()
}

func formOf(function string) string {
	switch function {
	case "label_values":
		return "write label_values(selector, label), or label_values(label)"
	case "label_names":
		return "write label_names()"
	case "metrics":
		return "write metrics(regex)"
	default:
		return "write query_result(expression)"
	}
}
