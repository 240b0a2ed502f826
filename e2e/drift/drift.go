// Package drift proves a stack with other releases of its exporters, one after another,
// and says which panel breaks at which: before anyone upgrades.
package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack"
)

// Axis is an exporter and the releases of it to try. The others stay as the stack has them.
type Axis struct {
	Exporter string
	Versions []string // of those that the fake acts out
}

// Options choose what is tried and how.
type Options struct {
	Verify   e2e.Options           // of a single run; the environment is the embedded one
	Axes     []Axis                // none for the default matrix
	FailOn   rule.Severity         // the mildest finding that breaks a panel
	Parallel int                   // runs at once, 0 for one a processor
	Progress func(done, total int) // may be nil; called by one goroutine at a time
}

// Result is what became of the stack with each release.
type Result struct {
	Exporters []Exporter
	// Targets is how many targets a fake answers.
	Targets int
	Runs    int // how many proofs were run, that of the stack as it is among them
	Took    time.Duration
}

// Broken says whether something breaks with another release than the stack's own.
func (r *Result) Broken() bool {
	return slices.ContainsFunc(r.Exporters, func(e Exporter) bool {
		return slices.ContainsFunc(e.Versions, func(v Version) bool { return v.Breaks > 0 || v.Err != "" })
	})
}

// Exporter is one exporter and what its releases do to the panels.
type Exporter struct {
	Name     string
	Own      []string  // the releases that the stack has, as they are acted out
	Versions []Version // oldest first
	Panels   []Panel   // those that break with one of them, or are broken with the stack's own
}

// Version is one release that was tried.
type Version struct {
	Name string
	// Like is the release that was proven in its place, since both print the same; ""
	// where it was proven itself.
	Like   string
	Own    bool   // the stack has this release
	Breaks int    // panels that break with it
	Err    string // why nothing could be proven, "" where it was
}

// ErrNothingScraped says that no target of the stack is answered by a fake.
var ErrNothingScraped = errors.New("no target of the stack is answered by a fake exporter: there is nothing whose release could change")

// UsageError says that what was asked for makes no sense for the stack.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }

// drifting is a drift on its way.
type drifting struct {
	Options
	stack *stack.Stack
	base  *proof // with the stack's own releases
	begun time.Time
	// mentions are the metrics that the stack asks for.
	mentions mentioned

	mu    sync.Mutex
	done  int
	total int
}

// proof is what came of one run.
type proof struct {
	report *e2e.Report
	err    error
}

// Run proves the stack with its own releases, then with each of the others. Releases with
// which the exporters print the same are proven once.
func Run(ctx context.Context, s *stack.Stack, opts Options) (*Result, error) {
	began := time.Now()
	d := &drifting{Options: opts, stack: s, total: 1}
	if !e2e.Runnable(s) {
		return nil, e2e.ErrNotRunnable
	}
	if err := d.begin(); err != nil {
		return nil, err
	}
	d.base = d.prove(ctx, nil)
	if d.base.err != nil {
		return nil, fmt.Errorf("prove the stack with its own releases: %w", d.base.err)
	}
	axes, err := d.axes()
	if err != nil {
		return nil, err
	}
	planned, err := d.plan(axes)
	if err != nil {
		return nil, err
	}
	if err := d.proveAll(ctx, planned); err != nil {
		return nil, err
	}
	out := &Result{Runs: d.total, Targets: len(faked(d.base.report.Targets))}
	for _, p := range planned {
		out.Exporters = append(out.Exporters, d.tell(p))
	}
	out.Took = time.Since(began)
	return out, nil
}

// begin fixes what all runs have in common: one world, one moment since when it is
// watched, and no more past than panels need to show anything.
func (d *drifting) begin() error {
	v := &d.Verify
	v.Env, v.Brief, v.WhileUp, v.Progress, v.Releases = "", true, nil, nil, nil
	v.History = e2e.LeastHistory(d.stack, *v)
	scenario, err := e2e.LoadScenario(v.Config.Scenario)
	if err != nil {
		return err
	}
	const youngest = time.Hour // in a younger world, counts since the start are too near to each other to be told apart
	now := time.Now()
	d.begun, d.mentions = now, mentionedBy(d.stack)
	v.From = now.Add(-v.History)
	v.World = fakes.NewWorld(scenario, now.Add(-max(v.History, youngest)))
	if d.Parallel < 1 {
		d.Parallel = runtime.GOMAXPROCS(0)
	}
	return nil
}

