// Package embedded runs a stack's Prometheus inside this process: the real
// configuration, discovery, scraping, storage, rules, PromQL and HTTP API, told
// what prometheus.yml says. Only the far end of each scrape differs: a fake
// exporter answers for the address that the file names, through memory, so that
// job, instance and relabelling are what they would be in production. A past is
// laid down from the same fakes before the first live scrape.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/prometheus/config"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/internal/scratch"
	"github.com/panelgate/panelgate/stack"
)

// Name is what this environment is called.
const Name = "embedded"

// minWorldAge is how long the fakes have been running at least when they are
// first scraped: counters of a world that starts now would all stand at 0.
const minWorldAge = 15 * time.Minute

// Mapping says who answers for some of the targets.
type Mapping struct {
	// Match holds what a target must have: "address" is host:port as dialled or
	// as written, every other key is a label after relabelling. All must be equal;
	// an empty Match matches nothing.
	Match map[string]string
	Fake  string // name of a fake exporter, "" with Live
	Live  bool   // the address itself is dialled
	// Setup is how the fake is built and started. The zero Setup is that of the stack's
	// own exporter of this name at the address, where there is one.
	Setup fakes.Setup
}

// Exporter is one that the stack's own files run.
type Exporter struct {
	Addresses []string // host:port at which it answers
	// Fake is the name of the fake exporter that answers, "" for one that does not come
	// up: nobody answers at its addresses then.
	Fake  string
	Setup fakes.Setup
}

// Options say what surrounds Prometheus.
type Options struct {
	Scenario *fakes.Scenario // what the fakes act out
	// World is the scenario already going, so that several environments can watch
	// the same. It should have started by the time that the history does. Where nil,
	// one is made of Scenario.
	World *fakes.World
	// Targets says who answers, the first match wins. A target that none matches
	// is answered by the one of Exporters that is at its address, else by the exporter
	// whose standard port its address names.
	Targets   []Mapping
	Exporters []Exporter
	// Releases are acted out in place of those of the setups, by the fake's name.
	Releases map[string]string
	// Instances is how many there are of each target that a fake answers: beside the
	// one that the files name, others like it on hosts named after it. 0 and 1 for
	// that one alone.
	Instances int
	History   time.Duration // how much past is laid down, 0 for none
	// From is when the history begins, History before Now where zero. What is laid
	// down follows from it and from the world alone, not from when that is done.
	From time.Time
	// SelfAddresses are the host:port under which this Prometheus is reachable in
	// the stack; its own /metrics answers there.
	SelfAddresses []string
	// SelfPrefix is the path below which it answers there, "" for the root.
	SelfPrefix string
	// OwnLoopback says that the stack's Prometheus has a loopback interface of its
	// own, as in a container: no exporter answers there unless a mapping says so.
	OwnLoopback bool
	// Silent are the jobs whose targets nobody answers, whatever Targets says.
	Silent []string
	// Now is the clock of the fakes and of the history's end, time.Now where nil.
	// Scrape timestamps are always the machine's, so it must not be far from that.
	Now    func() time.Time
	Logger *slog.Logger // gets what Prometheus logs; nil drops it
	// Progress is told how far a stage ("history", "scrape") has come. It is called
	// from the goroutine that runs Start. May be nil.
	Progress func(stage string, done, total int)

	clock *stopwatch // begun with the start
}

// Env is a Prometheus that is up.
type Env struct {
	instance env.Instance

	closeOnce sync.Once
	closeErr  error
	closers   []func() error // run last first
}

// Start brings the stack's Prometheus up and returns once every target has been
// scraped (see env.Instance for what is then known). ctx bounds the start only;
// when it ends first, everything is taken down again and its error and cause are
// returned.
func Start(ctx context.Context, p *stack.Prometheus, opts Options) (_ *Env, err error) {
	if opts, err = opts.complete(); err != nil {
		return nil, fmt.Errorf("start the embedded environment: %w", err)
	}
	cfg, err := readConfig(p, opts)
	if err != nil {
		return nil, err
	}
	e := &Env{}
	started := false
	defer func() { // on errors, and on panics too
		if !started {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := e.start(ctx, cfg, p, opts); err != nil {
		if ctx.Err() != nil {
			err = ended(ctx)
		}
		return nil, err
	}
	started = true
	return e, nil
}

// complete fills in what may be left out.
func (o Options) complete() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.clock = newStopwatch(o.Now)
	now := o.Now()
	if o.From.IsZero() {
		o.From = now.Add(-max(o.History, 0))
	}
	o.History = max(now.Sub(o.From), 0)
	if o.World == nil {
		if o.Scenario == nil {
			return o, errors.New("no scenario for the fakes")
		}
		o.World = fakes.NewWorld(o.Scenario, now.Add(-max(o.History, minWorldAge)))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	return o, nil
}

func readConfig(p *stack.Prometheus, opts Options) (*config.Config, error) {
	cfg, err := p.Config(opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.File, err)
	}
	return cfg, nil
}

// ended is the error of a context that has ended, with its cause where that says
// more.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return context.Cause(ctx)
}

