package report

import (
	"io"

	"github.com/panelgate/panelgate/e2e/matrix"
)

// MatrixDocument is a matrix as its JSON report tells it.
type MatrixDocument struct {
	Schema     int     `json:"schema"`
	Version    string  `json:"version"`
	Stack      string  `json:"stack"`
	Env        string  `json:"env"`
	Verdict    Verdict `json:"verdict"`
	ExitCode   int     `json:"exit_code"`
	Error      string  `json:"error,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	// Combinations is how many there are; Cells has those that were run.
	Combinations int            `json:"combinations"`
	Combine      matrix.Combine `json:"combine,omitempty"`
	Shard        string         `json:"shard,omitempty"`
	Axes         []MatrixAxis   `json:"axes"`
	Cells        []MatrixCell   `json:"cells"`
	Broken       []MatrixBroken `json:"broken"`
}

// MatrixAxis is what is varied.
type MatrixAxis struct {
	Name   string        `json:"name"`
	Values []MatrixValue `json:"values"`
}

// MatrixValue is a version or setting that is tried.
type MatrixValue struct {
	Name        string            `json:"name"`
	Image       string            `json:"image,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
}

// MatrixCell is one combination and its report.
type MatrixCell struct {
	Values     map[string]string `json:"values"` // the value's name by axis
	Verdict    matrix.Verdict    `json:"verdict"`
	ExitCode   int               `json:"exit_code"`
	Error      string            `json:"error,omitempty"`
	DurationMS float64           `json:"duration_ms"`
	Report     *Document         `json:"report,omitempty"` // none of a cell that was never begun
}

// MatrixBroken is one thing that is broken somewhere in the matrix.
type MatrixBroken struct {
	Rule           string              `json:"rule"`
	Severity       string              `json:"severity"`
	File           string              `json:"file"`
	Line           int                 `json:"line"`
	Column         int                 `json:"column"`
	Dashboard      string              `json:"dashboard"`
	DashboardTitle string              `json:"dashboard_title"`
	Panel          string              `json:"panel"`
	PanelID        int64               `json:"panel_id"`
	RefID          string              `json:"ref_id"`
	Message        string              `json:"message"` // in the first cell in which it is broken
	Reasons        []string            `json:"reasons"`
	Where          string              `json:"where"`
	Untold         int                 `json:"untold"` // cells that could not tell
	Cells          []map[string]string `json:"cells"`
}

// NewMatrixDocument tells a matrix as its JSON does.
func NewMatrixDocument(m MatrixResult) *MatrixDocument {
	out := &MatrixDocument{
		Schema: Schema, Version: m.Version, Stack: m.StackDir, Env: m.Where, Verdict: m.Verdict, ExitCode: m.ExitCode,
		DurationMS: milliseconds(m.Took), Shard: m.Shard, Axes: []MatrixAxis{}, Cells: []MatrixCell{}, Broken: []MatrixBroken{},
	}
	if m.Err != nil {
		out.Error = m.Err.Error()
	}
	if m.Plan == nil {
		return out
	}
	out.Combinations, out.Combine = m.Plan.Combinations(), m.Plan.Combined()
	for _, a := range m.Plan.Axes {
		axis := MatrixAxis{Name: a.Name}
		for _, v := range a.Values {
			axis.Values = append(axis.Values, MatrixValue{v.Name, v.Image, v.Environment})
		}
		out.Axes = append(out.Axes, axis)
	}
	for i, r := range m.Results {
		out.Cells = append(out.Cells, matrixCell(r, m.Documents[i]))
	}
	for _, b := range m.Plan.Broken(m.Results) {
		out.Broken = append(out.Broken, matrixBroken(b, m.Results))
	}
	return out
}

func matrixCell(r matrix.Result, d *Document) MatrixCell {
	const notRun = 3
	c := MatrixCell{Values: names(r.Cell), Verdict: r.Outcome.Verdict, ExitCode: notRun, Error: r.Outcome.Err, DurationMS: milliseconds(r.Took), Report: d}
	if d != nil {
		c.ExitCode = d.ExitCode
	}
	return c
}

func matrixBroken(b matrix.Broken, results []matrix.Result) MatrixBroken {
	out := MatrixBroken{
		Rule: b.Rule, Severity: b.Severity, File: b.File, Line: b.Line, Column: b.Column,
		Dashboard: b.Dashboard, DashboardTitle: b.DashboardTitle, Panel: b.Panel, PanelID: b.PanelID, RefID: b.RefID,
		Message: b.Message, Reasons: append([]string{}, b.Reasons...), Where: b.Where, Untold: b.Untold,
	}
	for _, i := range b.Cells {
		out.Cells = append(out.Cells, names(results[i].Cell))
	}
	return out
}

// names are those of a cell's values, by axis.
func names(c matrix.Cell) map[string]string {
	out := map[string]string{}
	for _, choice := range c.Choices {
		out[choice.Axis] = choice.Value.Name
	}
	return out
}

// MatrixJSON writes the outcome of a matrix under the versioned schema.
func MatrixJSON(w io.Writer, m MatrixResult) error { return writeJSON(w, NewMatrixDocument(m)) }
