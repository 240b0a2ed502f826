package rule

import (
	"strconv"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// onBoard starts a finding about a dashboard.
func onBoard(d *dashboard.Dashboard, pos source.Pos) Finding {
	return Finding{Pos: pos, Dashboard: d.UID.Value, DashboardTitle: d.Title.Value}
}

// onPanel starts a finding about a panel.
func onPanel(d *dashboard.Dashboard, p *dashboard.Panel, pos source.Pos) Finding {
	f := onBoard(d, pos)
	if p == nil {
		return f
	}
	f.Panel, f.PanelID = p.Title.Value, PanelID(p)
	return f
}

// onQuestion starts a finding about a target: at its expression where it has one.
func onQuestion(q *Question) Finding {
	f := onPanel(q.Board.Dashboard, q.Panel, q.Panel.Pos)
	if q.Target == nil {
		return f
	}
	f.Pos = q.Target.Pos
	f.RefID = q.Target.RefID.Value
	if e := q.Target.Expr; !e.IsZero() {
		f.Pos, f.Expr = e.Pos, e.Value
	}
	return f
}

// PanelID is a panel's id as a number, 0 where it has none.
func PanelID(p *dashboard.Panel) int64 {
	id, err := strconv.ParseInt(p.ID.Value, 10, 64)
	if err != nil {
		return 0 // a missing or non-numeric id is Grafana's to reject
	}
	return id
}

// problems turns what could not be read in one area of the stack into findings.
func problems(s *stack.Stack, area stack.Area) []Finding {
	var out []Finding
	for _, p := range s.Problems {
		if p.Area == area {
			out = append(out, Finding{Pos: p.Pos, Message: p.Message,
				Fix: "mend the file at this place; one that is missing, put there, or mend the path or mount that leads to it"})
		}
	}
	return out
}
