package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"
	"github.com/prometheus/prometheus/discovery/http"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"
)

const (
	// discoveryPatience is how long the first answer of a discovery is waited for.
	// One whose file or server is broken never gives any and only logs.
	discoveryPatience = 2 * time.Second
	discoveryInterval = 100 * time.Millisecond
)

// target is a scrape target that discovery found at the start.
type target struct {
	job     *config.ScrapeConfig
	scrape  *scrape.Target // nil where the job's settings make none of it
	err     error          // why it is never scraped
	labels  labels.Labels  // public, after relabelling
	address string         // host:port that is dialled
	key     string         // tells targets apart
	line    *line          // who answers; nil for nobody
	// unreachable is why the way to somebody who stands in for it fails.
	unreachable error
	past        int      // successful scrapes laid down as history
	seen        sighting // its live scrapes
}

// discoverer runs Prometheus' discovery and takes down what it finds first.
type discoverer struct {
	manager *discovery.Manager
	jobs    []*config.ScrapeConfig
	first   *firstUpdates
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (e *Env) startDiscovery(cfg *config.Config, board *switchboard, clone cloner, logger *slog.Logger, registry *prometheus.Registry) (*discoverer, error) {
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return nil, fmt.Errorf("read the scrape configurations: %w", err)
	}
	metrics, err := discovery.CreateAndRegisterSDMetrics(registry)
	if err != nil {
		return nil, fmt.Errorf("prepare discovery: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &discoverer{
		jobs:   jobs,
		first:  newFirstUpdates(),
		logger: logger,
		cancel: cancel,
		manager: discovery.NewManager(ctx, component(logger, "discovery"), registry, metrics,
			discovery.Updatert(discoveryInterval),
			discovery.HTTPClientOptions(config_util.WithDialContextFunc(board.dialLoopback))),
	}
	if d.manager == nil {
		cancel()
		return nil, errors.New("prepare discovery: its metrics could not be registered")
	}
	e.onClose(d.close)
	d.running.Go(func() { _ = d.manager.Run() }) // ends with the context's error
	watched := make(map[string]discovery.Configs, len(jobs))
	for _, job := range jobs {
		for _, c := range job.ServiceDiscoveryConfigs {
			watched[job.JobName] = append(watched[job.JobName], &watchedConfig{Config: c, job: job.JobName, first: d.first, cloner: clone})
		}
	}
	if err := d.manager.ApplyConfig(watched); err != nil {
		return nil, fmt.Errorf("start discovery: %w", err)
	}
	return d, nil
}

func (d *discoverer) close() error {
	d.cancel()
	for range d.manager.SyncCh() { // until its sender has ended
	}
	d.running.Wait()
	d.first.running.Wait()
	return nil
}

// targets waits for the first answer of every discovery and makes targets of it
// as scraping does.
func (d *discoverer) targets(ctx context.Context) ([]*target, error) {
	timeout := time.NewTimer(discoveryPatience)
	defer timeout.Stop()
	select {
	case <-d.first.complete():
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-timeout.C:
		d.logger.Warn("Discovery did not answer in time", "jobs", d.first.missing())
	}
	groups := d.first.snapshot()
	var out []*target
	for _, job := range d.jobs {
		out = append(out, targetsOf(job, groups[job.JobName])...)
	}
	return out, nil
}

// targetsOf are the targets of a job, without those that relabelling drops and
// without duplicates.
func targetsOf(job *config.ScrapeConfig, groups []*targetgroup.Group) []*target {
	var out []*target
	seen := map[string]bool{}
	lb := labels.NewBuilder(labels.EmptyLabels())
	for _, g := range groups {
		found, failures := scrape.TargetsFromGroup(g, job, nil, lb)
		for _, err := range failures {
			out = append(out, &target{job: job, err: err})
		}
		for _, s := range found {
			t := &target{job: job, scrape: s, labels: publicLabels(s), key: targetKey(s)}
			if t.labels.IsEmpty() || seen[t.key] {
				continue
			}
			seen[t.key] = true
			t.address = dialAddress(s.URL())
			out = append(out, t)
		}
	}
	return out
}

// targetKey tells a job's targets apart as scraping does.
func targetKey(t *scrape.Target) string {
	return fmt.Sprintf("%s %s %s %s", publicLabels(t), t.URL(),
		t.GetValue(model.ScrapeIntervalLabel), t.GetValue(model.ScrapeTimeoutLabel))
}

// watchedConfig is a discovery whose first answers are taken down on their way
// to the manager, so that nobody has to guess when discovery is complete.
type watchedConfig struct {
	discovery.Config
	job    string
	first  *firstUpdates
	cloner cloner
}

// NewDiscoverer implements discovery.Config.
func (c *watchedConfig) NewDiscoverer(o discovery.DiscovererOptions) (discovery.Discoverer, error) {
	d, err := c.Config.NewDiscoverer(o)
	if err != nil {
		return nil, err
	}
	w := &watchedDiscoverer{Discoverer: d, job: c.job, first: c.first, cloner: c.cloner, expected: expectedUpdates(c.Config)}
	c.first.expect(c.job, w.expected)
	c.first.running.Add(1) // the manager runs whatever it has been given
	return w, nil
}

// expectedUpdates is how many updates make the first answer of a discovery; 0
// for those that answer nothing here.
func expectedUpdates(c discovery.Config) int {
	switch c := c.(type) {
	case discovery.StaticConfig, *http.SDConfig:
		return 1
	case *file.SDConfig:
		n := 0
		for _, pattern := range c.Files {
			files, err := filepath.Glob(pattern)
			if err == nil { // else the discovery itself logs it
				n += len(files)
			}
		}
		return n
	default:
		return 0
	}
}

type watchedDiscoverer struct {
	discovery.Discoverer
	job      string
	first    *firstUpdates
	cloner   cloner
	expected int
}

// Run implements discovery.Discoverer.
func (w *watchedDiscoverer) Run(ctx context.Context, up chan<- []*targetgroup.Group) {
	defer w.first.running.Done()
	in := make(chan []*targetgroup.Group)
	var running sync.WaitGroup
	running.Go(func() { w.Discoverer.Run(ctx, in) })
	defer running.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case groups, ok := <-in:
			if !ok { // static discovery closes its channel
				in = nil
				continue
			}
			groups = w.cloner.groups(w.job, groups)
			select {
			case up <- groups:
			case <-ctx.Done():
				return
			}
			if w.expected > 0 {
				w.expected--
				w.first.add(w.job, groups)
			}
		}
	}
}

