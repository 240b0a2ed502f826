package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
)

// Schema is the version of the JSON report. Additions leave it, changes raise it.
const Schema = 1

type jsonReport struct {
	Schema     int           `json:"schema"`
	Version    string        `json:"version"`
	Stack      string        `json:"stack"`
	Env        string        `json:"env"`
	Verdict    Verdict       `json:"verdict"`
	ExitCode   int           `json:"exit_code"`
	Error      string        `json:"error,omitempty"`
	DurationMS float64       `json:"duration_ms"`
	Counts     counts        `json:"counts"`
	Notes      []string      `json:"notes,omitempty"`
	Stages     []jsonStage   `json:"stages,omitempty"`
	Targets    []jsonTarget  `json:"targets"`
	Queries    []jsonQuery   `json:"queries"`
	Findings   []jsonFinding `json:"findings"`
}

// jsonStage is a part of the run. The steps of a start overlap: their durations are
// counted from its beginning.
type jsonStage struct {
	Name       string  `json:"name"`
	DurationMS float64 `json:"duration_ms"`
}

// jsonThrough is what a real Grafana answered to a query.
type jsonThrough struct {
	Series   int      `json:"series"`
	Samples  int      `json:"samples"`
	Executed string   `json:"executed,omitempty"`
	Error    string   `json:"error,omitempty"`
	Differs  []string `json:"differs,omitempty"`
}

type jsonTarget struct {
	Job        string `json:"job"`
	Instance   string `json:"instance"`
	URL        string `json:"url"`
	Up         bool   `json:"up"`
	Error      string `json:"error,omitempty"`
	AnsweredBy string `json:"answered_by,omitempty"`
}

type jsonQuery struct {
	Dashboard      string      `json:"dashboard"`
	DashboardTitle string      `json:"dashboard_title"`
	Panel          string      `json:"panel"`
	PanelID        int64       `json:"panel_id"`
	RefID          string      `json:"ref_id"`
	Datasource     string      `json:"datasource"`
	Expr           string      `json:"expr"`
	ExprRun        string      `json:"expr_run"`
	Instant        bool        `json:"instant"`
	StepMS         int64       `json:"step_ms,omitempty"`
	Status         rule.Status `json:"status"`
	Why            string      `json:"why,omitempty"` // of a query that was not asked, or failed
	Series         int         `json:"series"`
	Samples        int         `json:"samples"`
	DurationMS     float64     `json:"duration_ms"`
	// Grafana is there where a real one was asked too.
	Grafana *jsonThrough `json:"grafana,omitempty"`
}

type jsonFinding struct {
	Rule           string   `json:"rule"`
	Severity       string   `json:"severity"`
	File           string   `json:"file"`
	Line           int      `json:"line"`
	Column         int      `json:"column"`
	Dashboard      string   `json:"dashboard"`
	DashboardTitle string   `json:"dashboard_title"`
	Panel          string   `json:"panel"`
	PanelID        int64    `json:"panel_id"`
	RefID          string   `json:"ref_id"`
	Expr           string   `json:"expr,omitempty"`
	ExprRun        string   `json:"expr_run,omitempty"`
	Message        string   `json:"message"`
	Reason         string   `json:"reason"`
	Evidence       []string `json:"evidence"`
	Fix            string   `json:"fix"`
}

// JSON writes the result under the versioned schema.
func JSON(w io.Writer, r Result) error {
	out := jsonReport{
		Schema: Schema, Version: r.Version, Stack: r.StackDir, Env: r.Where, Verdict: r.Verdict, ExitCode: r.ExitCode,
		DurationMS: milliseconds(r.Took),
		Counts:     r.counts(), Targets: []jsonTarget{}, Queries: []jsonQuery{}, Findings: []jsonFinding{},
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	if r.Report != nil {
		out.Notes = r.Notes
		for _, s := range r.Stages {
			out.Stages = append(out.Stages, jsonStage{s.Name, milliseconds(s.Duration)})
		}
		for _, t := range r.Targets {
			out.Targets = append(out.Targets, jsonTarget{t.Job, t.Instance, t.URL, t.Up, t.Error, t.AnsweredBy})
		}
		for _, q := range r.Queries {
			out.Queries = append(out.Queries, asJSON(q))
		}
		for _, f := range r.Findings {
			out.Findings = append(out.Findings, r.finding(f))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

func asJSON(a *rule.Asked) jsonQuery {
	q := jsonQuery{
		Dashboard: a.Board.UID.Value, DashboardTitle: a.Board.Title.Value,
		Panel: a.Panel.Title.Value, PanelID: rule.PanelID(a.Panel),
		ExprRun: a.Request.Expr, Instant: a.Request.Instant, StepMS: a.Request.Step.Milliseconds(),
		Status: a.Status, Why: a.Skip, Series: a.Series, Samples: a.Samples, DurationMS: milliseconds(a.Duration),
	}
	if a.Target != nil {
		q.RefID, q.Expr = a.Target.RefID.Value, a.Target.Expr.Value
	}
	if a.Datasource != nil {
		q.Datasource = a.Datasource.EffectiveUID
	}
	if a.Err != nil {
		q.Why = a.Err.Error()
	}
	if g := a.Grafana; g != nil {
		q.Grafana = &jsonThrough{Series: g.Series, Samples: g.Samples, Executed: g.Executed, Differs: g.Differs}
		if g.Err != nil {
			q.Grafana.Error = g.Err.Error()
		}
	}
	return q
}

func (r Result) finding(f rule.Finding) jsonFinding {
	pos := r.place(f.Pos)
	evidence := f.Evidence
	if evidence == nil {
		evidence = []string{}
	}
	return jsonFinding{
		Rule: f.Rule, Severity: f.Severity.String(), File: pos.File, Line: pos.Line, Column: pos.Column,
		Dashboard: f.Dashboard, DashboardTitle: f.DashboardTitle, Panel: f.Panel, PanelID: f.PanelID, RefID: f.RefID,
		Expr: f.Expr, ExprRun: f.ExprRun, Message: f.Message, Reason: f.Reason, Evidence: evidence, Fix: f.Fix,
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
