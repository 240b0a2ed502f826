// Package report renders the outcome of a run for people and for machines.
package report

import (
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/story"
	"github.com/panelgate/panelgate/stack/source"
)

// Verdict is what a run came to.
type Verdict string

// The verdicts, as the JSON spells them.
const (
	Pass   Verdict = "pass"
	Fail   Verdict = "fail"
	Failed Verdict = "error" // the proof could not be run
)

// Result is a run's outcome with what the command adds to it.
type Result struct {
	*e2e.Report // nil where the proof could not be run
	Version     string
	StackDir    string // as given on the command line
	Where       string // the environment asked for
	// Undrawn says that nobody will look at the panels, and spares drawing them.
	Undrawn bool
	// Told says that the dashboards and their queries were told while they were asked.
	Told     bool
	Began    time.Time
	Took     time.Duration
	Verdict  Verdict
	FailOn   rule.Severity // the mildest that fails; Off where that was not understood
	ExitCode int
	Err      error // why it could not be run
	// Shard is what the command knows of the part that the run was, nil for a whole one.
	Shard *Shard
	// Since is what a branch touches, where only that was checked; nil for everything.
	Since *since.Touched
}

// place is a position with its file as seen from where the command was run.
func (r Result) place(p source.Pos) source.Pos {
	if p.File != "" && !filepath.IsAbs(p.File) {
		p.File = path.Join(filepath.ToSlash(r.StackDir), p.File)
	}
	return p
}

// Counts sum a run up.
type Counts struct {
	Dashboards    int `json:"dashboards"`
	Panels        int `json:"panels"`
	Queries       int `json:"queries"`
	OK            int `json:"ok"`
	Failed        int `json:"failed"`
	ExpectedEmpty int `json:"expected_empty"`
	Unchecked     int `json:"unchecked"`
	Skipped       int `json:"skipped"`
	Targets       int `json:"targets"`
	TargetsUp     int `json:"targets_up"`
	Errors        int `json:"errors"`
	Warnings      int `json:"warnings"`
	Infos         int `json:"infos"`
	Suppressed    int `json:"suppressed"` // findings that are excluded, counted nowhere else
	// Cached are the queries that an earlier run asked, counted above as well.
	Cached int `json:"cached,omitempty"`
}

func (r Result) counts() Counts {
	var c Counts
	if r.Report == nil {
		return c
	}
	c.Dashboards = len(r.Boards)
	for _, b := range r.Boards {
		c.Panels += panels(b)
	}
	c.Queries = len(r.Queries)
	for _, q := range r.Queries {
		c.add(q.Status)
		if !q.Recalled.IsZero() {
			c.Cached++
		}
	}
	c.Targets = len(r.Targets)
	for _, t := range r.Targets {
		if t.Up {
			c.TargetsUp++
		}
	}
	c.Suppressed = len(r.Excluded)
	for _, f := range r.Findings {
		switch f.Severity {
		case rule.Error:
			c.Errors++
		case rule.Warning:
			c.Warnings++
		case rule.Info:
			c.Infos++
		}
	}
	return c
}

func (c *Counts) add(s rule.Status) {
	switch s {
	case rule.StatusOK:
		c.OK++
	case rule.StatusFailed:
		c.Failed++
	case rule.StatusExpectedEmpty:
		c.ExpectedEmpty++
	case rule.StatusUnchecked:
		c.Unchecked++
	case rule.StatusSkipped:
		c.Skipped++
	}
}

// panels counts what is drawn: everything but rows.
func panels(b *rule.Board) int {
	n := 0
	for _, p := range b.Panels {
		if !p.IsRow() {
			n++
		}
	}
	return n
}

// Clean makes text from files and servers safe for a terminal.
func Clean(s string) string { return story.Clean(s) }

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		return strconv.Itoa(n) + " " + noun[:len(noun)-1] + "ies"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
