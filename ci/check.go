package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// checkFlags are the flags of check and lint.
type checkFlags struct {
	stackDir   string
	configFile string
	dashboards []string
	failOn     string
	services   []string
	scenario   string // of the commands that run the stack
	since      sinceFlags
	shard      shardFlags
	outputFlags
	tell   *teller      // of a run that is under way
	former *stack.Stack // as it was read before; of watch alone
	// of check alone
	env      envFlags
	matrix   matrixFlags
	pictures pictureFlags
	cached   cacheFlags
	history  string
	timeout  time.Duration
}

func (c *checkFlags) addTo(cmd *cobra.Command) {
	c.addChoiceTo(cmd)
	c.since.addTo(cmd)
	c.shard.addTo(cmd)
	c.addFailOnTo(cmd)
	c.outputFlags.addTo(cmd)
}

func (c *checkFlags) addFailOnTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.failOn, "fail-on", "error", "the mildest `severity` that fails: error, warning or info")
	completeFlag(cmd, "fail-on", "error", "warning", "info")
}

// addChoiceTo adds the flags that say which stack, and what of it.
func (c *checkFlags) addChoiceTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&c.stackDir, "stack", "./stack", "the stack's `directory`: compose file, prometheus.yml, provisioning, dashboards")
	f.StringVar(&c.configFile, "config", "", "configuration `file` (default: panelgate.yml, searched upward from the stack)")
	f.StringArrayVar(&c.dashboards, "dashboard", nil, "check only dashboards whose uid, title or file matches `glob`; may be repeated")
	f.StringArrayVar(&c.services, "service", nil, "take the compose service for the `ROLE=SERVICE`, as prometheus=metrics, where image and port do not tell")
	c.completeChoice(cmd)
}

// addLiveTo adds the flags of a run, or of many.
func (c *checkFlags) addLiveTo(cmd *cobra.Command) {
	c.addRunTo(cmd)
	c.matrix.addTo(cmd)
	c.pictures.addTo(cmd)
	c.cached.addTo(cmd)
}

// addRunTo adds the flags of one run.
func (c *checkFlags) addRunTo(cmd *cobra.Command) {
	f := cmd.Flags()
	c.env.addTo(cmd)
	c.addHistoryTo(cmd)
	f.DurationVar(&c.timeout, "timeout", 5*time.Minute, "give up, with exit code 3, after this `duration`; of a matrix, each round of cells has as much unless told otherwise")
}

func (c *checkFlags) addHistoryTo(cmd *cobra.Command) {
	c.addScenarioTo(cmd)
	cmd.Flags().StringVar(&c.history, "history", "24h", "lay down a past of at most this `duration` before the first scrape, as 1h or 7d; not with attach, whose past is its own")
}

func (c *checkFlags) addScenarioTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.scenario, "scenario", "", "what the fakes act out, in place of what panelgate.yml says: `NAME|FILE`, a built-in scenario or one of your own; not with attach, where nothing is faked")
}

// prepared is what check and lint share: the flags understood, the files read.
type prepared struct {
	stack    *stack.Stack
	load     []stack.Option
	opts     e2e.Options
	failOn   rule.Severity
	progress *report.Progress
}

func (c *checkFlags) check(cmd *cobra.Command, stdout, stderr io.Writer) error {
	if c.varies(cmd.Flags().Changed) {
		if c.since.asked() {
			return usage(errors.New("--since is not for a matrix, whose table is of the whole stack: check each version by itself"))
		}
		return c.checkMatrix(cmd, stdout, stderr)
	}
	return c.pictured(cmd, stdout, stderr)
}

// checkHere is check, run by this process.
func (c *checkFlags) checkHere(cmd *cobra.Command, stdout, stderr io.Writer) error {
	return c.outcome(stdout, stderr, c.env.name, func() (*e2e.Report, rule.Severity, error) {
		ctx, cancel, p, err := c.begin(cmd, stderr)
		defer cancel()
		if err != nil {
			return nil, 0, err
		}
		if c.since.idle {
			return c.filesAlone(p, c.env.name), p.failOn, nil
		}
		boundMemory(p.stack)
		p.opts.Lean = !c.draws()
		p.opts.WhileUp = c.pictures.whileUp(p.opts.Progress)
		p.opts.Cache = c.cache(p)
		toldInTime := c.tell.readAlong(ctx, &p.opts, c.stackDir)
		result, err := c.verify(ctx, p)
		if ctx.Err() == nil {
			toldInTime()
		}
		p.progress.Clear()
		return c.since.ofBranch(result), p.failOn, ended(ctx, err, p.progress.Stage()+c.env.asked())
	})
}

