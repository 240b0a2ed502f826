package query

import (
	"strings"
	"time"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// StaticScope is the scope without a server. Custom, constant, interval, text box
// and datasource variables are exact, over the last six hours where one depends on
// the range. Every other variable is in guessed: it has its saved value, else its
// first saved option, else a stand-in that keeps PromQL parseable where the
// dashboard uses it. Ad hoc filters are not defined, but Requests adds those saved.
func StaticScope(d *dashboard.Dashboard, sources []*stack.Datasource) (s *Scope, guessed map[string]bool) {
	now := time.Unix(0, 0).UTC()
	r := Range{From: now.Add(-6 * time.Hour), To: now}
	guessed = make(map[string]bool)
	s = builtins(d).withFilters(d, sources).withRange(r)
	for _, v := range inOrder(d).sorted {
		if v.Type.Value == "adhoc" {
			continue
		}
		f, err := resolveFixed(v, s, sources, r)
		if v.Type.Value != "query" && err == nil && f.unchecked == "" && (f.free || f.value.holdsAny()) {
			s = s.With(f.value)
			continue
		}
		guessed[v.Name.Value] = true
		s = s.With(guess(d, v))
	}
	return s, guessed
}

// guess is the saved value of a variable, or what may stand in for it.
func guess(d *dashboard.Dashboard, v *dashboard.Variable) Value {
	val := savedValue(v)
	if val.holdsAny() && strings.Join(val.Selected(), "") != "" {
		return val
	}
	if len(val.Options) == 0 {
		text := standIn(d, v.Name.Value)
		val.Options = []dashboard.Option{{Text: text, Value: text}}
	}
	if !val.All {
		val.pick(val.Options[:1])
	}
	return val
}

// standIn is a value of the kind that the first use of the variable asks for.
func standIn(d *dashboard.Dashboard, name string) string {
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			expr := t.Expr.Value
			for _, ref := range References(expr) {
				if ref.Name == name {
					return standInAt(expr[:ref.Start], expr[ref.End:])
				}
			}
		}
	}
	return "placeholder"
}

// standInAt looks at what is around a reference: a duration stands in brackets,
// after a colon or offset, a number before a comma as a function's first argument.
func standInAt(before, after string) string {
	before, after = strings.TrimSpace(before), strings.TrimSpace(after)
	switch {
	case strings.HasSuffix(before, "["), strings.HasSuffix(before, "offset"),
		strings.HasSuffix(before, ":") && strings.HasPrefix(after, "]"):
		return "5m"
	case strings.HasSuffix(before, "(") && strings.HasPrefix(after, ","):
		return "1"
	default:
		return "placeholder"
	}
}
