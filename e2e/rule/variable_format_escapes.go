package rule

import (
	"fmt"
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/query"
)

// variableFormatEscapes finds formats that bypass the escaping of the Prometheus
// datasource and so break the PromQL string they stand in. Whether they do
// depends on the value, so a value with the usual punctuation is tried.
func variableFormatEscapes() Rule {
	return Rule{
		ID:       "variable/format-escapes",
		Severity: Warning,
		Summary:  `an explicit format such as "${name:regex}" breaks the PromQL string it stands in`,
		Static: func(in *Static) []Finding {
			return eachTarget(in.Boards, func(q *Question) *Finding {
				if !q.Readable() {
					return nil
				}
				for _, ref := range query.References(q.Target.Expr.Value) {
					if f := breaksString(q, ref); f != nil {
						return f
					}
				}
				return nil
			})
		},
	}
}

// breaksString tries the expression as written, and with the format taken away: only
// where that alone mends it is the format to blame.
func breaksString(q *Question, ref query.Reference) *Finding {
	if ref.Format == "" || q.Board.Variable(ref.Name) == nil {
		return nil
	}
	scope, sample := withSample(q, ref.Name)
	asWritten, failure := tryParse(q, scope, q.Target.Expr.Value)
	if failure == nil {
		return nil
	}
	text := q.Target.Expr.Value
	plain := "${" + ref.Name + "}"
	if _, other := tryParse(q, scope, text[:ref.Start]+plain+text[ref.End:]); other != nil {
		return nil
	}
	f := onQuestion(q)
	f.Pos = q.Target.Expr.PosAt(ref.Start)
	f.Message = fmt.Sprintf("%s bypasses the escaping for PromQL strings: with a value such as %q the query does not parse",
		text[ref.Start:ref.End], sample)
	f.Evidence = []string{"the query would be " + asWritten, failure.reason}
	f.Fix = fmt.Sprintf("write %s: Grafana then escapes it for a regular expression inside of a string", plain)
	return &f
}

// tryParse interpolates and parses text as the question's expression.
func tryParse(q *Question, scope *query.Scope, text string) (string, *parseFailure) {
	target := *q.Target
	target.Expr.Value = text
	now := time.Unix(0, 0).UTC()
	requests, err := query.Requests(q.Panel, &target, scope, query.Timing{Range: query.Range{From: now.Add(-time.Hour), To: now}})
	if err != nil || len(requests) == 0 {
		return "", nil // panel/query-error
	}
	return requests[0].Expr, parseFailureOf(requests[0].Expr)
}

// withSample is the question's scope with a variable holding a value that has
// punctuation, two of it where several can be chosen. It is an option of the
// variable, or a host name where the files do not list the options.
func withSample(q *Question, name string) (*query.Scope, string) {
	held, ok := q.Scope.Lookup(name)
	if !ok {
		return q.Scope, ""
	}
	candidates := held.Selected()
	for _, o := range held.Options {
		candidates = append(candidates, o.Value)
	}
	if q.Board.Guessed[name] {
		candidates = []string{"gpu-01.lan"}
	}
	if len(candidates) == 0 {
		return q.Scope, ""
	}
	sample := candidates[max(0, slices.IndexFunc(candidates, refusedInUID.MatchString))]
	held.All, held.Values = false, []string{sample}
	if held.Multi && !held.Narrowed {
		held.Values = []string{sample, sample + "2"}
	}
	held.Texts = held.Values
	return q.Scope.With(held), sample
}
