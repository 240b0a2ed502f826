package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/stack/source"
)

// MatrixJUnit writes a matrix as JUnit: the suites of each cell, named after it.
func MatrixJUnit(w io.Writer, m MatrixResult) error {
	all := xmlSuites{Name: "panelgate", Time: seconds(milliseconds(m.Took))}
	if m.Err != nil {
		all.addAll(junitSuites(m.failed()), "")
	}
	for i, r := range m.Results {
		all.addAll(junitSuites(m.cell(i)), flat(r.Cell.Label)+" › ")
	}
	return all.write(w)
}

// failed is a matrix of which no cell could be run, as a document tells of a run.
func (m MatrixResult) failed() *Document {
	return &Document{
		Schema: Schema, Version: m.Version, Stack: m.StackDir, Env: m.Where, Verdict: Failed, ExitCode: m.ExitCode, Error: m.Err.Error(),
		DurationMS: milliseconds(m.Took), Checkout: m.Checkout,
	}
}

// cell is the document of a cell. One that was never begun, or was given up, has the
// outcome's error for all it has to say.
func (m MatrixResult) cell(i int) *Document {
	r := m.Results[i]
	var d Document
	if m.Documents[i] != nil {
		d = *m.Documents[i]
	}
	if r.Outcome.Verdict == matrix.Error {
		d = Document{Verdict: Failed, Error: cmp.Or(r.Outcome.Err, d.Error), DurationMS: milliseconds(r.Took), Began: d.Began}
	}
	d.Checkout = m.Checkout
	return &d
}

// MatrixMarkdown writes a matrix as the summary of a job or a comment: how each cell
// came out, and what is broken where.
func MatrixMarkdown(w io.Writer, r MatrixResult) error {
	if r.Err != nil {
		return Markdown(w, r.failed())
	}
	m := &markdown{Document: &Document{Verdict: r.Verdict, Checkout: r.Checkout}}
	m.printf("%s\n", MarkdownMark)
	m.heading()
	m.printf("%s of %d combinations in %s, %s.\n", plural(len(r.Results), "cell"), r.Plan.Combinations(), r.Took.Round(10*time.Millisecond), inline(r.Where))
	m.cells(r)
	m.unrun(r)
	m.broken(r)
	if _, err := w.Write(m.buf.Bytes()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// cells is a table with a line a cell.
func (m *markdown) cells(r MatrixResult) {
	m.printf("\n|")
	for _, a := range r.Plan.Axes {
		m.printf(" %s |", inline(a.Name))
	}
	m.printf(" |\n|%s\n", strings.Repeat(" --- |", len(r.Plan.Axes)+1))
	from := m.buf.Len()
	for i, c := range r.Results {
		if m.buf.Len()-from > mostTable {
			m.printf("\n… and %s more.\n", plural(len(r.Results)-i, "cell"))
			return
		}
		m.printf("|")
		for a := range r.Plan.Axes {
			m.printf(" %s |", inline(c.Cell.Choices[a].Value.Name))
		}
		m.printf(" %s |\n", cellMark(c.Outcome))
	}
}

func cellMark(o matrix.Outcome) string {
	switch {
	case o.Verdict == matrix.Pass:
		return "✅"
	case o.Verdict == matrix.Fail && len(o.Broken) > 0:
		return fmt.Sprintf("❌ %d broken", len(o.Broken))
	case o.Verdict == matrix.Fail:
		return "❌ nothing was asked"
	}
	return "⚠️ could not run"
}

// unrun says why cells could not be run: one reason once.
func (m *markdown) unrun(r MatrixResult) {
	cells := map[string][]string{}
	var order []string
	for _, c := range r.Results {
		if c.Outcome.Verdict != matrix.Error {
			continue
		}
		if cells[c.Outcome.Err] == nil {
			order = append(order, c.Outcome.Err)
		}
		cells[c.Outcome.Err] = append(cells[c.Outcome.Err], c.Cell.Label)
	}
	for i, why := range order {
		if !m.fits(fmt.Sprintf("\n### Could not be run: %s\n\n%s\n", inline(strings.Join(cells[why], "; ")), fenced("text", why))) {
			m.printf("\n… and %s more.\n", plural(len(order)-i, "reason"))
			return
		}
	}
}

// broken lists what is broken, below where it is.
func (m *markdown) broken(r MatrixResult) {
	t, last := &matrixText{m: r}, ""
	all := r.Plan.Broken(r.Results)
	for i, b := range all {
		var line strings.Builder
		if where := t.where(b); where != last {
			fmt.Fprintf(&line, "\n### Broken %s\n\n", inline(where))
			last = where
		}
		f := brokenFinding(b)
		at := source.Pos{File: m.Checkout.name(b.File), Line: b.Line, Column: b.Column}.String()
		if b.File == "" {
			at = ""
		}
		fmt.Fprintf(&line, "- %s %s %s %s<br>%s\n", severityMark(f.Weight()), ruleLink(b.Rule), inline(clickPath(f)), code(at), paragraph(f.Message))
		if !m.fits(line.String()) {
			m.printf("\n**%s left out for want of room.** The job's log and the file of `--json` have all of them.\n", plural(len(all)-i, "finding"))
			return
		}
	}
}

// brokenFinding is what is broken as a finding, which says where and why.
func brokenFinding(b matrix.Broken) Finding {
	f := Finding{
		Rule: b.Rule, Severity: b.Severity, File: b.File, Line: b.Line, Column: b.Column, Dashboard: b.Dashboard,
		DashboardTitle: b.DashboardTitle, Panel: b.Panel, PanelID: b.PanelID, RefID: b.RefID, Message: b.Message,
	}
	if len(b.Reasons) > 0 {
		f.Message += " (" + strings.Join(b.Reasons, ", ") + ")"
	}
	return f
}

// MatrixAnnotations writes what is broken as workflow commands, with where it is.
func MatrixAnnotations(w io.Writer, m MatrixResult) error {
	if m.Err != nil {
		return Annotations(w, m.failed())
	}
	d := &Document{Stack: m.StackDir, Checkout: m.Checkout}
	for _, b := range m.Plan.Broken(m.Results) {
		f := brokenFinding(b)
		f.Message += "\nBroken " + b.Where
		d.Findings = append(d.Findings, f)
	}
	var unrun []string
	for _, r := range m.Results {
		if r.Outcome.Verdict == matrix.Error && !slices.Contains(unrun, r.Outcome.Err) {
			unrun = append(unrun, r.Outcome.Err)
		}
	}
	d.Error = strings.Join(unrun, "\n")
	return Annotations(w, d)
}