// begin understands the flags of a live run and reads the files. The context ends with
// the run's time; cancel is never nil.
func (c *checkFlags) begin(cmd *cobra.Command, stderr io.Writer) (ctx context.Context, cancel context.CancelFunc, p *prepared, err error) {
	ctx, cancel = cmd.Context(), func() {}
	var opts e2e.Options
	if err := c.env.options(&opts, cmd.Flags().Changed); err != nil {
		return ctx, cancel, nil, usage(err)
	}
	if err := c.matrix.needless(cmd.Flags().Changed); err != nil {
		return ctx, cancel, nil, usage(err)
	}
	history, err := c.times()
	if err != nil {
		return ctx, cancel, nil, err
	}
	ctx, cancel = context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("not finished after %s: %s", c.timeout, remedy(opts.Env)))
	if p, err = c.prepare(ctx, stderr); err != nil {
		return ctx, cancel, nil, ended(ctx, err, "reading the files")
	}
	p.opts.History = history
	p.opts.Instances, p.opts.Releases = opts.Instances, opts.Releases
	p.opts.Env, p.opts.Containers, p.opts.Dagger, p.opts.Attach = opts.Env, opts.Containers, opts.Dagger, opts.Attach
	return ctx, cancel, p, nil
}

// remedy says what helps against a run that takes too long.
func remedy(where string) string {
	switch where {
	case docker.Name, dagger.Name:
		return "raise --timeout: pulling images and starting servers takes its time"
	case attach.Name:
		return "raise --timeout or choose fewer dashboards"
	}
	return "raise --timeout or lower --history"
}

// times are those of the flags, understood.
func (c *checkFlags) times() (history time.Duration, err error) {
	if c.timeout <= 0 {
		return 0, usage(fmt.Errorf("--timeout %s: want a time to run for", c.timeout))
	}
	return c.past()
}

// past is how much of it is laid down at the most.
func (c *checkFlags) past() (time.Duration, error) {
	d, err := model.ParseDuration(c.history)
	if err != nil {
		return 0, usage(fmt.Errorf("--history %q: %w", c.history, err))
	}
	return time.Duration(d), nil
}

// verify runs the proof, after an older revision of the stack where one is named.
func (c *checkFlags) verify(ctx context.Context, p *prepared) (result *e2e.Report, err error) {
	older, remove, err := c.env.older(ctx, c.stackDir, p.load...)
	defer func() {
		if removeErr := remove(); removeErr != nil {
			err = errors.Join(err, notRun(fmt.Errorf("remove the older revision's checkout: %w", removeErr)))
		}
	}()
	if err != nil {
		return nil, usage(err)
	}
	p.opts.UpgradeFrom = older
	if p.opts.Env == dagger.Name {
		session, err := c.session(ctx, p)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, session.Close()) }()
		p.opts.Dagger.Session = session
	}
	return e2e.Verify(ctx, p.stack, p.opts)
}

func (c *checkFlags) lint(ctx context.Context, stdout, stderr io.Writer) error {
	return c.outcome(stdout, stderr, "static", func() (*e2e.Report, rule.Severity, error) {
		p, err := c.prepare(ctx, stderr)
		if err != nil {
			return nil, 0, ended(ctx, err, "reading the files")
		}
		if c.since.idle {
			return c.filesAlone(p, "static"), p.failOn, nil
		}
		boundMemory(p.stack)
		result := c.since.ofBranch(e2e.Lint(p.stack, p.opts))
		return result, p.failOn, ended(ctx, ctx.Err(), "checking the files")
	})
}

// ended says why a run was cut short and what it was doing, in words a person
// would use.
func ended(ctx context.Context, err error, stage string) error {
	var exit *exitError
	var wrong *containers.UsageError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return usage(wrong)
	case errors.As(err, &exit) && exit.code == exitUsage:
		return err
	case errors.Is(context.Cause(ctx), context.Canceled):
		return notRun(fmt.Errorf("interrupted while %s", stage))
	case ctx.Err() != nil:
		if silent, ok := errors.AsType[*env.UnansweredError](err); ok {
			return notRun(fmt.Errorf("%w (while %s: %w)", context.Cause(ctx), stage, silent))
		}
		return notRun(fmt.Errorf("%w (while %s)", context.Cause(ctx), stage))
	case exit != nil:
		return err
	default:
		return notRun(err)
	}
}

// outcome tells what a run came to, a failure to run included, and turns it into
// the command's exit code.
func (c *checkFlags) outcome(stdout, stderr io.Writer, where string, prove func() (*e2e.Report, rule.Severity, error)) (err error) {
	began := time.Now().Add(-c.env.elapsed)
	if c.tell, err = c.newTeller(stdout, stderr); err != nil {
		return err
	}
	c.tell.emit(report.Start(version(), c.stackDir, where, began))
	proved, failOn, err := prove()
	result := c.result(where, began, proved, failOn, err)
	result.Told = c.tell.ahead
	return c.tellOut(result, err)
}

