package e2e

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/shard"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// Options choose what is proven and how. Those of Load are ready to use; made by hand,
// they need a Config, and a History for panels to look back on.
type Options struct {
	Config *config.Config // panelgate.yml, never nil; the zero Config is what holds without one
	// Choose picks the dashboards to check, nil for all.
	Choose func(*stack.Board) bool
	// Shard is which part of the chosen dashboards is asked; the zero Shard is all of them.
	Shard shard.Shard
	// History caps the past that is laid down before the first live scrape. With none,
	// a panel has the few seconds of the run.
	History time.Duration
	// Progress is told what is being done, total 0 where it cannot be counted.
	// It may be nil. Of this and the next two one is called at a time.
	Progress func(stage string, done, total int)
	// Asking is told which dashboards the report has, once Verify is about to ask what
	// they do. It may be nil, and is called once at the most, in the way of Progress.
	Asking func([]*rule.Board)
	// Answered is told of each query of the report, once and in the order of the report, as
	// soon as that and those before it have come to what the report will say of them: a
	// Diagnosis, Zeroes and Idle may come later, and the Answer may go. It may be nil, is
	// called after Asking in the way of Progress, and the run waits for it. Where Verify ends
	// with an error, what was told is no result. Sessions do not tell.
	Answered func(*rule.Asked)
	Logger   *slog.Logger // of Prometheus and the containers, nil for silence
	// Env is where the stack runs: embedded.Name where empty, docker.Name,
	// dagger.Name or attach.Name.
	Env string
	// Containers are those of docker and dagger; what surrounds Prometheus is filled in.
	Containers containers.Options
	Dagger     dagger.Options
	// UpgradeFrom is the same stack as it was deployed before, for docker: it runs
	// first, and what its servers keep is what this one starts on. nil for none.
	UpgradeFrom *stack.Stack
	Attach      attach.Options // which servers are asked that run already
	// World and From fix what the fakes act out since when, so that runs can be
	// compared; nil and zero for a world of the run's own.
	World *fakes.World
	From  time.Time
	// Lean is for who wants the verdict and no pictures: answers are dropped once they
	// are judged, and no more steps of a query are evaluated than the verdict needs.
	Lean bool
	// Brief is for one of many runs of a stack: the alerts are not held against scenarios,
	// and whether this host has the stack's ports free is not looked at.
	Brief bool
	// Releases are what the fakes act out in place of what the stack's files say, by the
	// exporter's name; see embedded.Options.
	Releases map[string]string
	// Instances is how many there are of each faked target, for embedded; see
	// embedded.Options.
	Instances int
	// Cache is where results of earlier runs are kept and taken from, nil for nowhere.
	Cache *Cache
	// WhileUp is called when everything has been asked and judged, before the stack is
	// stopped; the report is its to add notes to. An error of it ends the run. It may be
	// nil, and is not called where the stack was not started.
	WhileUp func(ctx context.Context, instance env.Instance, report *Report) error
}

// DefaultHistory is how much past is laid down at the most, unless told.
const DefaultHistory = 24 * time.Hour

// run is one run on its way to a report.
type run struct {
	Options
	stack  *stack.Stack
	report *Report
	stage  time.Time
	whole  *rule.Static // what is chosen, of which a shard has a part
	// amongOthers says that runs of other variants are under way at the same time:
	// what they try on this host would be taken for somebody else's.
	amongOthers bool
	// alertsKnown says that the alerts have been held against the scenarios before.
	alertsKnown bool
	// alsoNeeded is how much past dashboards look back on that are not asked.
	alsoNeeded time.Duration

	counting sync.Mutex // whoever is told how far the run is
	counted  int        // of what the progress of the stage counts
	asked    int        // queries so far, of toAsk
	toAsk    int
	told     telling
	printed  *printed // what exporters print, nil until it is needed
	lookups  lookups
	filing   sync.Once
	files    *filed
}

func begin(s *stack.Stack, opts Options, envName string) *run {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	r := &run{Options: opts, stack: s, stage: time.Now(), report: &Report{Stack: s, Env: envName}, amongOthers: opts.Brief, alertsKnown: opts.Brief}
	if s.Compose == nil {
		r.report.Notes = append(r.report.Notes, "no compose file: mounts, ports, images and the datasources' urls are not checked")
	}
	return r
}

// finish takes out of the findings what is excluded; live is nil where no stack was
// asked.
func (r *run) finish(in *rule.Static, live *rule.Live, findings []rule.Finding) *Report {
	if r.whole != nil {
		in = r.whole
	}
	review := &rule.Review{Static: in, Live: live != nil, Served: live != nil && live.Served != nil, Over: r.Config.Rules}
	r.report.Findings = rule.CheckReview(review, findings)
	r.report.Excluded = review.Excluded
	r.leaveOpen()
	return r.report
}

// Lint checks the files alone.
func Lint(s *stack.Stack, opts Options) *Report {
	defer query.KeepTime()()
	r := begin(s, opts, "static")
	in := r.share(r.static())
	r.report.Boards = in.Boards
	findings := r.checkStatic(in)
	r.done("static rules")
	return r.finish(in, nil, findings)
}

