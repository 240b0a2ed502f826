package matrix

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
)

// Verdict is what a cell came to, as reports spell it.
type Verdict string

// The verdicts.
const (
	Pass  Verdict = "pass"
	Fail  Verdict = "fail"
	Error Verdict = "error" // it could not be run
)

// Outcome is what the proof of one cell came to.
type Outcome struct {
	Verdict Verdict
	Err     string // why it could not be run
	// Blind says that no query at all was answered: what a panel would have shown is
	// not known then.
	Blind  bool
	Broken []Break
}

// Break is one thing that is broken in a cell: a query of a panel, or what is
// behind it.
type Break struct {
	Rule           string
	Severity       string
	File           string
	Line, Column   int
	Dashboard      string // uid
	DashboardTitle string
	Panel          string
	PanelID        int64
	RefID          string
	Message        string
	Reason         string
}

// Result is a cell with its outcome.
type Result struct {
	Cell    Cell
	Outcome Outcome
	Took    time.Duration
}

// Run has each cell proven, several at once, and returns a result for each in their
// order. What fails in one cell does not stop the others; when ctx ends, those that
// are left could not be run. Cells that run the same are proven once. done is told of
// each result as it comes in, by one goroutine at a time; it may be nil.
func Run(ctx context.Context, cells []Cell, parallel int, prove func(context.Context, Cell) Outcome, done func(Result)) []Result {
	results := make([]Result, len(cells))
	first := map[string]int{}
	var g errgroup.Group
	var mu sync.Mutex
	g.SetLimit(max(parallel, 1))
	for i, c := range cells {
		if _, known := first[c.Key()]; known {
			continue
		}
		first[c.Key()] = i
		g.Go(func() error {
			results[i] = proven(ctx, c, prove)
			if done != nil {
				mu.Lock()
				defer mu.Unlock()
				done(results[i])
			}
			return nil
		})
	}
	_ = g.Wait() // no cell returns an error: it is in the result
	for i, c := range cells {
		if same := first[c.Key()]; same != i {
			results[i] = Result{c, results[same].Outcome, results[same].Took}
		}
	}
	return results
}

// proven is the result of one cell, whatever happens in it.
func proven(ctx context.Context, c Cell, prove func(context.Context, Cell) Outcome) Result {
	began := time.Now()
	out := Outcome{Verdict: Error}
	err := env.Guarded(func() error {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, context.Canceled):
			return errors.New("not begun: the run was interrupted")
		case cause != nil:
			return fmt.Errorf("not begun: %w", cause)
		}
		out = prove(ctx, c)
		return nil
	})()
	if err != nil {
		out = Outcome{Verdict: Error, Err: err.Error()}
	}
	return Result{c, out, time.Since(began)}
}
