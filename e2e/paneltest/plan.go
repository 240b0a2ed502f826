package paneltest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// node is a subtest. Those at the ends hold what was asked and found, the others only
// what is below them.
type node struct {
	name     string
	of       any // what it stands for, as nodes of one name may differ in it
	below    []*node
	asked    []*rule.Asked
	findings []rule.Finding
	excluded []rule.Excluded
}

// The names of subtests that no title gives.
const (
	ofTheStack     = "stack"
	ofTheDashboard = "dashboard"
	ofThePanel     = "panel"
	outsideRows    = "no_row"
)

// part is what a subtest stands for where no file has it as such.
type part string

// general are the nodes directly below that tell of the whole: of a panel, a dashboard
// or the stack.
func (n *node) general() []*node {
	var out []*node
	for _, c := range n.below {
		if p, ok := c.of.(part); ok && p != outsideRows {
			out = append(out, c)
		}
	}
	return out
}

// child is the node below that stands for of, made where there is none. Where another
// one has its name, distinct makes the difference.
func (n *node) child(of any, name, distinct string) *node {
	for _, c := range n.below {
		if c.of == of {
			return c
		}
	}
	taken := func(c *node) bool { return c.name == name }
	if distinct = slug(distinct); distinct != "" && slices.ContainsFunc(n.below, taken) {
		name += "_" + distinct
	}
	c := &node{name: name, of: of}
	n.below = append(n.below, c)
	return c
}

// plan sorts what a run came to into subtests, in the order of stack, dashboards and
// panels as they are read.
func plan(r *e2e.Report) *node {
	root := &node{}
	root.child(part(ofTheStack), ofTheStack, "")
	for _, b := range r.Boards {
		board := root.board(b)
		board.child(part(ofTheDashboard), ofTheDashboard, "")
		for _, q := range r.Queries {
			if q.Board == b {
				end := board.panel(q.Panel).end(q.Target)
				end.asked = append(end.asked, q)
			}
		}
	}
	for _, f := range r.Findings {
		end := root.place(r.Boards, f)
		end.findings = append(end.findings, f)
	}
	for _, x := range r.Excluded {
		end := root.place(r.Boards, x.Finding)
		end.excluded = append(end.excluded, x)
	}
	return root
}

func (n *node) board(b *rule.Board) *node {
	file := strings.TrimSuffix(path.Base(b.File), path.Ext(b.File))
	return n.child(b, cmp.Or(slug(b.Title.Value), slug(b.UID.Value), slug(file)), cmp.Or(b.UID.Value, file))
}

// panel is the node of a panel, below that of its dashboard.
func (n *node) panel(p *dashboard.Panel) *node {
	var row *node
	if p.Row == nil {
		row = n.child(part(outsideRows), outsideRows, "")
	} else {
		row = n.child(p.Row, cmp.Or(slug(p.Row.Title.Value), slug("row "+p.Row.ID.Value)), "id "+p.Row.ID.Value)
	}
	return row.child(p, cmp.Or(slug(p.Title.Value), slug("panel "+p.ID.Value)), "id "+p.ID.Value)
}

// end is the node of a panel's target, nil for the panel as a whole.
func (n *node) end(t *dashboard.Target) *node {
	if t == nil {
		return n.child(part(ofThePanel), ofThePanel, "")
	}
	return n.child(t, cmp.Or(slug(t.RefID.Value), "no_refId"), fmt.Sprintf("line %d", t.Pos.Line))
}

// place is the node that a finding is told at.
func (n *node) place(boards []*rule.Board, f rule.Finding) *node {
	b, ok := holding(boards, f.Pos, func(b *rule.Board) (source.Pos, bool) {
		return source.Pos{File: b.File}, f.Subject == "" && f.Dashboard == b.UID.Value && f.DashboardTitle == b.Title.Value
	})
	if !ok {
		return n.child(part(ofTheStack), ofTheStack, "")
	}
	board := n.board(b)
	p, ok := holding(b.Panels, f.Pos, func(p *dashboard.Panel) (source.Pos, bool) {
		return p.Pos, !p.IsRow() && (f.PanelID != 0 || f.Panel != "") && f.PanelID == rule.PanelID(p) && f.Panel == p.Title.Value
	})
	if !ok {
		return board.child(part(ofTheDashboard), ofTheDashboard, "")
	}
	t, ok := holding(p.Targets, f.Pos, func(t *dashboard.Target) (source.Pos, bool) {
		return t.Pos, f.RefID != "" && f.RefID == t.RefID.Value
	})
	if !ok {
		return board.panel(p).end(nil)
	}
	return board.panel(p).end(t)
}

// holding is the one of those that fit which holds a place: of several, which is what
// copies of uids and ids make, the last that begins before it.
func holding[T any](all []T, at source.Pos, begins func(T) (pos source.Pos, fits bool)) (found T, ok bool) {
	for _, one := range all {
		pos, fits := begins(one)
		if before := pos.File == at.File && pos.Line <= at.Line; fits && (before || !ok) {
			found, ok = one, true
		}
	}
	return found, ok
}

// slug is a title as a subtest is named: readable, one level, and its own regular
// expression but for dots, which fit themselves.
func slug(title string) string {
	return strings.Join(strings.FieldsFunc(title, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) && !strings.ContainsRune("._-", c)
	}), "_")
}
