package rule

import (
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Expects is what a panel is expected to show.
type Expects string

// What panelgate.yml can expect of a panel.
const (
	ExpectsData    Expects = "data"
	ExpectsEmpty   Expects = "empty"
	ExpectsBetween Expects = "between"
)

// Expectation is an entry of panelgate.yml's expect: what a panel shows where that
// is not simply data.
type Expectation struct {
	Dashboard source.Text // uid or title
	Panel     source.Text // title, as written in the dashboard
	RefID     source.Text // of one query, "" for all of the panel's
	Is        Expects
	Low, High float64 // of ExpectsBetween, both included
	Why       string
	Until     time.Time // the first moment at which it no longer holds, zero for never
	UntilPos  source.Pos
	Pos       source.Pos
}

// HoldsAt says whether the expectation has not expired yet.
func (e *Expectation) HoldsAt(now time.Time) bool { return e.Until.IsZero() || now.Before(e.Until) }

// About says whether a query is one that the expectation speaks of.
func (e *Expectation) About(q *Question) bool {
	if !meant(e.Dashboard.Value, q.Board.Dashboard) || e.Panel.Value != q.Panel.Title.Value {
		return false
	}
	return e.RefID.Value == "" || q.Target != nil && e.RefID.Value == q.Target.RefID.Value
}

// Expected says whether a query is expected to be empty at a moment. What is said of
// the query itself goes before what is said of its panel.
func (in *Static) Expected(q *Question, now time.Time) (empty bool) {
	precise := false
	for i := range in.Expectations {
		e := &in.Expectations[i]
		if e.Is == ExpectsBetween || !e.HoldsAt(now) || !e.About(q) || precise && e.RefID.Value == "" {
			continue
		}
		empty, precise = e.Is == ExpectsEmpty, precise || e.RefID.Value != ""
	}
	return empty
}

// meant says whether a dashboard is meant by its uid or its title.
func meant(name string, d *dashboard.Dashboard) bool {
	return name == d.UID.Value || name == d.Title.Value
}

// boardsNamed are the stack's dashboards of that uid or title, chosen or not.
func boardsNamed(s *stack.Stack, name string) []*stack.Board {
	var out []*stack.Board
	for _, b := range s.Dashboards {
		if meant(name, b.Dashboard) {
			out = append(out, b)
		}
	}
	return out
}

// panelsNamed are the panels of that title in some dashboards, rows left out.
func panelsNamed(boards []*stack.Board, title string) []*dashboard.Panel {
	var out []*dashboard.Panel
	for _, b := range boards {
		for _, p := range b.Panels {
			if !p.IsRow() && p.Title.Value == title {
				out = append(out, p)
			}
		}
	}
	return out
}

// missing is a name in panelgate.yml that leads to nothing.
type missing struct {
	what string // dashboard, panel or query
	name source.Text
	near []string
}

// nowhere follows the names of an entry of panelgate.yml, nil where each is there.
func nowhere(s *stack.Stack, board, panel, refID source.Text) *missing {
	boards := boardsNamed(s, board.Value)
	if len(boards) == 0 {
		return &missing{"dashboard", board, nearest.Names(board.Value, boardNames(s), 2)}
	}
	if panel.Value == "" {
		return nil
	}
	panels := panelsNamed(boards, panel.Value)
	if len(panels) == 0 {
		return &missing{"panel", panel, nearest.Names(panel.Value, panelTitles(boards), 2)}
	}
	var refs []string
	for _, p := range panels {
		for _, t := range p.Targets {
			refs = append(refs, t.RefID.Value)
		}
	}
	if refID.Value != "" && !slices.Contains(refs, refID.Value) {
		return &missing{"query", refID, refs}
	}
	return nil
}

func boardNames(s *stack.Stack) []string {
	var out []string
	for _, b := range s.Dashboards {
		for _, name := range []string{b.UID.Value, b.Title.Value} {
			if name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

func panelTitles(boards []*stack.Board) []string {
	var out []string
	for _, b := range boards {
		for _, p := range b.Panels {
			if !p.IsRow() && p.Title.Value != "" {
				out = append(out, p.Title.Value)
			}
		}
	}
	return out
}
