package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/story"
	"github.com/panelgate/panelgate/stack/source"
)

// Schema is the version of the JSON report. Additions leave it, changes raise it.
const Schema = 1

// Document is a run as its JSON report tells it: what another process, or an
// environment that runs the gate elsewhere, knows of it.
type Document struct {
	Schema     int         `json:"schema"`
	Version    string      `json:"version"`
	Stack      string      `json:"stack"`
	Env        string      `json:"env"`
	Verdict    Verdict     `json:"verdict"`
	ExitCode   int         `json:"exit_code"`
	Error      string      `json:"error,omitempty"`
	DurationMS float64     `json:"duration_ms"`
	Counts     Counts      `json:"counts"`
	FailOn     string      `json:"fail_on,omitempty"` // the mildest severity that failed the run
	Began      time.Time   `json:"began,omitzero"`
	Notes      []string    `json:"notes,omitempty"`
	Stages     []Stage     `json:"stages,omitempty"`
	Targets    []Target    `json:"targets"`
	Dashboards []Dashboard `json:"dashboards"`
	Queries    []Query     `json:"queries"`
	Findings   []Finding   `json:"findings"`
	// Shard is there where several runs share the stack and this is one of them.
	Shard *Shard `json:"shard,omitempty"`
	// Since is there where only what a branch touches was checked.
	Since *since.Touched `json:"since,omitempty"`
	// Suppressed are the findings that somebody knows of and has excluded.
	Suppressed []Suppressed `json:"suppressed,omitempty"`
	// Drawings are what the dashboards show, in their order. They are in the event
	// stream, and too much for a document that people look into.
	Drawings []*drawing.Drawing `json:"-"`
	// Checkout is where the names of files lead. Who writes a report says so: it is
	// nothing that was found.
	Checkout Checkout `json:"-"`
}

// Suppressed is a finding that does not count, and who says so.
type Suppressed struct {
	Finding
	Why string `json:"why"`
	By  string `json:"by"` // where the exclusion stands, as file:line:column
}

// Stage is a part of a run. The steps of a start overlap: their durations are
// counted from its beginning.
type Stage struct {
	Name       string  `json:"name"`
	DurationMS float64 `json:"duration_ms"`
}

// Through is what a real Grafana answered to a query.
type Through struct {
	Series   int      `json:"series"`
	Samples  int      `json:"samples"`
	Executed string   `json:"executed,omitempty"`
	Error    string   `json:"error,omitempty"`
	Differs  []string `json:"differs,omitempty"`
}

// Target is a scrape target and how it was found.
type Target struct {
	Job        string `json:"job"`
	Instance   string `json:"instance"`
	URL        string `json:"url"`
	Up         bool   `json:"up"`
	Error      string `json:"error,omitempty"`
	AnsweredBy string `json:"answered_by,omitempty"`
	// Release is the one of the exporter that is acted out.
	Release string `json:"release,omitempty"`
	// Cached says that the state is an earlier run's: this one started nothing.
	Cached bool `json:"cached,omitempty"`
}

