package paneltest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// Run proves the stack in dir, which is relative to the test's directory, and reports
// each query of each panel as a subtest of t. It fails t at once where the stack cannot
// be run at all.
func Run(t *testing.T, dir string, opts ...Option) {
	t.Helper()
	s := &settings{source: e2e.Source{Dir: dir}, failOn: rule.Error}
	for _, o := range opts {
		o(s)
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		t.Fatalf("find the stack: %v", err)
	}
	if s.failOn == rule.Off {
		t.Fatal("WithFailOn: want rule.Error, rule.Warning or rule.Info")
	}
	began := time.Now()
	report, err := s.prove(t)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(summary(report, time.Since(began)))
	for _, n := range report.Notes {
		t.Log("note: " + n)
	}
	tell := &teller{root: root, failOn: s.failOn}
	whole := plan(report)
	for _, n := range whole.below {
		tell.run(t, n, whole.general())
	}
	if !report.Checked() {
		t.Errorf("no query was asked, of %d dashboards: that is no success, whatever the rules are set to", len(report.Boards))
	}
}

// prove reads and runs the stack, and stops it in time for its story to be told.
func (s *settings) prove(t *testing.T) (*e2e.Report, error) {
	t.Helper()
	ctx, cancel := within(t)
	defer cancel()
	loaded, err := e2e.Load(ctx, s.source)
	if err != nil {
		return nil, cutShort(ctx, err)
	}
	for _, change := range s.adjust {
		change(&loaded.Options)
	}
	stage := ""
	told := loaded.Options.Progress
	loaded.Options.Progress = func(now string, done, total int) {
		if stage = now; told != nil {
			told(now, done, total)
		}
	}
	report, err := e2e.Verify(ctx, loaded.Stack, loaded.Options)
	if err != nil {
		return nil, fmt.Errorf("the stack could not be run (%s): %w", stage, cutShort(ctx, err))
	}
	return report, nil
}

// errTimeout says which time is up.
var errTimeout = errors.New("not finished in time for go test: raise its -timeout, or lower WithHistory")

// within is the test's context, and ends before go test would end the process, which
// tells nothing and leaves containers behind.
func within(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	const most = 15 * time.Second // that stopping takes
	deadline, ok := t.Deadline()
	if !ok {
		return context.WithCancel(t.Context())
	}
	left := time.Until(deadline)
	return context.WithTimeoutCause(t.Context(), left-min(left/10, most), errTimeout)
}

// cutShort is the better reason of an error: that the time was up, where it was.
func cutShort(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// summary says what was looked at.
func summary(r *e2e.Report, took time.Duration) string {
	panels, up := 0, 0
	for _, b := range r.Boards {
		for _, p := range b.Panels {
			if !p.IsRow() {
				panels++
			}
		}
	}
	for _, target := range r.Targets {
		if target.Up {
			up++
		}
	}
	return fmt.Sprintf("%s: dashboards %d, panels %d, queries %d, targets %d of %d up, in %s",
		r.Env, len(r.Boards), panels, len(r.Queries), up, len(r.Targets), took.Round(10*time.Millisecond))
}
