package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
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
	// It may be nil, and is called from one goroutine at a time.
	Progress func(stage string, done, total int)
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

	counting sync.Mutex
	counted  int // of what the progress of the stage counts
	asked    int // queries so far, of toAsk
	toAsk    int
	printed  *printed // what exporters print, nil until it is needed
	lookups  lookups
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

func (r *run) progress(stage string, done, total int) {
	if r.Progress != nil {
		r.Progress(stage, done, total)
	}
}

// done closes a stage of the run, or a further part of one.
func (r *run) done(name string) {
	now := time.Now()
	took := now.Sub(r.stage)
	r.stage, r.counted = now, 0
	if i := slices.IndexFunc(r.report.Stages, func(s Stage) bool { return s.Name == name }); i >= 0 {
		r.report.Stages[i].Duration += took
		return
	}
	r.report.Stages = append(r.report.Stages, Stage{Name: name, Duration: took})
	r.Logger.Debug("stage done", "stage", name, "took", took)
}

// askedOne tells of one more query that is answered, from any goroutine.
func (r *run) askedOne() {
	r.counting.Lock()
	defer r.counting.Unlock()
	r.asked = min(r.asked+1, r.toAsk) // some are asked again
	r.progress("asking panels", r.asked, r.toAsk)
}

// count tells of one more of total, from any goroutine.
func (r *run) count(stage string, total int) {
	r.counting.Lock()
	defer r.counting.Unlock()
	r.counted++
	r.progress(stage, r.counted, total)
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

// unloadable says whether Prometheus would not start: it refuses a broken
// prometheus.yml and broken rule files. Their findings already say why.
func unloadable(s *stack.Stack) bool {
	return slices.ContainsFunc(s.Problems, func(p stack.Problem) bool {
		isRules := func(f *stack.RuleFile) bool { return f.File == p.Pos.File }
		return p.Area == stack.AreaPrometheus &&
			(p.Pos.File == s.Prometheus.File || slices.ContainsFunc(s.Prometheus.RuleFiles, isRules))
	})
}

// notRun closes a run whose Prometheus cannot be started: every query counts as
// failed, and the findings of the files say what to mend.
func (r *run) notRun(in *rule.Static, findings []rule.Finding) *Report {
	for _, b := range in.Boards {
		for _, q := range b.Questions {
			r.report.Queries = append(r.report.Queries, unasked(q, "Prometheus cannot be started"))
		}
	}
	live := &rule.Live{Static: in, Asked: r.report.Queries, Said: findings}
	findings = append(findings, r.checkLive(live, rule.CheckBoards(live, r.Config.Rules))...)
	return r.finish(in, nil, findings)
}

// start brings the stack up where the options say.
func (r *run) start(ctx context.Context, in *rule.Static) (env.Env, error) {
	around, err := r.surroundings(in)
	if err != nil {
		return nil, err
	}
	if r.report.Env == docker.Name || r.report.Env == dagger.Name {
		return r.startContainers(ctx, around)
	}
	r.progress("starting Prometheus", 0, 0)
	running, err := embedded.Start(ctx, r.stack.Prometheus, around)
	if err != nil {
		return nil, fmt.Errorf("start the embedded Prometheus: %w", err)
	}
	r.done("start")
	return running, nil
}

// startContainers starts the stack's containers, on what an older revision of it left
// behind where there is one.
func (r *run) startContainers(ctx context.Context, around embedded.Options) (env.Env, error) {
	r.progress("starting containers", 0, 0)
	opts := r.Containers
	opts.Past = around
	start := docker.Start
	switch {
	case r.report.Env == dagger.Name && r.UpgradeFrom != nil:
		return nil, &containers.UsageError{Err: errors.New("an older revision's data is kept in volumes, which Dagger cannot remove again: use --env docker for an upgrade")}
	case r.report.Env == dagger.Name:
		start = func(ctx context.Context, s *stack.Stack, opts containers.Options) (env.Env, error) {
			return dagger.Start(ctx, s, opts, r.Dagger)
		}
	case r.UpgradeFrom != nil:
		start = func(ctx context.Context, s *stack.Stack, opts containers.Options) (env.Env, error) {
			past := around
			past.SelfAddresses, past.OwnLoopback = selfAddresses(r.UpgradeFrom), ownLoopback(r.UpgradeFrom)
			return docker.Upgrade(ctx, containers.Revision{Stack: r.UpgradeFrom, Past: past}, s, opts)
		}
	}
	running, err := start(ctx, r.stack, opts)
	if err != nil {
		return nil, fmt.Errorf("start the stack's containers: %w", err)
	}
	r.started(running.Instance().Steps)
	return running, nil
}

// started closes the stages of a start. Its steps overlap: each is shown with how
// long after the beginning it was done.
func (r *run) started(steps []env.Step) {
	for _, s := range steps {
		r.report.Stages = append(r.report.Stages, Stage{Name: "start: " + s.Name + " after", Duration: s.Duration})
	}
	r.done("start")
}

// surroundings are what surrounds Prometheus: who answers for its targets, and what
// was before.
func (r *run) surroundings(in *rule.Static) (embedded.Options, error) {
	scenario, err := LoadScenario(r.Config.Scenario)
	if err != nil {
		return embedded.Options{}, err
	}
	needed := max(neededHistory(in), r.alsoNeeded)
	r.noteHistory(needed)
	history := r.pastOf(needed)
	var mappings []embedded.Mapping
	for _, t := range r.Config.Targets {
		mappings = append(mappings, embedded.Mapping{Match: t.Match, Fake: t.Fake, Live: t.Live, Setup: t.Setup})
	}
	return embedded.Options{
		Scenario: scenario, World: r.World, From: r.From, Targets: mappings, Exporters: r.exporters(), Releases: r.Releases,
		Instances: r.Instances, History: history,
		SelfAddresses: selfAddresses(r.stack), SelfPrefix: r.stack.Prometheus.Service.RoutePrefix(), OwnLoopback: ownLoopback(r.stack), Logger: r.Logger,
		Progress: func(stage string, done, total int) { r.progress(stageName(stage), done, total) },
	}, nil
}

// pastOf is how much past is laid down where panels look back so far, with what the
// alerts take.
func (r *run) pastOf(needed time.Duration) time.Duration {
	return min(max(needed, historyOfAlerts(r.stack)), r.History)
}

// noteHistory tells of panels that look back further than there is anything.
func (r *run) noteHistory(needed time.Duration) {
	history := min(needed, r.History)
	if needed-history > history/10 { // a lookback that is cut short is not worth a word
		r.report.Notes = append(r.report.Notes, fmt.Sprintf("the panels look back %s, and %s of it were laid down: --history says how much",
			model.Duration(needed.Round(time.Minute)), model.Duration(history)))
	}
}

// stageName says what an environment is doing in words that a person would use.
func stageName(stage string) string {
	switch stage {
	case "history":
		return "laying down history"
	case "scrape":
		return "scraping targets"
	case "provisioning":
		return "waiting for dashboards"
	}
	return stage
}

// LoadScenario finds a scenario by a built-in name or as a file; "" is the
// default one.
func LoadScenario(name string) (*fakes.Scenario, error) {
	if name == "" {
		name = "steady"
	}
	sc, err := fakes.BuiltinScenario(name)
	if err == nil {
		return sc, nil
	}
	fromFile, fileErr := fakes.LoadScenario(name)
	if fileErr == nil {
		return fromFile, nil
	}
	if strings.ContainsAny(name, `/\.`) { // meant as a file
		return nil, fmt.Errorf("load the scenario: %w", fileErr)
	}
	return nil, fmt.Errorf("load the scenario: %w", err)
}

// ownLoopback says whether Prometheus runs in a container whose network it shares
// with nobody, so that localhost is not where the exporters are.
func ownLoopback(s *stack.Stack) bool {
	svc := s.Prometheus.Service
	if svc == nil || svc.NetworkHost || svc.NetworkOf != "" {
		return false
	}
	return !slices.ContainsFunc(s.Compose.Services, func(o *stack.Service) bool { return o.NetworkOf == svc.Name })
}

// selfAddresses are those under which the stack's Prometheus scrapes itself: its
// own loopback and names, and the ports of the host that lead to it.
func selfAddresses(s *stack.Stack) []string {
	const usual = 9090
	svc := s.Prometheus.Service
	if svc == nil {
		return addresses(usual, "localhost", "127.0.0.1", "prometheus")
	}
	port := svc.ListenPort()
	hosts := append([]string{"localhost", "127.0.0.1", svc.Name}, svc.Aliases...)
	if svc.ContainerName != "" {
		hosts = append(hosts, svc.ContainerName)
	}
	out := addresses(port, hosts...)
	for _, p := range svc.Ports {
		if p.Target == port && p.Published != 0 {
			out = append(out, addresses(p.Published, "host.docker.internal")...)
		}
	}
	return out
}

func addresses(port int, hosts ...string) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, net.JoinHostPort(h, strconv.Itoa(port)))
	}
	return out
}