// Query is one query of a panel and what came of it.
type Query struct {
	Dashboard      string      `json:"dashboard"`
	DashboardTitle string      `json:"dashboard_title"`
	Panel          string      `json:"panel"`
	PanelID        int64       `json:"panel_id"`
	RefID          string      `json:"ref_id"`
	File           string      `json:"file"` // where the query stands, and the dashboard's own file
	Line           int         `json:"line"`
	Column         int         `json:"column"`
	DashboardFile  string      `json:"dashboard_file"`
	Datasource     string      `json:"datasource"`
	Expr           string      `json:"expr"`
	ExprRun        string      `json:"expr_run"`
	Instant        bool        `json:"instant"`
	StepMS         int64       `json:"step_ms,omitempty"`
	Status         rule.Status `json:"status"`
	Why            string      `json:"why,omitempty"` // of a query that was not asked, or failed
	Series         int         `json:"series"`
	Samples        int         `json:"samples"`
	// Every is which of the steps were evaluated, every so many-th; absent for all.
	Every      int     `json:"every,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	// Cached says that an earlier run asked this, at AskedAt, and that nothing which the
	// outcome depends on has changed since.
	Cached  bool      `json:"cached,omitempty"`
	AskedAt time.Time `json:"asked_at,omitzero"`
	// Grafana is there where a real one was asked too.
	Grafana *Through `json:"grafana,omitempty"`
}

// Finding is one thing that is wrong.
type Finding struct {
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
	Subject        string   `json:"subject,omitempty"` // a rule that it is about, in the place of a panel
	Expr           string   `json:"expr,omitempty"`
	ExprRun        string   `json:"expr_run,omitempty"`
	Empty          *Span    `json:"empty,omitempty"` // the part of expr_run that is empty
	Message        string   `json:"message"`
	Reason         string   `json:"reason"`
	Evidence       []string `json:"evidence"`
	Fix            string   `json:"fix"`
	Asked          int      `json:"asked,omitempty"`  // questions that it took to find the reason
	Mended         string   `json:"mended,omitempty"` // expr as it ought to be written
}

// JSON writes the document under the versioned schema.
func JSON(w io.Writer, d *Document) error { return writeJSON(w, d) }

func writeJSON(w io.Writer, document any) error { return Encode(w, "JSON", document) }

// Encode writes a report of some kind that is JSON, and in which nothing steers a terminal.
func Encode(w io.Writer, kind string, document any) error {
	enc := json.NewEncoder(inert{w})
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return fmt.Errorf("write the %s report: %w", kind, err)
	}
	return nil
}

// inert writes JSON in which what a terminal would obey, or nobody would see, is
// written as an escape. Only strings hold such characters, so that who reads the JSON
// gets the very same.
type inert struct{ w io.Writer }

// Write implements io.Writer for whole documents, as an encoder writes them.
func (i inert) Write(data []byte) (int, error) {
	if _, err := i.w.Write(escaped(data)); err != nil {
		return 0, err
	}
	return len(data), nil
}

func escaped(data []byte) []byte {
	var out []byte
	from := 0
	for at := 0; at < len(data); {
		if data[at] < 0x7f { // an encoder escapes the rest of them by itself
			at++
			continue
		}
		c, size := utf8.DecodeRune(data[at:])
		if story.Unseen(c) {
			out = append(out, data[from:at]...)
			for _, unit := range utf16.Encode([]rune{c}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
			from = at + size
		}
		at += size
	}
	if from == 0 {
		return data
	}
	return append(out, data[from:]...)
}

// mostBytes bounds a report that is read. One of a thousand panels has 2 MB.
const mostBytes = 256 << 20

// Read reads a report that JSON has written, this version's or a later one's of
// the same schema.
func Read(r io.Reader) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the JSON report: %w", err)
	case len(data) > mostBytes:
		return nil, fmt.Errorf("read the JSON report: it has more than %d bytes", mostBytes)
	}
	var d Document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("read the JSON report: %w", err)
	}
	if err := d.valid(); err != nil {
		return nil, err
	}
	return &d, nil
}

func (r Result) query(a *rule.Asked) Query {
	q := Query{
		Dashboard: a.Board.UID.Value, DashboardTitle: a.Board.Title.Value,
		Panel: a.Panel.Title.Value, PanelID: rule.PanelID(a.Panel),
		ExprRun: a.Request.Expr, Instant: a.Request.Instant, StepMS: a.Request.Step.Milliseconds(),
		DashboardFile: r.place(source.Pos{File: a.Board.File}).File,
		Status:        a.Status, Why: a.Skip, Series: a.Series, Samples: a.Samples, DurationMS: milliseconds(a.Duration),
		Cached: !a.Recalled.IsZero(), AskedAt: a.Recalled,
	}
	if a.Every > 1 {
		q.Every = a.Every
	}
	pos := a.Panel.Pos
	if a.Target != nil {
		q.RefID, q.Expr = a.Target.RefID.Value, a.Target.Expr.Value
		pos = a.Target.Pos
		if !a.Target.Expr.Pos.IsZero() {
			pos = a.Target.Expr.Pos
		}
	}
	pos = r.place(pos)
	q.File, q.Line, q.Column = pos.File, pos.Line, pos.Column
	if a.Datasource != nil {
		q.Datasource = a.Datasource.EffectiveUID
	}
	if a.Err != nil {
		q.Why = a.Err.Error()
	}
	if g := a.Grafana; g != nil {
		q.Grafana = &Through{Series: g.Series, Samples: g.Samples, Executed: g.Executed, Differs: g.Differs}
		if g.Err != nil {
			q.Grafana.Error = g.Err.Error()
		}
	}
	return q
}

func (r Result) finding(f rule.Finding) Finding {
	pos := r.place(f.Pos)
	evidence := f.Evidence
	if evidence == nil {
		evidence = []string{}
	}
	out := Finding{
		Rule: f.Rule, Severity: f.Severity.String(), File: pos.File, Line: pos.Line, Column: pos.Column,
		Dashboard: f.Dashboard, DashboardTitle: f.DashboardTitle, Panel: f.Panel, PanelID: f.PanelID, RefID: f.RefID, Subject: f.Subject,
		Expr: f.Expr, ExprRun: f.ExprRun, Message: f.Message, Reason: f.Reason, Evidence: evidence, Fix: f.Fix, Asked: f.Asked, Mended: f.Mended,
	}
	if f.Empty != (rule.Span{}) {
		out.Empty = &Span{Start: f.Empty.Start, End: f.Empty.End}
	}
	return out
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