// tellOut tells what a run came to and ends the command as it asks for; err is why it
// could not be run.
func (c *checkFlags) tellOut(result report.Result, err error) error {
	for e := range report.Events(result) {
		c.tell.emit(e)
	}
	if writeErr := c.tell.finish(c.textOptions(c.tell.stdout)); writeErr != nil {
		return notRun(errors.Join(err, writeErr)) // why there was no run comes first
	}
	if err != nil {
		return err
	}
	if result.ExitCode != exitClean {
		return &exitError{code: result.ExitCode}
	}
	return nil
}

// result is what a run came to, with its verdict and its exit code.
func (c *checkFlags) result(where string, began time.Time, proved *e2e.Report, failOn rule.Severity, err error) report.Result {
	result := report.Result{
		Report: proved, Version: version(), StackDir: c.stackDir, Where: where, Began: began, Took: time.Since(began), Verdict: report.Pass, FailOn: failOn,
		Since: c.since.found, Shard: c.shard.of(c.since.idle), Undrawn: !c.draws(),
	}
	switch {
	case err != nil:
		result.Verdict, result.Err, result.ExitCode = report.Failed, err, codeOf(err)
	case c.since.idle && !proved.Finds(failOn): // where there is nothing to ask, not asking is no failure
	case proved.Fails(failOn):
		result.Verdict, result.ExitCode = report.Fail, exitFindings
	}
	return result
}

// draws says whether a report shows what the panels show, and so needs the answers.
func (c *checkFlags) draws() bool { return c.shows() || c.pictures.png != "" }

// codeOf is the exit code that an error asks for.
func codeOf(err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitNotRun
}

func (c *checkFlags) textOptions(stdout io.Writer) report.TextOptions {
	return report.TextOptions{Color: c.paints(stdout), Verbose: c.verbose, Info: c.failOn == rule.Info.String()}
}

// gravity is the mildest severity that fails.
func (c *checkFlags) gravity() (rule.Severity, error) {
	failOn, err := rule.ParseSeverity(c.failOn)
	if err != nil || failOn == rule.Off {
		return rule.Off, usage(fmt.Errorf("--fail-on %q: want error, warning or info", c.failOn))
	}
	return failOn, nil
}

func (c *checkFlags) prepare(ctx context.Context, stderr io.Writer) (*prepared, error) {
	failOn, err := c.gravity()
	if err != nil {
		return nil, err
	}
	if _, err := c.shard.parse(); err != nil {
		return nil, err
	}
	services, err := c.roles()
	if err != nil {
		return nil, usage(err)
	}
	from := e2e.Source{Dir: c.stackDir, Config: c.configFile, Dashboards: c.dashboards, Services: services, Former: c.former, Scenario: c.scenario}
	if _, err := from.Choose(); err != nil {
		return nil, usage(fmt.Errorf("--dashboard: %w", err))
	}
	loaded, err := e2e.Load(ctx, from)
	var wrong *e2e.UsageError
	switch {
	case errors.Is(err, e2e.ErrNoStack):
		return nil, usage(fmt.Errorf("%w; --stack names it", err))
	case errors.As(err, &wrong):
		return nil, usage(err)
	case err != nil:
		return nil, notRun(err)
	}
	opts := &loaded.Options
	if opts.Shard, err = c.shard.dashboards(); err != nil {
		return nil, err
	}
	if opts.Choose, err = c.since.choose(ctx, c.stackDir, loaded.Stack, opts.Config, opts.Choose); err != nil {
		return nil, usage(err)
	}
	p := &prepared{stack: loaded.Stack, load: loaded.Services, opts: loaded.Options, failOn: failOn, progress: report.NewProgress(stderr)}
	if c.verbose { // a log and a line that redraws itself do not mix
		p.progress = report.NewProgress(io.Discard)
	}
	if err := c.recognize(p); err != nil {
		return nil, notRun(err)
	}
	p.opts.Progress = c.progress(p.progress)
	if c.verbose {
		p.opts.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return p, nil
}

// progress shows what is going on to people, and to who reads the events.
func (c *checkFlags) progress(shown *report.Progress) func(stage string, done, total int) {
	return func(stage string, done, total int) {
		shown.Show(stage, done, total)
		if c.tell != nil {
			c.tell.progress(stage)
		}
	}
}

// roles are the services that the command line names for a role.
func (c *checkFlags) roles() (map[string]string, error) {
	out := map[string]string{}
	for _, text := range c.services {
		role, name, ok := strings.Cut(text, "=")
		if !ok || role != stack.RolePrometheus && role != stack.RoleGrafana || name == "" {
			return nil, fmt.Errorf("--service %q: want prometheus=SERVICE or grafana=SERVICE", text)
		}
		out[role] = name
	}
	return out, nil
}
