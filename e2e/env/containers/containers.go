// Package containers runs a stack's own Prometheus and Grafana as containers, from
// its compose project, with containers of fakes in the place of whatever Prometheus
// scrapes. The servers are real and their files are the stack's: what they refuse,
// production would refuse. A past is laid down as TSDB blocks before Prometheus
// starts. What makes the containers is an Engine: package docker has one, package
// dagger another.
package containers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/internal/scratch"
	"github.com/panelgate/panelgate/stack"
)

// Options say what is run, and how.
type Options struct {
	// Name is what the environment is called.
	Name string
	// Connect reaches the engine of one start. keeper is the run that keeps volumes
	// beyond this one, "" for none.
	Connect func(ctx context.Context, logger *slog.Logger, keeper string) (Engine, error)
	// Past is what surrounds Prometheus: scenario, mapping of targets, history. Its
	// Progress and Logger are those of the whole start.
	Past   embedded.Options
	Images Images
	// Environment is set over what the compose file has, by role or service: the
	// settings under which a server is tried.
	Environment map[string]map[string]string
	// AsConfigured leaves the scrape intervals as they are, so that readiness takes
	// as long as they say.
	AsConfigured bool
	// Logs is the directory that the containers' logs are kept in, "" for none. Of
	// several starts the last one's stay.
	Logs string
	// Data keeps what the servers write beyond the run; nil lets it go.
	Data *Data
}

// liveTarget is who answers for a target that is scraped where it is.
const liveTarget = env.AnsweredLive

// bootTime is how long a server may take to come up. Grafana's first start on a
// slow disk takes half a minute.
const bootTime = 90 * time.Second

// Env is a stack whose servers are up, or have been tried.
type Env struct {
	run      *run
	instance env.Instance
	once     sync.Once
	closeErr error
}

// Start starts the stack's servers and returns once every target has been scraped
// and Grafana has read its provisioning. A server that ends instead is a fault of
// the instance where its log says what of the stack it refuses, and an error
// otherwise. When ctx ends, or on any error, everything is removed again.
func Start(ctx context.Context, s *stack.Stack, opts Options) (_ env.Env, err error) {
	r, err := newRun(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	e := &Env{run: r}
	started := false
	defer func() { // on errors, and on panics too
		if !started {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.instance, err = r.start(ctx); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), context.Cause(ctx))
		}
		return nil, err
	}
	started = true
	return e, nil
}

// Instance implements env.Env.
func (e *Env) Instance() env.Instance { return e.instance }

// Password is that of Grafana's administrator, made up for this run.
func (e *Env) Password() string { return e.run.password }

// Close removes the containers, their networks and volumes.
func (e *Env) Close() error {
	e.once.Do(func() { e.closeErr = e.run.close() })
	return e.closeErr
}

// run is one start on its way.
type run struct {
	opts      Options
	stack     *stack.Stack
	engine    Engine
	made      []Container // every one of this run
	logger    *slog.Logger
	password  string // of Grafana's administrator
	authority *authority
	past      *embedded.Past
	laid      time.Time // how far the past reaches that Prometheus was given
	pastDir   string    // of its blocks, "" without history
	layout    *layout
	near      map[string]Container // whose network a server shares, by service
	hurried   bool                 // Prometheus has a copy of prometheus.yml with short intervals
	continued bool                 // Prometheus goes on with what an earlier start has kept
	// plainDiscovery says that this Prometheus does not know the flag that hurries
	// discovery.
	plainDiscovery bool

	mu      sync.Mutex
	notes   []string
	steps   []env.Step
	began   time.Time
	servers map[env.Role]Container
	up      map[env.Role]bool // has come up
	silence env.Silence
	idle    func() // ends the connections to Prometheus that nobody needs, nil for none
	helping sync.Mutex
	helped  map[string]Container // what servers depend on, by service
}

