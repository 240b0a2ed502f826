package rule

import (
	"errors"
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// parseFailure is where and why PromQL does not parse.
type parseFailure struct {
	offset int // in bytes, in the expression as run
	reason string
}

// parseFailureOf is nil for an expression that parses.
func parseFailureOf(expr string) *parseFailure {
	_, err := Parse(expr)
	return failureOf(err)
}

func failureOf(err error) *parseFailure {
	if err == nil {
		return nil
	}
	var all promparser.ParseErrors
	if errors.As(err, &all) && len(all) > 0 {
		f := &parseFailure{offset: int(all[0].PositionRange.Start), reason: all[0].Err.Error()}
		if strings.HasPrefix(f.reason, "unexpected right ") {
			f.offset-- // the lexer has already moved past the bracket it complains of
		}
		return f
	}
	return &parseFailure{reason: err.Error()}
}

// posOf leads from an offset in the expression as run to its place in the file.
func posOf(q *Question, r query.Request, offset int) source.Pos {
	return q.Target.Expr.PosAt(r.Mapping.Source(offset))
}

// shownAsRun is the expression as it will be sent, "" where that hangs on what a
// server would fill in: a stand-in in a report would only puzzle.
func (q *Question) shownAsRun(r query.Request) string {
	if q.Board.guesses(q.Target.Expr.Value) {
		return ""
	}
	return r.Expr
}

// guesses says whether what a text comes to hangs on a variable whose value only
// a server could tell, be it through the value of another one.
func (b *Board) guesses(text string) bool {
	seen := map[string]bool{}
	var look func(string) bool
	look = func(text string) bool {
		return slices.ContainsFunc(query.References(text), func(ref query.Reference) bool {
			if b.Guessed[ref.Name] {
				return true
			}
			v, ok := b.Scope.Lookup(ref.Name)
			if !ok || seen[ref.Name] {
				return false
			}
			seen[ref.Name] = true
			return look(strings.Join(v.Selected(), " "))
		})
	}
	return look(text)
}

// undefined lists the references of a text that stand for nothing: no variable
// of the dashboard, none of Grafana's own, no group of a regular expression.
func (b *Board) undefined(text string) []query.Reference {
	var out []query.Reference
	for _, ref := range query.References(text) {
		if !b.defines(ref.Name) && !isGroup(ref, text) {
			out = append(out, ref)
		}
	}
	return out
}

func (b *Board) defines(name string) bool {
	return query.IsBuiltin(name) || b.Variable(name) != nil
}

// isGroup recognises what label_replace and regular expressions write like a
// variable: $1, ${1}, $1_suffix, and $name where the text has a group (?P<name>…).
func isGroup(ref query.Reference, text string) bool {
	if ref.IsCaptureGroup() || ref.Name != "" && ref.Name[0] >= '0' && ref.Name[0] <= '9' {
		return true
	}
	return strings.Contains(text, "(?P<"+ref.Name+">") || strings.Contains(text, "(?<"+ref.Name+">")
}

// explains says whether a rule about the files tells why a target does not
// parse, so that the running stack need not repeat it.
func (b *Board) explains(t *dashboard.Target) bool {
	return len(b.undefined(t.Expr.Value)) > 0 || slices.ContainsFunc(b.Questions, func(q *Question) bool {
		return q.Target == t && syntaxError(q) != nil
	})
}
