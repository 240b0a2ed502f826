package rule

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// variableUndefined finds names that nothing defines. Grafana leaves them as they
// are, so that Prometheus is sent a literal $name.
func variableUndefined() Rule {
	return Rule{
		ID:       "variable/undefined",
		Severity: Error,
		Summary:  "a $name is used that no variable and nothing of Grafana's own defines",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, b := range readable(in.Boards) {
				s := &undefinedSearch{board: b, foreign: foreignTargets(b), seen: map[undefinedUse]bool{}}
				for _, place := range in.texts(b.Dashboard) {
					out = append(out, s.in(place)...)
				}
			}
			return out
		},
	}
}

type undefinedUse struct {
	pos  source.Pos
	name string
}

type undefinedSearch struct {
	board   *Board
	foreign map[*dashboard.Target]bool
	seen    map[undefinedUse]bool
}

// foreignTargets are those asked of other datasources than Prometheus, which
// have macros of their own.
func foreignTargets(b *Board) map[*dashboard.Target]bool {
	out := map[*dashboard.Target]bool{}
	for _, q := range b.Questions {
		if q.Target != nil && q.Unchecked && (q.Datasource == nil || !query.IsPrometheus(q.Datasource)) {
			out[q.Target] = true
		}
	}
	return out
}

// in are the undefined names of one text, each said once.
func (s *undefinedSearch) in(place dashboard.Place) []Finding {
	if place.Use == dashboard.UseUnsure {
		return nil
	}
	if place.Bare {
		if s.board.defines(place.Text.Value) {
			return nil
		}
		return s.add(nil, place, query.Reference{Name: place.Text.Value})
	}
	var out []Finding
	for _, ref := range s.board.undefined(place.Text.Value) {
		out = s.add(out, place, ref)
	}
	return out
}

func (s *undefinedSearch) add(out []Finding, place dashboard.Place, ref query.Reference) []Finding {
	use := undefinedUse{place.Text.Pos, ref.Name}
	if s.seen[use] || s.excused(place, ref.Name) {
		return out
	}
	s.seen[use] = true
	f := onPanel(s.board.Dashboard, place.Panel, place.Text.PosAt(ref.Start))
	if place.Target != nil {
		f.RefID, f.Expr = place.Target.RefID.Value, place.Target.Expr.Value
	}
	sign := "$"
	if place.Bare {
		sign, f.Pos = "", place.Text.Pos
	}
	f.Message = fmt.Sprintf("%q is used in the %s and nothing defines it%s",
		sign+ref.Name, whereIn(place), nearest.Hint(ref.Name, s.candidates(ref.Name)))
	f.Fix = fmt.Sprintf("define a variable %q", ref.Name)
	if near := s.near(ref.Name); near != "" {
		f.Fix = fmt.Sprintf("write %s%s, or define a variable %q", sign, near, ref.Name)
	}
	if place.Use == dashboard.UseDisplay {
		f.Severity = Warning
	}
	return append(out, f)
}

// excused are names that stand for something else, or that may well be text.
func (s *undefinedSearch) excused(place dashboard.Place, name string) bool {
	switch {
	case isInput(s.board.Dashboard, name):
		return true // datasource/input-unresolved
	case place.Target != nil && s.foreign[place.Target] && strings.HasPrefix(name, "__"):
		return true // a macro of another datasource
	}
	switch place.Where {
	case "text content", "panel description": // shell, prices, PromQL in prose
		return s.near(name) == ""
	}
	return false
}

func (s *undefinedSearch) near(name string) string {
	if near := nearest.Names(name, s.candidates(name), 1); len(near) > 0 {
		return near[0]
	}
	return ""
}

// candidates are the names that may have been meant.
func (s *undefinedSearch) candidates(name string) []string {
	if strings.HasPrefix(name, "__") {
		return []string{"__rate_interval", "__interval", "__interval_ms", "__range", "__range_s", "__range_ms", "__from", "__to"}
	}
	var out []string
	for _, v := range s.board.Variables {
		out = append(out, v.Name.Value)
	}
	return out
}

// whereIn names the place for a sentence.
func whereIn(place dashboard.Place) string {
	if v := place.Variable; v != nil {
		return fmt.Sprintf("%s of %q", place.Where, v.Name.Value)
	}
	if place.Where == "expr" {
		return "expression"
	}
	return place.Where
}
