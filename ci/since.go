package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/since"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// sinceFlags limit a run to what a branch touches.
type sinceFlags struct {
	revision string
	// passed is what is touched, as found out elsewhere: the gate in a pipeline's
	// container has no repository.
	passed string
	found  *since.Touched // nil where everything is checked
	// idle says that the branch touches no dashboard that is chosen.
	idle bool
}

func (f *sinceFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.revision, "since", "", "check only what has changed since HEAD's branch left `REVISION`, as origin/main: dashboards, and those that depend on a file that has")
	cmd.Flags().StringVar(&f.passed, "touched", "", "what --since has found, as `JSON`: for the gate in a pipeline")
	if err := cmd.Flags().MarkHidden("touched"); err != nil {
		panic(err) // the flag is defined a line above
	}
}

func (f *sinceFlags) asked() bool { return f.revision != "" || f.passed != "" }

// told is what was found, for --touched.
func (f *sinceFlags) told() string {
	if f.found == nil {
		return ""
	}
	text, err := json.Marshal(f.found)
	if err != nil {
		panic(err) // it consists of strings
	}
	return string(text)
}

// choose finds out what is touched, and narrows the choice of dashboards to that. among
// is nil for all.
func (f *sinceFlags) choose(ctx context.Context, dir string, s *stack.Stack, cfg *config.Config, among func(*stack.Board) bool) (func(*stack.Board) bool, error) {
	switch {
	case f.passed != "":
		f.found = &since.Touched{}
		if err := json.Unmarshal([]byte(f.passed), f.found); err != nil {
			return nil, fmt.Errorf("--touched: %w", err)
		}
	case f.revision != "":
		changes, err := since.Changed(ctx, dir, f.revision)
		if err != nil {
			return nil, err
		}
		f.found = since.Of(s, cfg, changes)
	default:
		return among, nil
	}
	chosen := func(b *stack.Board) bool { return among == nil || among(b) }
	both := func(b *stack.Board) bool { return chosen(b) && f.found.Chooses(b) }
	// A stack without dashboards, and a pattern that fits none, are as wrong as ever.
	f.idle = f.found.Nothing() || slices.ContainsFunc(s.Dashboards, chosen) && !slices.ContainsFunc(s.Dashboards, both)
	return both, nil
}

// ofBranch leaves of a report what is about what has changed.
func (f *sinceFlags) ofBranch(r *e2e.Report) *e2e.Report {
	if f.found == nil || r == nil {
		return r
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(x rule.Finding) bool {
		return x.Rule != nothingChecked && !f.found.Concerns(r.Stack, x) // that is about this run
	})
	r.Excluded = slices.DeleteFunc(r.Excluded, func(x rule.Excluded) bool { return !f.found.Concerns(r.Stack, x.Finding) })
	r.Notes = append(r.Notes, f.found.Note(len(r.Boards)))
	return r
}

// nothingChecked is the rule that a run which checks nothing breaks.
const nothingChecked = "gate/nothing-checked"

// filesAlone is the report of a branch that touches no dashboard: what the files that
// it has changed are found to hold, where it has changed any.
func (c *checkFlags) filesAlone(p *prepared, where string) *e2e.Report {
	r := e2e.Lint(p.stack, p.opts)
	r.Env = where
	r = c.since.ofBranch(r)
	r.Findings = slices.DeleteFunc(r.Findings, func(f rule.Finding) bool {
		return c.since.found.Nothing() || f.Rule == nothingChecked
	})
	return r
}

// idleOutside says whether a branch touches nothing for which a pipeline would have to
// be built. What is wrong with the flags is left to the run to tell.
func (c *checkFlags) idleOutside(ctx context.Context, stderr io.Writer) bool {
	if !c.since.asked() {
		return false
	}
	_, err := c.prepare(ctx, stderr)
	return err == nil && c.since.idle
}
