package page

import (
	"cmp"
	"slices"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// content is what the page's script is given.
type content struct {
	Live       bool                `json:"live,omitempty"`
	Static     bool                `json:"static,omitempty"` // the files alone were looked at
	Version    string              `json:"version"`
	Stack      string              `json:"stack"`
	Env        string              `json:"env"`
	Verdict    report.Verdict      `json:"verdict"`
	Error      string              `json:"error,omitempty"`
	Began      int64               `json:"began,omitempty"` // ms
	DurationMS float64             `json:"duration_ms"`
	Counts     report.Counts       `json:"counts"`
	Notes      []string            `json:"notes,omitempty"`
	Targets    []report.Target     `json:"targets"`
	Dashboards []*board            `json:"dashboards"`
	Findings   []report.Finding    `json:"findings"` // of no dashboard
	Suppressed []report.Suppressed `json:"suppressed,omitempty"`
}

// board is a dashboard with what was found of it.
type board struct {
	Title    string           `json:"title"`
	UID      string           `json:"uid"`
	File     string           `json:"file"`
	Panels   []*panel         `json:"panels"`
	Findings []report.Finding `json:"findings,omitempty"` // of none of its panels
}

// Status is what a panel's filter knows it by.
type Status string

// The statuses, the gravest first.
const (
	Broken    Status = "broken"
	Warning   Status = "warning"
	Unchecked Status = "unchecked"
	OK        Status = "ok"
)

// panel is a drawing of one with what was found of it.
type panel struct {
	drawing.Panel
	Place    string           `json:"place,omitempty"`
	Status   Status           `json:"status,omitempty"` // rows have none
	Findings []report.Finding `json:"findings,omitempty"`
	Queries  []asked          `json:"queries,omitempty"`
}

// asked is a query of a panel, as far as the page tells of it.
type asked struct {
	RefID      string      `json:"ref_id"`
	Expr       string      `json:"expr"`
	ExprRun    string      `json:"expr_run,omitempty"`
	Datasource string      `json:"datasource,omitempty"`
	Status     rule.Status `json:"status"`
	Why        string      `json:"why,omitempty"`
	Series     int         `json:"series"`
	Samples    int         `json:"samples"`
	DurationMS float64     `json:"duration_ms"`
}

func contentOf(d *report.Document, opts Options) *content {
	c := &content{
		Live: opts.Live, Static: d.Static(), Version: d.Version, Stack: d.Stack, Env: d.Env, Verdict: d.Verdict, Error: d.Error,
		DurationMS: d.DurationMS, Counts: d.Counts, Notes: d.Notes, Targets: d.Targets, Findings: []report.Finding{}, Suppressed: d.Suppressed,
	}
	if part := d.Alone(); part != "" {
		c.Notes = append([]string{"a part of a run, " + part}, d.Notes...)
	}
	if !d.Began.IsZero() {
		c.Began = d.Began.UnixMilli()
	}
	for i := range d.Dashboards {
		c.Dashboards = append(c.Dashboards, boardOf(d, &d.Dashboards[i]))
	}
	c.find(d.Findings)
	for _, b := range c.Dashboards {
		for _, p := range b.Panels {
			p.judge(c.Static)
		}
	}
	return c
}

func boardOf(d *report.Document, of *report.Dashboard) *board {
	b := &board{Title: of.Name(), UID: of.UID, File: of.File, Panels: []*panel{}}
	drawn := d.Drawing(of.File)
	if drawn == nil {
		drawn = undrawn(of)
	}
	for _, p := range drawn.Panels {
		b.Panels = append(b.Panels, &panel{Panel: p, Place: placeOf(of, p)})
	}
	for _, q := range d.Queries {
		if q.DashboardFile == of.File {
			b.ask(q)
		}
	}
	return b
}

// undrawn is a dashboard of which only the names of its panels are known.
func undrawn(of *report.Dashboard) *drawing.Drawing {
	const across, w, h = 3, 8, 5
	d := &drawing.Drawing{File: of.File, UID: of.UID, Title: of.Title}
	for i, p := range of.Panels {
		d.Panels = append(d.Panels, drawing.Panel{
			ID: p.ID, Title: p.Title, Type: p.Type, Kind: drawing.None, RefIDs: p.RefIDs,
			Grid:  drawing.Grid{X: i % across * w, Y: i / across * h, W: w, H: h},
			Notes: []string{"this report has no data to draw it from"},
		})
	}
	return d
}

func placeOf(of *report.Dashboard, p drawing.Panel) string {
	for _, known := range of.Panels {
		if known.ID == p.ID && known.Type == p.Type && (known.Title == p.Title || known.ID != 0) {
			return source.Pos{File: known.File, Line: known.Line, Column: known.Column}.String()
		}
	}
	return ""
}

// ask gives a query to its panel, and to the right copy of one that repeats.
func (b *board) ask(q report.Query) {
	out := asked{q.RefID, q.Expr, q.ExprRun, q.Datasource, q.Status, q.Why, q.Series, q.Samples, q.DurationMS}
	for _, p := range b.of(q.PanelID, q.Panel, q.RefID, q.ExprRun) {
		if !slices.Contains(p.Queries, out) {
			p.Queries = append(p.Queries, out)
		}
	}
}

// of are the panels that something is about: those with its id, of those the ones that
// ask its query, and the copies that ran its expression.
func (b *board) of(id int64, title, refID, exprRun string) []*panel {
	var out []*panel
	for _, p := range b.Panels {
		if p.Kind != drawing.Row && p.ID == id && (id != 0 || p.Title == title) {
			out = append(out, p)
		}
	}
	narrow := func(keep func(*panel) bool) {
		if some := slices.DeleteFunc(slices.Clone(out), func(p *panel) bool { return !keep(p) }); len(some) > 0 {
			out = some
		}
	}
	narrow(func(p *panel) bool { return p.Title == title }) // ids can be there twice
	if refID != "" {
		narrow(func(p *panel) bool { return slices.Contains(p.RefIDs, refID) })
	}
	if exprRun != "" {
		narrow(func(p *panel) bool { return slices.Contains(p.ExprRuns, exprRun) })
	}
	return out
}

// find gives each finding to the panel or the dashboard that it is about.
func (c *content) find(findings []report.Finding) {
	for _, f := range findings {
		b := c.board(f)
		if b == nil {
			c.Findings = append(c.Findings, f)
			continue
		}
		var panels []*panel
		if f.PanelID != 0 || f.Panel != "" {
			panels = b.of(f.PanelID, f.Panel, f.RefID, f.ExprRun)
		}
		for _, p := range panels {
			p.Findings = append(p.Findings, f)
		}
		if len(panels) == 0 {
			b.Findings = append(b.Findings, f)
		}
	}
}

// board is the dashboard that a finding is about: that of its file, or the one that it
// names where it stands in another file.
func (c *content) board(f report.Finding) *board {
	for _, b := range c.Dashboards {
		if b.File == f.File {
			return b
		}
	}
	for _, b := range c.Dashboards {
		if f.Dashboard != "" && b.UID == f.Dashboard || f.Dashboard == "" && f.DashboardTitle != "" && b.Title == f.DashboardTitle {
			return b
		}
	}
	return nil
}

// judge says what came of the panel, and puts the gravest finding first.
func (p *panel) judge(static bool) {
	if p.Kind == drawing.Row {
		return
	}
	slices.SortStableFunc(p.Findings, func(a, b report.Finding) int { return cmp.Compare(b.Weight(), a.Weight()) })
	has := func(s rule.Status) bool {
		return slices.ContainsFunc(p.Queries, func(q asked) bool { return q.Status == s })
	}
	gravest := rule.Info
	if len(p.Findings) > 0 {
		gravest = p.Findings[0].Weight()
	}
	switch {
	case gravest >= rule.Error:
		p.Status = Broken
	case gravest >= rule.Warning || has(rule.StatusFailed): // which somebody has excluded, or switched off
		p.Status = Warning
	case has(rule.StatusUnchecked) || static && len(p.RefIDs) > 0:
		p.Status = Unchecked
	default:
		p.Status = OK
	}
}
