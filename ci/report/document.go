package report

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// Dashboard is one dashboard that was checked.
type Dashboard struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	File   string  `json:"file"`
	Panels []Panel `json:"panels"` // without rows
}

// Name is what people call the dashboard.
func (d Dashboard) Name() string {
	if d.Title == "" {
		return d.File
	}
	return d.Title
}

// Panel is where a panel stands in its dashboard and its file.
type Panel struct {
	ID     int64    `json:"id"`
	Title  string   `json:"title"`
	Type   string   `json:"type"`
	Row    string   `json:"row,omitempty"`
	File   string   `json:"file"`
	Line   int      `json:"line"`
	Column int      `json:"column"`
	RefIDs []string `json:"ref_ids"`
}

// Span is a part of an expression, in bytes from its beginning.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// NewDocument tells a result as its JSON does.
func NewDocument(r Result) *Document {
	d := &Document{}
	d.Add(Start(r.Version, r.StackDir, r.Where, r.Began))
	for e := range Events(r) {
		d.Add(e)
	}
	return d
}

// Add takes in one event of a stream.
func (d *Document) Add(e Event) {
	switch {
	case e.Run != nil:
		*d = Document{
			Checkout: d.Checkout,
			Schema:   e.Run.Schema, Version: e.Run.Version, Stack: e.Run.Stack, Env: e.Run.Env, Began: e.Run.Began,
			Dashboards: []Dashboard{}, Targets: []Target{}, Queries: []Query{}, Findings: []Finding{},
		}
	case e.Stage != nil:
		d.Stages = append(d.Stages, *e.Stage)
	case e.Note != nil:
		d.Notes = append(d.Notes, e.Note.Text)
	case e.Since != nil:
		d.Since = e.Since
	case e.Shard != nil:
		d.Shard = e.Shard
	case e.Target != nil:
		d.Targets = append(d.Targets, *e.Target)
	case e.Dashboard != nil:
		d.Dashboards = append(d.Dashboards, *e.Dashboard)
	case e.Drawing != nil:
		d.Drawings = append(d.Drawings, e.Drawing)
	case e.Query != nil:
		d.Queries = append(d.Queries, *e.Query)
	case e.Finding != nil:
		d.Findings = append(d.Findings, *e.Finding)
	case e.Suppressed != nil:
		d.Suppressed = append(d.Suppressed, *e.Suppressed)
	case e.End != nil:
		d.Verdict, d.ExitCode, d.Error = e.End.Verdict, e.End.ExitCode, e.End.Error
		d.DurationMS, d.Counts, d.FailOn = e.End.DurationMS, e.End.Counts, e.End.FailOn
		if e.End.Verdict == Failed && e.End.Counts == (Counts{}) { // what was told before is no result
			d.Dashboards, d.Queries = []Dashboard{}, []Query{}
		}
	}
}

// valid says whether this version understands the document.
func (d *Document) valid() error {
	if d.Schema != Schema {
		return fmt.Errorf("read the report: it is of schema %d, and this version knows schema %d", d.Schema, Schema)
	}
	if !slices.Contains([]Verdict{Pass, Fail, Failed}, d.Verdict) {
		return fmt.Errorf("read the report: unknown verdict %q", d.Verdict)
	}
	return nil
}

// Drawing is what a dashboard shows, nil where nobody knows: a document that was read
// from --json has no drawings.
func (d *Document) Drawing(file string) *drawing.Drawing {
	for _, p := range d.Drawings {
		if p.File == file {
			return p
		}
	}
	return nil
}

// Static says whether the files alone were looked at.
func (d *Document) Static() bool { return d.Env == "static" }

func (r Result) dashboard(b *rule.Board) Dashboard {
	out := Dashboard{
		UID: b.UID.Value, Title: b.Title.Value, File: r.place(source.Pos{File: b.File}).File, Panels: []Panel{},
	}
	for _, p := range b.Panels {
		if p.IsRow() {
			continue
		}
		pos := r.place(p.Pos)
		panel := Panel{ID: rule.PanelID(p), Title: p.Title.Value, Type: p.Type.Value, File: pos.File, Line: pos.Line, Column: pos.Column, RefIDs: []string{}}
		if p.Row != nil {
			panel.Row = p.Row.Title.Value
		}
		for _, t := range p.Targets {
			panel.RefIDs = append(panel.RefIDs, t.RefID.Value)
		}
		out.Panels = append(out.Panels, panel)
	}
	return out
}

// Failing is the mildest severity that fails the run. An earlier version does not say:
// then it is what the gate minds unless told otherwise.
func (d *Document) Failing() rule.Severity {
	severity, err := rule.ParseSeverity(d.FailOn)
	if err != nil || severity == rule.Off {
		return rule.Error
	}
	return severity
}

// Weight is how grave the finding is. A severity of a later version is taken for a
// grave one.
func (f Finding) Weight() rule.Severity {
	severity, err := rule.ParseSeverity(f.Severity)
	if err != nil {
		return rule.Error
	}
	return severity
}

// Place is where the finding is in the files.
func (f Finding) Place() source.Pos { return source.Pos{File: f.File, Line: f.Line, Column: f.Column} }

// told is the finding as the rules know it, for whoever tells its story.
func (f Finding) told() rule.Finding {
	out := rule.Finding{
		Rule: f.Rule, Severity: f.Weight(), Pos: f.Place(), Dashboard: f.Dashboard, DashboardTitle: f.DashboardTitle,
		Panel: f.Panel, PanelID: f.PanelID, RefID: f.RefID, Subject: f.Subject, Expr: f.Expr, ExprRun: f.ExprRun,
		Message: f.Message, Reason: f.Reason, Evidence: f.Evidence, Fix: f.Fix, Asked: f.Asked, Mended: f.Mended,
	}
	if f.Empty != nil {
		out.Empty = rule.Span{Start: f.Empty.Start, End: f.Empty.End}
	}
	return out
}
