// Package selftest proves that the gate can fail: mutation testing for a monitoring
// stack. It breaks the stack it is given in one place at a time, runs the gate on
// every such mutant and says which of them no rule noticed.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// Options choose what is tried.
type Options struct {
	// Verify is how the gate is run. Its World and From are set here, so that runs
	// can be compared, and its Progress is not told of single runs.
	Verify e2e.Options
	Load   []stack.Option
	// Operators are the names of those to apply, all where empty.
	Operators []string
	// Most is how many mutants an operator makes at the most, DefaultMost where 0.
	Most     int
	Progress func(stage string, done, total int) // may be nil
}

// DefaultMost is how many mutants an operator makes at the most, unless told.
const DefaultMost = 6

// coldHistory is how much past a mutant has that needs a Prometheus of its own:
// enough for every window that Grafana makes by itself.
const coldHistory = 10 * time.Minute

// ErrNothing says that there was nothing to try.
var ErrNothing = errors.New("no operator finds anything to mutate in this stack")

// UnknownOperatorError is a name that no operator has.
type UnknownOperatorError struct{ Name string }

// Error implements error.
func (e *UnknownOperatorError) Error() string {
	var names []string
	for _, op := range Operators() {
		names = append(names, op.Name)
	}
	return fmt.Sprintf("no operator %q%s", e.Name, nearest.Hint(e.Name, names))
}

// Verdict is what became of a mutant.
type Verdict string

// The verdicts.
const (
	Killed     Verdict = "killed"     // by a rule that ought to fire
	Noticed    Verdict = "noticed"    // by other rules only
	Survived   Verdict = "survived"   // by none
	Equivalent Verdict = "equivalent" // there is nothing to notice
)

// Outcome is a mutant and what became of it.
type Outcome struct {
	Mutant
	Operator Operator
	Verdict  Verdict
	// Fired are the findings that the mutant has beyond the stack's own, at warning
	// or above, each kind once and in order.
	Fired []Ought
	// Changed is what a viewer sees change, for a mutant that survived.
	Changed []string
	// Err is why the gate could not run on the mutant.
	Err error
	// Static says that reading the files was enough.
	Static bool
	Took   time.Duration
}

// Result is every mutant that was tried, in the order of the operators' table.
type Result struct {
	Outcomes []Outcome
	Took     time.Duration
}

// Count is how many mutants have a verdict.
func (r *Result) Count(v Verdict) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Verdict == v {
			n++
		}
	}
	return n
}

// Score is how many of the mutants with something to notice were noticed, and of
// how many.
func (r *Result) Score() (noticed, of int) {
	return r.Count(Killed) + r.Count(Noticed), len(r.Outcomes) - r.Count(Equivalent)
}

// Passed says whether every mutant that is not equivalent was killed by a rule that
// ought to fire.
func (r *Result) Passed() bool {
	return len(r.Outcomes) > 0 && r.Count(Killed)+r.Count(Equivalent) == len(r.Outcomes)
}

