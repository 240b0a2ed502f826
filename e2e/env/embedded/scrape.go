package embedded

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
)

const (
	// atOnce outweighs the jitter by which a target's first scrape is put off, which
	// is at most one interval.
	atOnce = -100 * 365 * 24 * time.Hour
	// poolPatience is how long a job's scrape pool may take to appear.
	poolPatience = 10 * time.Second
	settlingPoll = 5 * time.Millisecond
)

// scraper is Prometheus' scrape manager, left as it is: targets keep their
// intervals and timeouts. It is hurried in two ways only: the first scrape of a
// target follows at once, and a job is reloaded to be scraped once more. So
// nothing runs faster than configured afterwards.
type scraper struct {
	manager *scrape.Manager
	config  *config.Config // what the manager is given, see inMemory
	jobs    []*scrapedJob
	writes  *scrapedStore
	disc    *discoverer

	stop    context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup
	fed     bool // the manager has been given targets
}

func (e *Env) newScraper(cfg *config.Config, targets []*target, board *switchboard, disc *discoverer, st *store,
	logger *slog.Logger, registry *prometheus.Registry) (*scraper, error) {
	s := &scraper{
		config: inMemory(cfg, disc.jobs, targets),
		writes: newScrapedStore(st),
		disc:   disc,
	}
	dial := config_util.WithDialContextFunc(board.dial)
	for _, job := range s.config.ScrapeConfigs {
		j := &scrapedJob{config: job}
		for _, t := range targets {
			if t.job.JobName == job.JobName {
				j.targets = append(j.targets, t)
			}
		}
		// The manager would only log that a job cannot be scraped.
		if j.client, j.err = config_util.NewClientFromConfig(job.HTTPClientConfig, job.JobName, dial); j.err != nil {
			for _, t := range j.targets {
				t.err = cmp.Or(t.err, j.err)
			}
		}
		s.jobs = append(s.jobs, j)
	}
	var err error
	s.manager, err = scrape.NewManager(&scrape.Options{
		HTTPClientOptions:        []config_util.HTTPClientOption{dial},
		DiscoveryReloadOnStartup: true,
		DiscoveryReloadInterval:  model.Duration(discoveryInterval),
		InitialScrapeOffset:      atOnce,
	}, component(logger, "scrape manager"), nil, nil, s.writes, registry)
	if err != nil {
		return nil, fmt.Errorf("prepare scraping: %w", err)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	e.onClose(func() error {
		board.hangUp() // else stopping would wait for slow targets
		s.close()
		return nil
	})
	return s, nil
}

// inMemory is the configuration with what only concerns the way to a target that
// somebody stands in for taken out: its proxy, where its token comes from and who
// signed its certificate. The files these name are still read.
func inMemory(cfg *config.Config, jobs []*config.ScrapeConfig, targets []*target) *config.Config {
	live := map[string]bool{}
	for _, t := range targets {
		if t.line != nil && t.line.handler == nil {
			live[t.job.JobName] = true
		}
	}
	out := *cfg
	out.ScrapeConfigFiles = nil // already among the jobs
	out.ScrapeConfigs = nil
	for _, job := range jobs {
		c := *job
		if live[c.JobName] {
			c = bounded(c)
		} else {
			c.HTTPClientConfig.ProxyConfig = config_util.ProxyConfig{}
			c.HTTPClientConfig.OAuth2 = nil
			c.HTTPClientConfig.TLSConfig.InsecureSkipVerify = true
		}
		out.ScrapeConfigs = append(out.ScrapeConfigs, &c)
	}
	return &out
}

// probe tries the way to every target that somebody stands in for. Where it
// fails (a token's file is missing, say) it must fail in the past, too.
func (s *scraper) probe(ctx context.Context) error {
	for _, j := range s.jobs {
		if j.err != nil {
			continue
		}
		for _, t := range j.targets {
			if t.err != nil || t.line == nil || t.line.fake == nil {
				continue
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.scrape.URL().String(), http.NoBody)
			if err != nil {
				return fmt.Errorf("make the request of a scrape: %w", err)
			}
			response, err := j.client.Do(request)
			if err != nil {
				t.unreachable = err
				continue
			}
			if err := response.Body.Close(); err != nil {
				t.unreachable = err
			}
		}
		j.client.CloseIdleConnections()
	}
	return ctx.Err()
}

// apply hands the configuration to the manager, which reloads the jobs that have
// changed.
func (s *scraper) apply() error {
	if err := s.manager.ApplyConfig(s.config); err != nil {
		return fmt.Errorf("apply the scrape configuration: %w", err)
	}
	return nil
}

// feed gives the manager the targets found so far, then whatever discovery finds.
func (s *scraper) feed() {
	sets := make(chan map[string][]*targetgroup.Group)
	s.running.Go(func() { _ = s.manager.Run(sets) }) // always nil
	s.fed = true
	s.running.Go(func() {
		defer close(sets)
		set := s.disc.first.snapshot()
		for _, job := range s.config.ScrapeConfigs {
			if set[job.JobName] == nil {
				set[job.JobName] = []*targetgroup.Group{}
			}
		}
		for ok := true; ok; {
			select {
			case sets <- set:
			case <-s.ctx.Done():
				return
			}
			select {
			case set, ok = <-s.disc.manager.SyncCh():
			case <-s.ctx.Done():
				return
			}
		}
	})
}

// close stops scraping.
func (s *scraper) close() {
	s.stop()
	s.running.Wait()
	if s.fed {
		// The manager makes its pools in the background, also while it is being
		// stopped, and would leave those running.
		s.awaitPools()
	}
	s.manager.Stop()
}

func (s *scraper) awaitPools() {
	tick := time.NewTicker(settlingPoll)
	defer tick.Stop()
	for end := time.Now().Add(time.Second); time.Now().Before(end); <-tick.C {
		if s.poolsComplete() {
			return
		}
	}
}

func (s *scraper) poolsComplete() bool {
	want := 0
	for _, j := range s.jobs {
		if j.err == nil {
			want++
		}
	}
	return len(s.manager.ScrapePools()) >= want
}
