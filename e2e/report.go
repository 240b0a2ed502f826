package e2e

import (
	"slices"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// Report is the outcome of one run.
type Report struct {
	Stack   *stack.Stack
	Env     string // where the stack ran, or "static" for the files alone
	Boards  []*rule.Board
	Targets []env.Target
	Queries []*rule.Asked
	// Variables are those of the dashboards as they came out.
	Variables []rule.Variable
	Findings  []rule.Finding
	Excluded  []rule.Excluded // findings that are known and stay
	Stages    []Stage
	Notes     []string // what else a reader should know of the run
	Part      *Part    // of the run of a shard, nil of a whole one

	// Recalled is when the targets were as they are told, where nothing was started
	// because everything is known from an earlier run; zero where they are as of now.
	Recalled time.Time

	proof *proof // what the next run of a session goes on from, nil outside of one
}

// Fails says whether a run fails whoever minds findings of failOn and above. That a
// run has checked nothing fails as well, independently of any rule: rules can be
// switched off, having checked nothing cannot.
//
// A shard may have nothing to check where others have: whoever puts them together says
// whether anything was.
func (r *Report) Fails(failOn rule.Severity) bool {
	return r.Part == nil && !r.Checked() || r.Finds(failOn)
}

// Finds says whether there are findings of failOn and above.
func (r *Report) Finds(failOn rule.Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f rule.Finding) bool { return f.Severity >= failOn })
}

// Checked says whether anything was: of a stack that ran, a query that was asked, and
// of the files alone, a dashboard.
func (r *Report) Checked() bool {
	if r.Env == "static" {
		return len(r.Boards) > 0
	}
	return slices.ContainsFunc(r.Queries, func(q *rule.Asked) bool { return q.Sent })
}

// Stage is a part of a run and how long it took.
type Stage struct {
	Name     string
	Duration time.Duration
}
