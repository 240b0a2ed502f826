// Package drawing is what a dashboard looks like: where each panel stands, and what is
// drawn in it, from the data that its queries returned. It is the part of Grafana's
// front end that a report needs, worked out once, so that the page, the pictures and
// whoever reads the event stream show the same.
package drawing

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// Drawing is one dashboard.
type Drawing struct {
	File   string  `json:"file"` // the dashboard's file, by which reports know it
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []Panel `json:"panels"` // rows too, each before the panels that are in it
}

// Kind is how a panel is drawn.
type Kind string

// The kinds. Panels of types that are not known are None: they are not drawn.
const (
	Row      Kind = "row"
	Graph    Kind = "graph"
	Stat     Kind = "stat"
	Gauge    Kind = "gauge"
	BarGauge Kind = "bargauge"
	Table    Kind = "table"
	Heatmap  Kind = "heatmap"
	Pie      Kind = "pie"
	Timeline Kind = "timeline"
	Text     Kind = "text"
	None     Kind = "none"
)

// Panel is one panel, or a row. Of one that repeats there is a Panel for each copy.
type Panel struct {
	ID          int64    `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type"` // as the file writes it
	Kind        Kind     `json:"kind"`
	Copy        int      `json:"copy,omitempty"`    // of a panel that repeats, from 0
	Section     int      `json:"section,omitempty"` // number of the row that it stands in, 0 above the first
	Grid        Grid     `json:"grid"`              // within its section
	Collapsed   bool     `json:"collapsed,omitempty"`
	RefIDs      []string `json:"ref_ids,omitempty"`

	Field Field    `json:"field,omitzero"`
	Look  Look     `json:"look,omitzero"`
	Calcs []string `json:"calcs,omitempty"` // what the Reduced of a series are
	// Text is the content of a text panel, as its source has it.
	Text string `json:"text,omitempty"`

	From     int64       `json:"from,omitempty"` // the range that was asked, ms
	To       int64       `json:"to,omitempty"`
	Series   []Series    `json:"series,omitempty"`
	More     int         `json:"more,omitempty"` // series that are left out
	Columns  *TableData  `json:"table,omitempty"`
	Buckets  *BucketData `json:"buckets,omitempty"`
	Notes    []string    `json:"notes,omitempty"`     // what a viewer of the data should know
	ExprRuns []string    `json:"expr_runs,omitempty"` // that the data is of
}

// most bounds what is drawn in a panel: nobody tells more series apart.
const most = 100

// Of draws a dashboard from what its queries were answered; asked is empty where
// nothing was.
func Of(b *rule.Board, asked []*rule.Asked) *Drawing {
	d := &Drawing{UID: b.UID.Value, Title: b.Title.Value, Panels: []Panel{}}
	for _, s := range layOut(b, asked) {
		if s.row != nil {
			d.Panels = append(d.Panels, drawRow(s))
		}
		for _, c := range s.copies {
			d.Panels = append(d.Panels, draw(c, s.number))
		}
	}
	return d
}

func drawRow(s *section) Panel {
	return Panel{
		ID: rule.PanelID(s.row), Title: filled(s.row.Title.Value, s.scope), Type: "row", Kind: Row,
		Section: s.number, Grid: Grid{W: columns, H: 1}, Collapsed: s.row.Collapsed,
	}
}

// shown is one copy of a panel, with what it asked.
type shown struct {
	panel *dashboard.Panel
	scope *query.Scope
	asked []*rule.Asked
	copy  int
	grid  Grid
}

func draw(c *shown, section int) Panel {
	p := Panel{
		ID: rule.PanelID(c.panel), Title: filled(c.panel.Title.Value, c.scope), Description: filled(c.panel.Description.Value, c.scope),
		Type: c.panel.Type.Value, Kind: kindOf(c.panel), Copy: c.copy, Section: section, Grid: c.grid,
	}
	for _, t := range c.panel.Targets {
		p.RefIDs = append(p.RefIDs, t.RefID.Value)
	}
	if p.Kind == Text {
		p.Text = text(c)
		return p
	}
	for _, a := range c.asked {
		if a.Sent {
			p.ExprRuns = append(p.ExprRuns, a.Request.Expr)
			p.From, p.To = a.Request.Start.UnixMilli(), a.Request.End.UnixMilli()
		}
	}
	p.fill(c)
	return p
}

// fill puts in how the data is shown, and the data.
func (p *Panel) fill(c *shown) {
	style := styleOf(c.panel, p.Kind)
	p.Field, p.Look, p.Calcs = style.defaults, style.look, style.calcs
	series := seriesOf(c)
	if p.Kind == Heatmap {
		p.Buckets = bucketsOf(c.panel, series)
		return
	}
	if p.Kind == Table {
		p.Columns = tableOf(c, style)
		p.note(unapplied(c.panel, true))
		return
	}
	renamed(c.panel, series)
	style.override(series, c.scope)
	series = slices.DeleteFunc(series, func(s line) bool { return s.hidden })
	thinned := false
	for i, s := range series {
		if i == most {
			p.More = len(series) - most
			break
		}
		out, less := s.drawn(p.Kind, p.Calcs)
		thinned = thinned || less
		p.Series = append(p.Series, out)
	}
	if thinned {
		p.note([]string{"thinned to the least and the greatest value of each stretch"})
	}
	p.note(unapplied(c.panel, false))
}

func (p *Panel) note(notes []string) { p.Notes = append(p.Notes, notes...) }

// kindOf is how a panel of its type is drawn.
func kindOf(p *dashboard.Panel) Kind {
	switch p.Type.Value {
	case "timeseries", "graph", "trend":
		return Graph
	case "stat":
		return Stat
	case "singlestat":
		if p.Node.At("gauge", "show").Bool() {
			return Gauge
		}
		return Stat
	case "gauge":
		return Gauge
	case "bargauge", "barchart":
		return BarGauge
	case "table", "table-old":
		return Table
	case "heatmap":
		return Heatmap
	case "piechart", "grafana-piechart-panel":
		return Pie
	case "state-timeline", "status-history":
		return Timeline
	case "text":
		return Text
	default:
		return None
	}
}

func text(c *shown) string {
	n := c.panel.Node.At("options", "content")
	if !n.Exists() {
		n = c.panel.Node.Get("content")
	}
	return filled(n.Str(), c.scope)
}

// filled puts the values of variables into a text that people read. One that leads
// back to itself is left as it is written, and is a finding elsewhere.
func filled(text string, scope *query.Scope) string {
	if scope == nil {
		return text
	}
	out, err := scope.Interpolate(text, query.Plain)
	if err != nil {
		return text
	}
	return out
}