// Verify checks the files, runs the stack where the options say and asks every
// panel. An error means that the stack could not be run; what is wrong with the
// stack itself is in the report. Everything started is stopped when it returns.
func Verify(ctx context.Context, s *stack.Stack, opts Options) (*Report, error) {
	defer query.KeepTime()()
	r := begin(s, opts, cmp.Or(opts.Env, embedded.Name))
	if known := r.recall(); known != nil {
		return known.verify(ctx)
	}
	static := r.share(r.static())
	r.report.Boards = static.Boards
	if r.Env == attach.Name {
		return r.verifyRunning(ctx, static)
	}
	findings := r.checkStatic(static)
	r.done("static rules")
	if !Runnable(s) {
		return r.notRun(static, findings), nil
	}
	running, err := r.start(ctx, r.whole) // so that every shard has the same past
	if err != nil {
		return nil, err
	}
	return r.prove(ctx, static, findings, running)
}

// verifyRunning verifies a stack that runs already. What its Grafana has besides
// what the files provision is known to their rules.
func (r *run) verifyRunning(ctx context.Context, static *rule.Static) (*Report, error) {
	r.progress("reaching the servers", 0, 0)
	opts := r.Attach
	opts.Logger, opts.Progress = r.Logger, r.Progress
	running, err := attach.Start(ctx, r.stack, opts)
	if err != nil {
		return nil, fmt.Errorf("attach to the running stack: %w", err)
	}
	if len(r.Config.Targets) > 0 || r.Config.Scenario != "" {
		r.report.Notes = append(r.report.Notes, "targets and scenario in panelgate.yml are about fakes: the stack runs already, and nothing is faked")
	}
	r.done("start")
	static.Running, r.whole.Running = running.Stack().Datasources, running.Stack().Datasources
	findings := r.checkStatic(static)
	r.done("static rules")
	r.stack, static.Stack, r.whole.Stack = running.Stack(), running.Stack(), running.Stack()
	return r.prove(ctx, static, findings, running)
}

// prove asks everything of a stack that is up, and stops it.
func (r *run) prove(ctx context.Context, static *rule.Static, findings []rule.Finding, running env.Env) (report *Report, err error) {
	defer func() {
		closeErr := running.Close()
		r.done("stop")
		if closeErr != nil && err == nil {
			err = fmt.Errorf("stop the %s environment: %w", r.report.Env, closeErr)
		}
	}()
	return r.proveOn(ctx, static, findings, running.Instance())
}

// proveOn asks everything of a stack that is up, and leaves it so.
func (r *run) proveOn(ctx context.Context, static *rule.Static, findings []rule.Finding, instance env.Instance) (*Report, error) {
	r.report.Targets = instance.Targets
	r.report.Notes = append(append(r.report.Notes, instance.Notes...), r.notesOfExporters(instance.Targets)...)
	live, apart, err := r.ask(ctx, static, instance, findings)
	if err != nil {
		return nil, r.alive(ctx, instance, err)
	}
	if err := r.alive(ctx, instance, nil); err != nil {
		return nil, err
	}
	r.report.Queries, r.report.Variables = live.Asked, live.Variables
	if !r.amongOthers {
		live.TakenPorts = takenPorts(ctx, r.stack, instance)
	}
	findings = append(findings, r.checkLive(live, apart)...)
	r.done("live rules")
	report := r.finish(static, live, findings)
	if r.WhileUp != nil {
		if err := r.WhileUp(ctx, instance, report); err != nil {
			return nil, err
		}
		r.done("while up")
	}
	return report, nil
}

// alive says that a server has ended or failed while it was being asked, which is the
// better reason for whatever came of it.
func (r *run) alive(ctx context.Context, instance env.Instance, err error) error {
	if ctx.Err() == nil && instance.Died != nil {
		if died := instance.Died(ctx); died != nil {
			return fmt.Errorf("a server ended during the run: %w", died)
		}
	}
	switch why := failed(ctx, instance); {
	case why == nil:
		return err
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("%w: %w", err, why)
	default:
		return why
	}
}

// failed is why answers of a server are not to be trusted, nil where they are.
func failed(ctx context.Context, instance env.Instance) error {
	if instance.Failed == nil {
		return nil
	}
	if err := instance.Failed(ctx); err != nil {
		return fmt.Errorf("a server failed during the run: %w", err)
	}
	return nil
}

// notRun closes a run whose Prometheus cannot be started: every query counts as
// failed, and the findings of the files say what to mend.
func (r *run) notRun(in *rule.Static, findings []rule.Finding) *Report {
	for _, b := range in.Boards {
		for _, q := range b.Questions {
			r.report.Queries = append(r.report.Queries, unasked(q, "Prometheus cannot be started"))
		}
	}
	r.announce(r.report.Queries)
	r.settle(r.report.Queries...)
	live := &rule.Live{Static: in, Asked: r.report.Queries, Said: findings}
	findings = append(findings, r.checkLive(live, rule.CheckBoards(live, r.Config.Rules))...)
	return r.finish(in, nil, findings)
}