// Run breaks the stack in every way that the operators know and proves each mutant.
// An error means that the proof could not be run.
func Run(ctx context.Context, s *stack.Stack, opts Options) (_ *Result, err error) {
	began := time.Now()
	operators, err := choose(opts.Operators)
	if err != nil {
		return nil, err
	}
	if opts.Most == 0 {
		opts.Most = DefaultMost
	}
	if opts.Progress == nil {
		opts.Progress = func(string, int, int) {}
	}
	mutants, err := mutantsOf(NewSubject(s, opts.Verify.Choose), operators, opts.Most)
	if err != nil {
		return nil, err
	}
	if len(mutants) == 0 {
		return nil, ErrNothing
	}
	b, err := newBench(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.tryAll(ctx, mutants); err != nil {
		return nil, err
	}
	return &Result{Outcomes: mutants, Took: time.Since(began)}, nil
}

func choose(names []string) ([]Operator, error) {
	all := Operators()
	if len(names) == 0 {
		return all, nil
	}
	var out []Operator
	for _, name := range names {
		i := slices.IndexFunc(all, func(op Operator) bool { return op.Name == name })
		if i < 0 {
			return nil, &UnknownOperatorError{Name: name}
		}
		out = append(out, all[i])
	}
	return out, nil
}

// mutantsOf are those of the operators, of each a number that is spread over all
// that it can make.
func mutantsOf(s *Subject, operators []Operator, most int) ([]Outcome, error) {
	var out []Outcome
	for _, op := range operators {
		for _, m := range spread(distinct(op.Mutants(s)), most) {
			out = append(out, Outcome{Mutant: m, Operator: op})
		}
	}
	if s.err != nil {
		return nil, fmt.Errorf("make mutants: %w", s.err)
	}
	return out, nil
}

// distinct leaves out what changes nothing and what is the same as one before.
func distinct(mutants []Mutant) []Mutant {
	seen := map[string]bool{}
	return slices.DeleteFunc(mutants, func(m Mutant) bool {
		key := fmt.Sprint(m.changes)
		skip := len(m.changes) == 0 || seen[key]
		seen[key] = true
		return skip
	})
}

// spread picks at most n of the mutants, evenly.
func spread(mutants []Mutant, n int) []Mutant {
	if len(mutants) <= n {
		return mutants
	}
	out := make([]Mutant, 0, n)
	for i := range n {
		out = append(out, mutants[i*len(mutants)/n])
	}
	return out
}

// bench is where mutants are tried: what the stack itself comes to, and a
// Prometheus that stays up for all that do not need their own.
type bench struct {
	opts       Options
	cold       e2e.Options // for mutants that need their own Prometheus
	stack      *stack.Stack
	session    *e2e.Session
	static     *seen
	warm       *seen
	workspaces []*workspace
	// coldly is the stack on a Prometheus with the past of those that mutants get;
	// made when the first of them needs it.
	coldly func() (*seen, error)
}

func newBench(ctx context.Context, s *stack.Stack, opts Options) (_ *bench, err error) {
	b := &bench{opts: opts, stack: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	opts.Progress("starting Prometheus", 0, 0)
	if err := b.fixWorld(); err != nil {
		return nil, err
	}
	if b.session, err = e2e.Begin(ctx, s, b.opts.Verify); err != nil {
		return nil, fmt.Errorf("start the stack as it is: %w", err)
	}
	b.static = see(e2e.Lint(s, b.opts.Verify), time.Time{})
	report, err := b.session.Verify(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("prove the stack as it is: %w", err)
	}
	if len(report.Queries) == 0 {
		return nil, errors.New("the stack as it is asks nothing: no mutant could be told from it")
	}
	b.warm = see(report, b.session.Instance().Now)
	b.coldly = sync.OnceValues(func() (*seen, error) { return b.proveCold(ctx, s) })
	return b, nil
}

// fixWorld has all runs watch the same world, from the same moments on.
func (b *bench) fixWorld() error {
	scenario, err := e2e.LoadScenario(b.opts.Verify.Config.Scenario)
	if err != nil {
		return err
	}
	b.opts.Verify.Progress, b.opts.Verify.Env = nil, ""
	const age = 15 * time.Minute // counters of a world that starts now would stand at 0
	now := time.Now()
	past := e2e.NeededHistory(b.stack, b.opts.Verify)
	b.opts.Verify.World = fakes.NewWorld(scenario, now.Add(-max(past, coldHistory)-age))
	b.opts.Verify.From = now.Add(-past)
	b.cold = b.opts.Verify
	b.cold.From, b.cold.History = now.Add(-coldHistory), coldHistory
	return nil
}

func (b *bench) close() error {
	var errs []error
	for _, w := range b.workspaces {
		errs = append(errs, w.remove())
	}
	if b.session != nil {
		errs = append(errs, b.session.Close())
	}
	return errors.Join(errs...)
}

// tryAll gives every mutant its verdict. Each worker has a copy of the stack.
func (b *bench) tryAll(ctx context.Context, mutants []Outcome) error {
	workers := min(max(runtime.GOMAXPROCS(0), 2), len(mutants))
	for range workers {
		w, err := newWorkspace(b.stack)
		if err != nil {
			return err
		}
		b.workspaces = append(b.workspaces, w)
	}
	next := make(chan *Outcome)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(next)
		for i := range mutants {
			select {
			case next <- &mutants[i]:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	var mu sync.Mutex
	done := 0
	for _, w := range b.workspaces {
		g.Go(env.Guarded(func() error {
			for o := range next {
				if err := b.try(ctx, w, o); err != nil {
					return fmt.Errorf("try %s at %s: %w", o.Operator.Name, o.Pos, err)
				}
				mu.Lock()
				done++
				b.opts.Progress("trying mutants", done, len(mutants))
				mu.Unlock()
			}
			return nil
		}))
	}
	return g.Wait()
}

// try gives one mutant its verdict. The error is of the bench, not of the gate.
func (b *bench) try(ctx context.Context, w *workspace, o *Outcome) (err error) {
	began := time.Now()
	defer func() { o.Took = time.Since(began) }()
	if err := w.apply(o.Mutant); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.restore(o.Mutant)) }()
	mutated, err := stack.Load(ctx, w.dir, b.opts.Load...)
	if err != nil {
		return b.couldNotRun(ctx, o, err)
	}
	if b.judge(o, b.static, see(e2e.Lint(mutated, b.opts.Verify), time.Time{})); o.Verdict == Killed {
		o.Static = true
		return nil
	}
	base, got, err := b.prove(ctx, mutated)
	if err != nil {
		return b.couldNotRun(ctx, o, err)
	}
	b.judge(o, base, got)
	if o.Verdict != Survived {
		return nil
	}
	if o.Changed = base.changes(got); len(o.Changed) == 0 && !o.Operator.Outside {
		o.Verdict = Equivalent
	}
	return nil
}

// couldNotRun is for a mutant on which the gate itself fails: that stops a merge, but
// nobody is told what to mend.
func (b *bench) couldNotRun(ctx context.Context, o *Outcome, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	o.Verdict, o.Err = Survived, err
	return nil
}

// prove runs the gate on a mutant: on the Prometheus that is up, or on one of its
// own. base is what the stack itself comes to there.
func (b *bench) prove(ctx context.Context, mutated *stack.Stack) (base, got *seen, err error) {
	if b.session.Fits(mutated) {
		report, err := b.session.Verify(ctx, mutated)
		if err != nil {
			return nil, nil, err
		}
		return b.warm, see(report, b.session.Instance().Now), nil
	}
	if base, err = b.coldly(); err != nil {
		return nil, nil, fmt.Errorf("prove the stack as it is: %w", err)
	}
	got, err = b.proveCold(ctx, mutated)
	return base, got, err
}

func (b *bench) proveCold(ctx context.Context, s *stack.Stack) (_ *seen, err error) {
	session, err := e2e.Begin(ctx, s, b.cold)
	if errors.Is(err, e2e.ErrNotRunnable) {
		report, err := e2e.Verify(ctx, s, b.cold)
		if err != nil {
			return nil, err
		}
		return see(report, time.Time{}), nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	report, err := session.Verify(ctx, s)
	if err != nil {
		return nil, err
	}
	// What is scraped live depends on when, what was laid down before does not.
	const live = time.Minute
	return see(report, session.Instance().Now.Add(-live)), nil
}

// judge compares the findings of a mutant with those of the stack itself.
func (b *bench) judge(o *Outcome, base, got *seen) {
	o.Fired, o.Verdict = nil, Survived
	for _, f := range base.beyond(got) {
		if kind := (Ought{Rule: f.Rule, Reason: f.Reason}); !slices.Contains(o.Fired, kind) {
			o.Fired = append(o.Fired, kind)
		}
		if o.Verdict != Killed {
			o.Verdict = Noticed
		}
		if o.Operator.oughtToFire(f) {
			o.Verdict = Killed
		}
	}
	slices.SortFunc(o.Fired, func(a, b Ought) int { return strings.Compare(a.String(), b.String()) })
}

// Operator is one way to break a stack.
type Operator struct {
	Name string
	Does string // in words
	// Ought are the findings that ought to come of it, any of them.
	Ought []Ought
	// Outside says that what it breaks is not seen by asking panels, as an image or
	// a published port is not: that all answers are the same excuses nobody.
	Outside bool
	Mutants func(*Subject) []Mutant
}

// Ought is a kind of finding: one that ought to come of a mutation, or that did.
type Ought struct {
	Rule   string
	Reason string // "" for any, or none
}

// String is the finding as tables show it.
func (o Ought) String() string {
	if o.Reason == "" {
		return o.Rule
	}
	return o.Rule + " (" + o.Reason + ")"
}

func (op Operator) oughtToFire(f rule.Finding) bool {
	return slices.ContainsFunc(op.Ought, func(o Ought) bool {
		return o.Rule == f.Rule && (o.Reason == "" || o.Reason == f.Reason)
	})
}