// firstUpdates collects the first answers of all discoveries. The manager makes
// all its discoverers before it runs any, so expect is never called after add.
type firstUpdates struct {
	running sync.WaitGroup

	mu      sync.Mutex
	groups  map[string][]*targetgroup.Group
	pending map[string]int // answers still to come, by job
	done    chan struct{}  // closed when none is
}

func newFirstUpdates() *firstUpdates {
	return &firstUpdates{
		groups:  map[string][]*targetgroup.Group{},
		pending: map[string]int{},
		done:    make(chan struct{}),
	}
}

func (f *firstUpdates) expect(job string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n > 0 {
		f.pending[job] += n
	}
}

func (f *firstUpdates) add(job string, groups []*targetgroup.Group) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range groups {
		if g != nil { // as the manager does
			f.groups[job] = append(f.groups[job], g)
		}
	}
	if f.pending[job]--; f.pending[job] == 0 {
		delete(f.pending, job)
	}
	if len(f.pending) == 0 {
		close(f.done)
	}
}

// complete is closed once every discovery has answered.
func (f *firstUpdates) complete() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	return f.done
}

// missing names the jobs whose discovery has not answered.
func (f *firstUpdates) missing() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.pending))
}

func (f *firstUpdates) snapshot() map[string][]*targetgroup.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.groups)
}