// newRun connects to the engine. Nothing has been made yet.
func newRun(ctx context.Context, s *stack.Stack, opts Options) (*run, error) {
	if opts.Past.Logger == nil {
		opts.Past.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Past.Progress == nil {
		opts.Past.Progress = func(string, int, int) {}
	}
	if opts.Past.Now == nil {
		opts.Past.Now = time.Now
	}
	r := &run{opts: opts, stack: s, logger: opts.Past.Logger, began: time.Now(), servers: map[env.Role]Container{}, up: map[env.Role]bool{},
		helped: map[string]Container{}}
	if s.Compose == nil || s.Prometheus == nil || s.Prometheus.Service == nil {
		return nil, &UsageError{errors.New("the stack has no compose file with a Prometheus service: there is nothing to start as a container")}
	}
	if s.Grafana == nil || s.Grafana.Service == nil {
		return nil, &UsageError{fmt.Errorf("no service of %s is known to be Grafana by its image or port, so that no panel could be asked through it: "+
			"--service grafana=NAME says which it is, --env embedded does without", s.Compose.File)}
	}
	r.password = rand.Text()
	if opts.Data != nil {
		r.password = opts.Data.password
	}
	var err error
	r.engine, err = opts.Connect(ctx, r.logger, opts.Data.keeper())
	return r, err
}

func (r *run) close() error {
	if r.idle != nil {
		r.idle()
	}
	err := r.keepLogs()
	err = errors.Join(err, r.engine.Close())
	if r.pastDir != "" {
		if rmErr := os.RemoveAll(r.pastDir); rmErr != nil {
			err = errors.Join(err, fmt.Errorf("remove the past: %w", rmErr))
		}
	}
	return err
}

// start brings up both servers and what surrounds them. Grafana takes the longest
// by far and is begun first, where it need not wait for its network.
func (r *run) start(outer context.Context) (env.Instance, error) {
	instance := env.Instance{Name: r.opts.Name, Log: r.log, Died: r.died}
	if h, ok := r.engine.(holder); ok {
		instance.Holder = func(ctx context.Context, s *stack.Service, port int) (string, bool) {
			return h.Holder(ctx, r.stack.Dir, s, port)
		}
	}
	instance.Failed = func(ctx context.Context) error { return r.failed(ctx, &instance) }
	g, ctx := errgroup.WithContext(outer)
	surrounded := make(chan struct{})
	g.Go(env.Guarded(func() error { return r.prometheusSide(ctx, surrounded, &instance) }))
	g.Go(env.Guarded(func() error { return r.grafanaSide(ctx, surrounded, &instance) }))
	if err := g.Wait(); err != nil {
		return instance, err
	}
	var err error
	if instance.Unhealthy, err = r.unhealthy(outer); err != nil {
		return instance, err
	}
	instance.From, instance.Laid, instance.World = r.past.From, r.laid, r.past.World
	instance.Notes, instance.Steps = r.notes, r.steps
	return instance, nil
}

// prometheusSide brings up the fakes and then Prometheus. surrounded is closed once
// every network is there that a server shares.
func (r *run) prometheusSide(ctx context.Context, surrounded chan<- struct{}, out *env.Instance) error {
	if err := r.checkImages(); err != nil {
		return err
	}
	var image Image
	var fakes string
	g, waitCtx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		image, err = r.serverImage(waitCtx, rolePrometheus)
		return err
	})
	g.Go(func() (err error) {
		fakes, err = r.engine.FakesImage(waitCtx, r.opts.Images.Override[fakesName])
		return err
	})
	g.Go(func() error { return r.surround(waitCtx) })
	if err := g.Wait(); err != nil {
		return err
	}
	r.step("image " + r.stack.Prometheus.Service.Name)
	near, err := r.startOutside(ctx, fakes)
	if err != nil {
		return err
	}
	r.near = near
	close(surrounded)
	return r.startPrometheus(ctx, image, out)
}

// grafanaSide brings up Grafana, after what surrounds it where it shares a network.
func (r *run) grafanaSide(ctx context.Context, surrounded <-chan struct{}, out *env.Instance) error {
	image, err := r.serverImage(ctx, roleGrafana)
	if err != nil {
		return err
	}
	r.step("image " + r.stack.Grafana.Service.Name)
	if s := r.stack.Grafana.Service; r.standsAlone(s) && len(r.candidates(s)) == 0 {
		return r.startGrafana(ctx, image, nil, out)
	}
	select {
	case <-surrounded:
		return r.startGrafana(ctx, image, r.near, out)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// standsAlone says whether a server has a network of its own, whoever is scraped.
func (r *run) standsAlone(s *stack.Service) bool {
	return !s.NetworkHost && !slices.ContainsFunc(r.startedServices(), func(o *stack.Service) bool {
		return o != s && (o.NetworkOf == s.Name || s.NetworkOf == o.Name)
	})
}

// surround works out what the servers are surrounded by: the targets, who answers
// for them, and the past.
func (r *run) surround(ctx context.Context) error {
	dir, err := scratch.Dir()
	if err != nil {
		return fmt.Errorf("make a directory for the past: %w", err)
	}
	r.pastDir = dir
	if r.past, err = embedded.LayPast(ctx, r.stack.Prometheus, dir, r.opts.Past); err != nil {
		return fmt.Errorf("work out the targets and their past: %w", err)
	}
	r.layout, err = lay(r.past.Lines, r.stack.Prometheus.Service, r.startedServices(), r.stack.Compose.Services)
	if err != nil {
		return err
	}
	tls := r.layout.host.usesTLS()
	for _, o := range r.layout.near {
		tls = tls || o.usesTLS()
	}
	if tls {
		r.authority, err = newAuthority()
	}
	return err
}

// step takes down how long the start has been at something.
func (r *run) step(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.steps = append(r.steps, env.Step{Name: name, Duration: now.Sub(r.began)})
}

func (r *run) progress(stage string, done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Past.Progress(stage, done, total)
}

// holder is an engine that runs on this host, whose containers may have its ports.
type holder interface {
	// Holder names the container that has a port of this host, and says whether it is
	// the service's own of the stack in dir, which may be running here; "" for none.
	Holder(ctx context.Context, dir string, s *stack.Service, port int) (name string, itself bool)
}

// create makes a container and remembers it for its log.
func (r *run) create(ctx context.Context, s Spec) (Container, error) {
	c, err := r.engine.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, c)
	return c, nil
}