// prove runs the stack with some releases in place of its own.
func (d *drifting) prove(ctx context.Context, releases map[string]string) *proof {
	p := &proof{err: errors.New("it was not run")}
	opts := d.Verify
	opts.Releases = releases
	p.err = env.Guarded(func() (err error) {
		p.report, err = e2e.Verify(ctx, d.stack, opts)
		return err
	})()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	if d.Progress != nil {
		d.Progress(d.done, d.total)
	}
	return p
}

// faked are the targets that a fake answers which has releases.
func faked(targets []env.Target) []env.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t env.Target) bool {
		return t.Setup == nil || exporter.Newest(t.AnsweredBy) == ""
	})
}

// axes are those asked for, or the default ones of what the stack scrapes.
func (d *drifting) axes() ([]Axis, error) {
	scraped := map[string]bool{}
	for _, t := range faked(d.base.report.Targets) {
		scraped[t.AnsweredBy] = true
	}
	if len(scraped) == 0 {
		return nil, ErrNothingScraped
	}
	axes := d.Axes
	if len(axes) == 0 {
		for _, name := range slices.Sorted(maps.Keys(scraped)) {
			axes = append(axes, Axis{name, DefaultVersions(name)})
		}
		slices.SortStableFunc(axes, func(a, b Axis) int { return cmp.Compare(rank(a.Exporter), rank(b.Exporter)) })
	}
	for _, a := range axes {
		if !scraped[a.Exporter] {
			return nil, &UsageError{fmt.Errorf("no target of the stack is answered by %s: its releases change nothing", standard.Title(a.Exporter))}
		}
	}
	return axes, nil
}

// planned is an axis with the releases that are proven and those that are like them.
type planned struct {
	axis  Axis
	own   []string
	like  map[string]string // by release, the one that is proven; "" for the stack's own
	proof map[string]*proof // by the release that is proven, "" for the stack's own
}

// plan finds out which releases need a proof of their own.
func (d *drifting) plan(axes []Axis) ([]*planned, error) {
	var out []*planned
	for _, a := range axes {
		p := &planned{axis: Axis{a.Exporter, oldestFirst(a.Versions)}, like: map[string]string{}, proof: map[string]*proof{"": d.base}}
		setups := d.setups(a.Exporter)
		p.own = owns(a.Exporter, setups)
		known := map[string]string{}
		own, err := d.print(a.Exporter, setups, "")
		if err != nil {
			return nil, err
		}
		known[own] = ""
		for _, v := range p.axis.Versions {
			printed, err := d.print(a.Exporter, setups, v)
			if err != nil {
				return nil, err
			}
			if _, same := known[printed]; !same {
				known[printed] = v
				p.proof[v] = nil
				d.total++
			}
			p.like[v] = known[printed]
		}
		out = append(out, p)
	}
	return out, nil
}

func oldestFirst(versions []string) []string {
	out := slices.Clone(versions)
	slices.SortStableFunc(out, func(a, b string) int { return release.MustParse(a).Compare(release.MustParse(b)) })
	return slices.Compact(out)
}

// setups are the different setups of an exporter that answer targets.
func (d *drifting) setups(name string) []instance {
	var out []instance
	for _, t := range faked(d.base.report.Targets) {
		if t.AnsweredBy == name {
			out = append(out, instance{t.Address, *t.Setup})
		}
	}
	return out
}

// instance is an exporter that answers at an address.
type instance struct {
	address string
	setup   fakes.Setup
}

// owns are the releases that the stack has of an exporter.
func owns(name string, instances []instance) []string {
	var out []string
	for _, i := range instances {
		if v := exporter.Acted(name, i.setup); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return oldestFirst(out)
}

// proveAll runs what was planned, several at once.
func (d *drifting) proveAll(ctx context.Context, all []*planned) error {
	var g errgroup.Group
	g.SetLimit(d.Parallel)
	var mu sync.Mutex
	for _, p := range all {
		for _, v := range slices.Sorted(maps.Keys(p.proof)) {
			if v == "" {
				continue
			}
			g.Go(func() error {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				got := d.prove(ctx, map[string]string{p.axis.Exporter: v})
				mu.Lock()
				defer mu.Unlock()
				p.proof[v] = got
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
