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
}

// Options say what surrounds Prometheus.
type Options struct {
	Scenario *fakes.Scenario // what the fakes act out
	// Targets says who answers, the first match wins. A target that none matches
	// is answered by the exporter whose standard port its address names.
	Targets []Mapping
	History time.Duration // how much past is laid down, 0 for none
	// SelfAddresses are the host:port under which this Prometheus is reachable in
	// the stack; its own /metrics answers there.
	SelfAddresses []string
	// OwnLoopback says that the stack's Prometheus has a loopback interface of its
	// own, as in a container: no exporter answers there unless a mapping says so.
	OwnLoopback bool
	// Now is the clock of the fakes and of the history's end, time.Now where nil.
	// Scrape timestamps are always the machine's, so it must not be far from that.
	Now    func() time.Time
	Logger *slog.Logger // gets what Prometheus logs; nil drops it
	// Progress is told how far a stage ("history", "scrape") has come. It is called
	// from the goroutine that runs Start. May be nil.
	Progress func(stage string, done, total int)
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
	if opts.Scenario == nil {
		return nil, errors.New("start the embedded environment: no scenario for the fakes")
	}
	opts.History = max(opts.History, 0)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Progress == nil {
		opts.Progress = func(string, int, int) {}
	}
	cfg, err := p.Config(opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.File, err)
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

func (e *Env) start(ctx context.Context, cfg *config.Config, p *stack.Prometheus, opts Options) error {
	now := opts.Now()
	from := now.Add(-opts.History)
	world := fakes.NewWorld(opts.Scenario, now.Add(-max(opts.History, minWorldAge)))
	registry := prometheus.NewRegistry()
	// What a prometheus process says of itself, for stacks that scrape it.
	registry.MustRegister(versioncollector.NewCollector("prometheus"), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	store, err := e.openStore(opts, time.Duration(cfg.GlobalConfig.EvaluationInterval), registry)
	if err != nil {
		return err
	}
	board := newSwitchboard(world, opts)
	board.serveSelf(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	e.onClose(board.Close)
	// A scrape that waits for a live target must not outlive the caller's patience.
	defer context.AfterFunc(ctx, board.hangUp)()

	disc, err := e.startDiscovery(cfg, board, opts.Logger, registry)
	if err != nil {
		return err
	}
	targets, err := disc.targets(ctx)
	if err != nil {
		return err
	}
	if err := board.assign(targets); err != nil {
		return err
	}
	ruleSet, err := e.loadRules(cfg, store, opts.Logger, registry)
	if err != nil {
		return err
	}
	scraper, err := e.newScraper(cfg, targets, board, disc, store, opts.Logger, registry)
	if err != nil {
		return err
	}
	if err := scraper.probe(ctx); err != nil {
		return err
	}
	// Applying the configuration looks up this machine's name, and the API renders
	// its own description: neither need hold up the history.
	var g errgroup.Group
	api := &api{config: cfg, store: store, scrape: scraper.manager, rules: ruleSet.manager, registry: registry,
		logger: component(opts.Logger, "web")}
	e.onClose(api.close)
	e.onClose(func() error {
		_ = g.Wait() // its error is the start's; what it made is closed next
		return nil
	})
	g.Go(scraper.apply)
	g.Go(api.prepare)
	histErr := newHistory(store, targets, ruleSet, opts).lay(ctx, from)
	if err := errors.Join(g.Wait(), histErr); err != nil {
		return err
	}
	if err := scraper.ready(ctx, opts.Progress); err != nil {
		return err
	}
	ready := scraper.lastScrape(opts.Now())
	if err := ruleSet.evaluate(ctx, ready); err != nil {
		return err
	}
	e.instance = env.Instance{
		Name:          Name,
		PrometheusURL: e.serve(api),
		Targets:       scraper.states(p),
		From:          from,
		Now:           ready,
		World:         world,
	}
	return ctx.Err()
}

// tempDir makes the directory that all data goes to.
func (e *Env) tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "panelgate-")
	if err != nil {
		return "", fmt.Errorf("make a directory for the data: %w", err)
	}
	e.onClose(func() error {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove the data: %w", err)
		}
		return nil
	})
	return dir, nil
}
