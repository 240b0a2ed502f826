// Package watch proves a stack again whenever its files change, on a Prometheus that
// stays up for as long as what it reads stays the same, and serves the outcome live.
package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// Input is a stack as its files have it now, and how it is to be proven.
type Input struct {
	Stack   *stack.Stack
	Options e2e.Options
}

// Run is one proof, or why there is none.
type Run struct {
	Changed   []string // files, absolute; nil for the first run
	Restarted string   // why Prometheus was started anew, "" where it stayed up
	Report    *e2e.Report
	Err       error // why the files could not be read, or the stack not be run
	Began     time.Time
	AsOf      time.Time // the moment that was asked about, zero where nothing was
}

// Watcher proves a stack whenever it changes.
type Watcher struct {
	// Read reads the files; what has not changed is taken from the stack that was
	// read before, nil for none.
	Read func(ctx context.Context, former *stack.Stack) (*Input, error)
	// Roots are what is watched where the files cannot be read, and besides them.
	Roots []string
	// Say is told what takes longer than an edit should.
	Say func(text string)
	// Show is handed each run, the first one included.
	Show func(*Run) error

	files    *Files
	session  *e2e.Session // nil before one could be started
	scenario *fakes.Scenario
	input    *Input // that the last run was of
	last     *Run
	proven   *e2e.Report // the last one of the session, to go on from
}

// oldest is how old the data of a session may be when an edit comes: dashboards say
// "now", and who looks at a clock wants to see it.
const oldest = 30 * time.Minute

// runsRemembered is for how many runs an answer is kept that nothing asks for: an edit
// is often taken back.
const runsRemembered = 8

// Watch runs until ctx ends, which is no error, or watching fails. Everything that it
// has started is stopped when it returns.
func (w *Watcher) Watch(ctx context.Context) (err error) {
	if w.files, err = NewFiles(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.files.Close(), w.stop()) }()
	if err := w.files.Follow(w.Roots); err != nil {
		return err
	}
	var changed []string
	for {
		run, err := w.run(ctx, changed)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case run != nil:
			if err := w.Show(run); err != nil {
				return err
			}
			w.last = run
		}
		if changed, err = w.files.Next(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// stop ends the session, if there is one.
func (w *Watcher) stop() error {
	if w.session == nil {
		return nil
	}
	defer func() { w.session, w.proven = nil, nil }()
	return w.session.Close()
}

// run proves the files as they are now; nil where nothing that matters has changed.
func (w *Watcher) run(ctx context.Context, changed []string) (*Run, error) {
	run := &Run{Changed: changed, Began: time.Now()}
	var former *stack.Stack
	if w.input != nil {
		former = w.input.Stack
	}
	in, err := w.Read(ctx, former)
	if err != nil {
		run.Err = err
		if w.last != nil && w.last.Err != nil && w.last.Err.Error() == err.Error() {
			return nil, nil
		}
		return run, nil
	}
	if err := w.files.Follow(append(slices.Clone(w.Roots), Paths(in)...)); err != nil {
		return nil, err
	}
	if w.last != nil && w.last.Err == nil && w.same(in) {
		return nil, nil
	}
	w.prove(ctx, in, run)
	return run, nil
}

// same says whether the input is that of the last run.
func (w *Watcher) same(in *Input) bool {
	before := w.input
	return before != nil && reflect.DeepEqual(before.Options.Config, in.Options.Config) && in.Stack.SameBesides(before.Stack) &&
		reflect.DeepEqual(before.Stack.Problems, in.Stack.Problems) && slices.EqualFunc(before.Stack.Dashboards, in.Stack.Dashboards,
		func(a, b *stack.Board) bool { return a.Dashboard == b.Dashboard && a.Folder == b.Folder }) && w.sameScenario(in)
}

func (w *Watcher) sameScenario(in *Input) bool {
	scenario, err := e2e.LoadScenario(in.Options.Config.Scenario)
	return err == nil && (w.scenario == nil || reflect.DeepEqual(scenario, w.scenario))
}

// prove proves the stack on the session that is up, or on another one where it has to.
func (w *Watcher) prove(ctx context.Context, in *Input, run *Run) {
	w.input = in
	if !e2e.Runnable(in.Stack) {
		// Its findings say why. The session stays: this may be mended soon.
		run.Report, run.Err = e2e.Verify(ctx, in.Stack, in.Options)
		return
	}
	if why := w.outdated(in); why != "" {
		if run.Err = w.start(ctx, in, why); run.Err != nil {
			return
		}
		run.Restarted = why
	}
	w.session = w.session.With(in.Options.Config)
	run.AsOf = w.session.Instance().Now
	run.Report, run.Err = w.session.Again(ctx, in.Stack, w.proven)
	w.session.Forget(runsRemembered)
	if run.Err == nil || ctx.Err() != nil {
		w.proven = run.Report
		return
	}
	// Whatever it died of, the next edit finds a new one.
	if err := w.stop(); err != nil {
		run.Err = errors.Join(run.Err, err)
	}
}

// outdated says why the session is of no use for a stack, "" where it is.
func (w *Watcher) outdated(in *Input) string {
	switch {
	case w.session == nil:
		return "nothing runs yet"
	case !w.session.Fits(in.Stack):
		return "what Prometheus reads has changed"
	case !w.sameScenario(in) || !sameTargets(w.session.Config(), in.Options.Config):
		return "what answers for the targets has changed"
	case !w.session.Covers(in.Stack, w.proven):
		return "a dashboard looks further back than before"
	case time.Since(w.session.Instance().Now) > oldest:
		return "its data is older than " + strings.TrimSuffix(oldest.String(), "0s")
	}
	return ""
}

// sameTargets says whether two configurations have the same answer for each target.
func sameTargets(a, b *config.Config) bool {
	return slices.EqualFunc(a.Targets, b.Targets, func(a, b config.Target) bool {
		return reflect.DeepEqual(a.Match, b.Match) && a.Fake == b.Fake && a.Live == b.Live
	})
}

// start puts a new session in the place of the old one, which ends when the new one is
// up.
func (w *Watcher) start(ctx context.Context, in *Input, why string) error {
	scenario, err := e2e.LoadScenario(in.Options.Config.Scenario)
	if err != nil {
		return fmt.Errorf("start the session: %w", err)
	}
	if w.session != nil {
		w.Say("starting Prometheus anew: " + why)
	}
	session, err := e2e.Begin(ctx, in.Stack, in.Options)
	if err != nil {
		return err
	}
	err = w.stop()
	w.session, w.scenario = session, scenario
	return err
}

// Paths are what a stack and its scenario are read from.
func Paths(in *Input) []string {
	out := in.Stack.Paths()
	if strings.ContainsAny(in.Options.Config.Scenario, `/\.`) {
		out = append(out, in.Options.Config.Scenario)
	}
	return out
}

// Roots are where the files of a stack begin: its directory, and its configuration,
// which without a name is searched upward and may come to be.
func Roots(dir, configFile string) ([]string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the stack's directory: %w", err)
	}
	if configFile != "" {
		return []string{abs, configFile}, nil
	}
	out := []string{abs}
	for at := abs; ; at = filepath.Dir(at) {
		out = append(out, filepath.Join(at, config.FileName))
		if at == filepath.Dir(at) {
			return out, nil
		}
	}
}
