package report

import (
	"io"

	"github.com/panelgate/panelgate/e2e/drift"
)

// DriftDocument is a drift as its JSON report tells it.
type DriftDocument struct {
	Schema     int             `json:"schema"`
	Version    string          `json:"version"`
	Stack      string          `json:"stack"`
	Verdict    Verdict         `json:"verdict"`
	ExitCode   int             `json:"exit_code"`
	Error      string          `json:"error,omitempty"`
	DurationMS float64         `json:"duration_ms"`
	Runs       int             `json:"runs"`
	Exporters  []DriftExporter `json:"exporters"`
}

// DriftExporter is an exporter whose releases were tried.
type DriftExporter struct {
	Name     string         `json:"name"`
	Own      []string       `json:"own"` // the stack's releases
	Releases []DriftRelease `json:"releases"`
	Panels   []DriftPanel   `json:"panels"`
}

// DriftRelease is one release that was tried.
type DriftRelease struct {
	Release string `json:"release"`
	// Like is the release that was proven in its place, as both print the same.
	Like   string `json:"like,omitempty"`
	Own    bool   `json:"own"`
	Breaks int    `json:"breaks"`
	Error  string `json:"error,omitempty"`
}

// DriftPanel is a panel that is broken with some release.
type DriftPanel struct {
	File           string      `json:"file"`
	Dashboard      string      `json:"dashboard"`
	DashboardTitle string      `json:"dashboard_title"`
	Panel          string      `json:"panel"`
	PanelID        int64       `json:"panel_id"`
	Subject        string      `json:"subject,omitempty"`
	Spans          []DriftSpan `json:"spans"`
}

// DriftSpan is releases next to each other that do the same to the panel.
type DriftSpan struct {
	First  string       `json:"first"`
	Last   string       `json:"last"`
	State  drift.State  `json:"state"`
	Since  string       `json:"since,omitempty"`
	Until  string       `json:"until,omitempty"`
	Breaks []DriftBreak `json:"breaks"`
}

// DriftBreak is one thing that is wrong with the panel.
type DriftBreak struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	RefID    string `json:"ref_id"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	Why      string `json:"why,omitempty"`
	Fix      string `json:"fix"`
}

// NewDriftDocument tells a drift as its JSON does.
func NewDriftDocument(r DriftResult) *DriftDocument {
	out := &DriftDocument{
		Schema: Schema, Version: r.Version, Stack: r.StackDir, Verdict: r.Verdict, ExitCode: r.ExitCode, DurationMS: milliseconds(r.Took),
		Exporters: []DriftExporter{},
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	if r.Result == nil {
		return out
	}
	out.Runs = r.Result.Runs
	for _, e := range r.Result.Exporters {
		one := DriftExporter{Name: e.Name, Own: e.Own, Releases: []DriftRelease{}, Panels: []DriftPanel{}}
		for _, v := range e.Versions {
			one.Releases = append(one.Releases, DriftRelease{v.Name, v.Like, v.Own, v.Breaks, v.Err})
		}
		for _, p := range e.Panels {
			one.Panels = append(one.Panels, driftPanel(r.StackDir, p))
		}
		out.Exporters = append(out.Exporters, one)
	}
	return out
}

func driftPanel(dir string, p drift.Panel) DriftPanel {
	out := DriftPanel{inStack(dir, p.File), p.Dashboard, p.DashboardTitle, p.Panel, p.PanelID, p.Subject, []DriftSpan{}}
	for _, s := range p.Spans {
		span := DriftSpan{s.First, s.Last, s.State, s.Since, s.Until, []DriftBreak{}}
		for _, b := range s.Breaks {
			span.Breaks = append(span.Breaks, DriftBreak(b))
		}
		out.Spans = append(out.Spans, span)
	}
	return out
}

// DriftJSON writes a drift under the versioned schema.
func DriftJSON(w io.Writer, r DriftResult) error { return writeJSON(w, NewDriftDocument(r)) }
