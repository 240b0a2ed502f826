package rule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// panelSyntax finds PromQL that no Prometheus takes, as far as that does not hang
// on what a server would put into it.
func panelSyntax() Rule {
	return Rule{
		ID:       "panel/syntax",
		Severity: Error,
		Summary:  "the PromQL of a panel does not parse",
		Static: func(in *Static) []Finding {
			return eachTarget(in.Boards, syntaxError)
		},
	}
}

func syntaxError(q *Question) *Finding {
	if !q.Readable() {
		return nil
	}
	text := q.Target.Expr.Value
	if len(q.Board.undefined(text)) > 0 {
		return nil // variable/undefined says it better
	}
	request := q.Requests[0]
	failure := parseFailureOf(request.Expr)
	if failure == nil || q.mayParse() {
		return nil
	}
	f := onQuestion(q)
	f.Pos = posOf(q, request, failure.offset)
	f.ExprRun = q.shownAsRun(request)
	f.Message = "the query does not parse: " + failure.reason
	f.Fix = "mend the query at this place"
	if at := min(max(failure.offset, 0), len(request.Expr)); at < len(request.Expr) {
		f.Evidence = []string{fmt.Sprintf("the parser stops at %q", excerpt(request.Expr[at:]))}
	}
	if m := unknownFunction.FindStringSubmatch(failure.reason); m != nil {
		if near := nearest.Names(m[1], slices.Collect(maps.Keys(promparser.Functions)), 1); len(near) > 0 {
			f.Fix = fmt.Sprintf("write %s, if that is what is meant", near[0])
		}
	}
	return &f
}

// mostTried bounds the variables whose values are tried in every combination.
const mostTried = 3

// mayParse says whether some values of the variables that only a server could
// fill would make PromQL of the expression. Where there are too many of them, or
// one hides behind another variable, it says so without trying.
func (q *Question) mayParse() bool {
	text := q.Target.Expr.Value
	if !q.Board.guesses(text) {
		return false
	}
	var names []string
	for _, ref := range query.References(text) {
		if q.Board.Guessed[ref.Name] && !slices.Contains(names, ref.Name) {
			names = append(names, ref.Name)
		}
	}
	return len(names) == 0 || len(names) > mostTried || q.parsesWithSome(names, q.Scope)
}

// parsesWithSome tries what may stand in PromQL for each of the variables: a
// name, a number, a duration, a metric, a matcher, a function, an operator, a
// grouping, nothing at all.
func (q *Question) parsesWithSome(names []string, scope *query.Scope) bool {
	if len(names) == 0 {
		requests, err := query.Requests(q.Panel, q.Target, scope, q.timing)
		return err == nil && len(requests) > 0 && parseFailureOf(requests[0].Expr) == nil
	}
	for _, value := range []string{"a", "1", "5m", "up", `a="b"`, "sum", "rate", "+", "by (a)", ""} {
		held := query.Value{
			Name: names[0], Values: []string{value}, Texts: []string{value},
			Options: []dashboard.Option{{Text: value, Value: value}},
		}
		if q.parsesWithSome(names[1:], scope.With(held)) {
			return true
		}
	}
	return false
}

var unknownFunction = regexp.MustCompile(`unknown function with name "([^"]+)"`)

// excerpt is the beginning of a text.
func excerpt(text string) string {
	const most = 40
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