// Instance describes the running stack as it was when readiness was reached.
func (e *Env) Instance() env.Instance { return e.instance }

// Close stops everything, waits for it and removes the data. Further calls do
// nothing and return the same error.
func (e *Env) Close() error {
	e.closeOnce.Do(func() {
		var errs []error
		for _, c := range slices.Backward(e.closers) {
			errs = append(errs, c())
		}
		e.closeErr = errors.Join(errs...)
	})
	return e.closeErr
}

func (e *Env) onClose(c func() error) { e.closers = append(e.closers, c) }

// groundwork is what a past is laid down with, whether it is to be lived on from
// or not.
type groundwork struct {
	registry *prometheus.Registry
	store    *store
	board    *switchboard
	targets  []*target // with who answers for them
	rules    *ruleSet
	scraper  *scraper
}

// prepare finds the targets, decides who answers for them and reads the rules.
// Nothing is scraped yet.
func (e *Env) prepare(ctx context.Context, cfg *config.Config, opts Options) (_ *groundwork, err error) {
	g := &groundwork{registry: prometheus.NewRegistry(), board: newSwitchboard(opts)}
	// What a prometheus process says of itself, for stacks that scrape it.
	g.registry.MustRegister(versioncollector.NewCollector("prometheus"), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g.board.serveSelf(promhttp.HandlerFor(g.registry, promhttp.HandlerOpts{}))
	if g.store, err = e.openStore(opts, time.Duration(cfg.GlobalConfig.EvaluationInterval), g.registry); err != nil {
		return nil, err
	}
	e.onClose(g.board.Close)
	disc, err := e.startDiscovery(cfg, g.board, cloner{opts.Instances, opts.SelfAddresses, opts.Targets}, opts.Logger, g.registry)
	if err != nil {
		return nil, err
	}
	if g.targets, err = disc.targets(ctx); err != nil {
		return nil, err
	}
	if err := g.board.assign(g.targets); err != nil {
		return nil, err
	}
	if g.rules, err = e.loadRules(cfg, g.store, opts.Logger, g.registry); err != nil {
		return nil, err
	}
	if g.scraper, err = e.newScraper(cfg, g.targets, g.board, disc, g.store, opts.Logger, g.registry); err != nil {
		return nil, err
	}
	// The probe tells what is wrong with the way to a target at any time.
	err = g.scraper.probe(ctx)
	g.board.outages.Store(true)
	return g, err
}

func (e *Env) start(ctx context.Context, cfg *config.Config, p *stack.Prometheus, opts Options) error {
	g, err := e.prepare(ctx, cfg, opts)
	if err != nil {
		return err
	}
	// A scrape that waits for a live target must not outlive the caller's patience.
	defer context.AfterFunc(ctx, g.board.hangUp)()
	// Applying the configuration looks up this machine's name, and the API renders
	// its own description: neither need hold up the history.
	var aside errgroup.Group
	api := &api{config: cfg, store: g.store, scrape: g.scraper.manager, rules: g.rules.manager, registry: g.registry,
		logger: component(opts.Logger, "web")}
	e.onClose(api.close)
	e.onClose(func() error {
		_ = aside.Wait() // its error is the start's; what it made is closed next
		return nil
	})
	aside.Go(g.scraper.apply)
	aside.Go(api.prepare)
	histErr := newHistory(g, opts).lay(ctx, opts.From)
	if err := errors.Join(aside.Wait(), histErr); err != nil {
		return err
	}
	if err := g.scraper.ready(ctx, opts.Progress); err != nil {
		return err
	}
	if err := errors.Join(g.scraper.shortage(), opts.clock.check()); err != nil {
		return err
	}
	ready := g.scraper.lastScrape(opts.Now())
	if err := g.rules.evaluate(ctx, ready); err != nil {
		return err
	}
	e.instance = env.Instance{
		Name:          Name,
		PrometheusURL: e.serve(api),
		Evaluate:      e.newEvaluator(g.store).evaluate,
		Targets:       g.scraper.states(p),
		From:          opts.From,
		Now:           ready,
		World:         g.board.world,
	}
	return ctx.Err()
}

// tempDir makes the directory that all data goes to.
func (e *Env) tempDir() (string, error) {
	dir, err := scratch.Dir()
	if err != nil {
		return "", fmt.Errorf("make a directory for the data (TMPDIR names another place for it): %w", err)
	}
	spare := spareDescriptors(dir)
	e.onClose(func() error {
		for _, s := range spare {
			_ = s.Close() // it was never used
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove the data: %w", err)
		}
		return nil
	})
	return dir, nil
}

// spareDescriptors are what removing a directory takes: a process that has run out of
// descriptors could not tidy up. There may be none left by now.
func spareDescriptors(dir string) (spare []*os.File) {
	for range 3 { // its parent, itself, what is in it
		if s, err := os.Open(dir); err == nil {
			spare = append(spare, s)
		}
	}
	return spare
}
