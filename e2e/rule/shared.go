package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// A target of the datasource "-- Dashboard --" shows the result of another panel, which
// is asked there: that holds only where one is, and where it asks anything.

// unsharedError says why a panel that is to show the result of another has none.
type unsharedError struct {
	pos   source.Pos
	text  string
	there string // the panels that there are
}

// Error implements error.
func (e *unsharedError) Error() string { return "it shows the result of " + e.text }

// unshared says why there is no result of another panel to show; nil where there is one,
// and where the panel in between says why not.
func (q *Question) unshared(s *stack.Stack) *unsharedError {
	id := q.Target.PanelID.Value
	from := q.Board.panelOf(id)
	e := &unsharedError{pos: q.Target.PanelID.Pos, there: q.otherPanels()}
	switch {
	case id == "":
		e.pos, e.text = q.Target.Pos, "another panel, and names none"
	case from == nil:
		e.text = fmt.Sprintf("panel %s, and the dashboard has no such panel", id)
	case from == q.Panel:
		e.text = fmt.Sprintf("panel %s, which is this one", id)
	case from.Library != nil && !from.Library.Resolved:
		return nil
	case !slices.ContainsFunc(from.Targets, visible):
		e.text = fmt.Sprintf("panel %s (%q), which asks nothing", id, from.Title.Value)
	case q.Board.leadsTo(from, q.Panel, q.Scope, s):
		e.text = fmt.Sprintf("panel %s (%q), which shows the result of this one", id, from.Title.Value)
	default:
		return nil
	}
	return e
}

// leadsTo says whether a panel has nothing to show but what another one shows, through
// others or not.
func (b *Board) leadsTo(from, to *dashboard.Panel, scope *query.Scope, s *stack.Stack) bool {
	for seen := []*dashboard.Panel{}; from != nil && !slices.Contains(seen, from); {
		if from == to {
			return true
		}
		seen = append(seen, from)
		var next *dashboard.Panel
		for _, t := range from.Targets {
			if t.Hide {
				continue
			}
			if _, special, _ := query.TargetDatasource(from, t, scope, s.Datasources); special != query.SpecialDashboard {
				return false
			}
			if next == nil {
				next = b.panelOf(t.PanelID.Value)
			}
		}
		from = next
	}
	return false
}

// panelOf is the panel with an id, nil where none has it.
func (b *Board) panelOf(id string) *dashboard.Panel {
	i := slices.IndexFunc(b.Panels, func(p *dashboard.Panel) bool { return id != "" && p.ID.Value == id })
	if i < 0 {
		return nil
	}
	return b.Panels[i]
}

// otherPanels names some panels whose result could be shown.
func (q *Question) otherPanels() string {
	var there []string
	for _, p := range q.Board.Panels {
		if p != q.Panel && slices.ContainsFunc(p.Targets, visible) {
			there = append(there, fmt.Sprintf("%s (%q)", p.ID.Value, p.Title.Value))
		}
	}
	const most = 12
	if len(there) > most {
		there = append(there[:most], "…")
	}
	if len(there) == 0 {
		return "no others"
	}
	return strings.Join(there, ", ")
}

// visible says whether a target's result is shown.
func visible(t *dashboard.Target) bool { return !t.Hide }
