package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/scrape"

	"github.com/panelgate/panelgate/e2e/env"
)

const (
	// samplesForRate is how many samples a counter needs before rate says anything.
	samplesForRate = 2
	// failuresForDown is how many scrapes in a row must fail before a target counts
	// as down: a live one may just be starting.
	failuresForDown = 2
	// pauseBetween is the least time between two scrapes that readiness asks for,
	// so that the samples are far enough apart for a rate.
	pauseBetween = 250 * time.Millisecond
)

// scrapedJob is a job on its way to readiness.
type scrapedJob struct {
	config  *config.ScrapeConfig
	targets []*target
	client  *http.Client // as the job's scrapes use
	err     error        // why the job cannot be scraped at all
}

// sighting is what has been seen of a target's live scrapes.
type sighting struct {
	active    *scrape.Target // the manager's own
	last      time.Time      // timestamp of the last scrape
	noticed   time.Time      // when that was seen, by a clock that is never set
	scrapes   int
	wanted    int // scrapes that readiness waits for
	successes int
	failures  int // in a row
}

// ready lets scraping begin and waits until every target has been scraped for
// good: successfully, and twice where no history feeds rate, or in vain.
func (s *scraper) ready(ctx context.Context, progress func(string, int, int)) error {
	s.feed()
	begin, told := time.Now(), -1
	tick := time.NewTicker(settlingPoll)
	defer tick.Stop()
	for {
		settled, all := s.look(time.Since(begin) > poolPatience)
		if settled != told {
			progress("scrape", settled, all)
			told = settled
		}
		if settled == all && s.written() {
			s.writes.forget()
			return ctx.Err()
		}
		if s.askAgain((*scrapedJob).mayAsk) {
			if err := s.apply(); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look takes down what has been scraped since the last look and counts the
// targets that are settled. late says that what is missing will not come any more.
func (s *scraper) look(late bool) (settled, all int) {
	active := map[string]*scrape.Target{}
	for _, targets := range s.manager.TargetsActive() {
		for _, t := range targets {
			active[targetKey(t)] = t
		}
	}
	for _, j := range s.jobs {
		for _, t := range j.targets {
			all++
			if t.scrape != nil && t.seen.active == nil {
				t.seen.active = active[t.key]
			}
			if late && t.scrape != nil && t.seen.active == nil && t.err == nil {
				t.err = errors.New("the target is not scraped; the log of Prometheus says why")
			}
			t.seen.update()
			if t.settled() {
				settled++
			}
		}
	}
	return settled, all
}

// written says whether all scrapes seen so far are in the database.
func (s *scraper) written() bool {
	seen := map[time.Time]int{}
	for _, j := range s.jobs {
		for _, t := range j.targets {
			if t.seen.scrapes > 0 {
				seen[timestamp.Time(timestamp.FromTime(t.seen.last))]++
			}
		}
	}
	for at, n := range seen {
		if !s.writes.has(at, n) {
			return false
		}
	}
	return true
}

func (s *sighting) update() {
	if s.active == nil {
		return
	}
	at := s.active.LastScrape()
	if at.IsZero() || at.Equal(s.last) {
		return
	}
	s.last, s.noticed = at, time.Now()
	s.scrapes++
	if s.active.LastError() == nil {
		s.successes++
		s.failures = 0
	} else {
		s.failures++
	}
}

// settled says whether another scrape would tell nothing new of the target.
func (t *target) settled() bool {
	switch {
	case t.err != nil:
		return true
	case t.seen.failures > 0:
		return t.seen.failures >= failuresForDown || conclusive(t.seen.active.LastError())
	default:
		return t.seen.successes > 0 && t.seen.successes+t.past >= samplesForRate
	}
}

// conclusive says whether a scrape will fail alike the next time, or would take too long
// to be tried again.
func conclusive(err error) bool {
	c := causeOf(err)
	return c == env.CauseUnanswered || c == env.CauseTimeout || isLimit(err)
}

// askAgain changes the configuration so that, once applied, the jobs that want
// are scraped once more. It says whether there is any.
func (s *scraper) askAgain(want func(*scrapedJob) bool) bool {
	some := false
	next := *s.config
	next.ScrapeConfigs = nil
	for _, j := range s.jobs {
		if j.err == nil && want(j) {
			some = true
			// A changed configuration makes the manager start its loops anew, and they
			// scrape at once. A nanosecond changes nothing else: intervals are labels of
			// the target, written in milliseconds.
			c := *j.config
			c.ScrapeInterval++
			j.config = &c
			for _, t := range j.targets {
				t.seen.wanted = t.seen.scrapes + 1
			}
		}
		next.ScrapeConfigs = append(next.ScrapeConfigs, j.config)
	}
	if some {
		s.config = &next
	}
	return some
}

// mayAsk says whether some target needs another scrape while none is under way
// that readiness waits for.
func (j *scrapedJob) mayAsk() bool {
	need := false
	for _, t := range j.targets {
		if t.err != nil {
			continue
		}
		if t.seen.scrapes < max(t.seen.wanted, 1) || time.Since(t.seen.noticed) < pauseBetween {
			return false
		}
		need = need || !t.settled()
	}
	return need
}

// lastScrape is the timestamp of the newest scrape, fallback where there is none.
// It is in milliseconds, as samples are.
func (s *scraper) lastScrape(fallback time.Time) time.Time {
	var newest time.Time
	for _, j := range s.jobs {
		for _, t := range j.targets {
			if t.seen.last.After(newest) {
				newest = t.seen.last
			}
		}
	}
	if newest.IsZero() {
		newest = fallback
	}
	return timestamp.Time(timestamp.FromTime(newest))
}

// shortage is why a target could not even be dialled, where this process has run out of
// descriptors or the like; nil where it has not.
func (s *scraper) shortage() error {
	for _, j := range s.jobs {
		for _, t := range j.targets {
			err := t.err
			if err == nil && t.seen.active != nil {
				err = t.seen.active.LastError()
			}
			if env.Shortage(err) {
				return fmt.Errorf("this machine does not let target %s be scraped (ulimit -n says how many files a process may open): %w", t.address, err)
			}
		}
	}
	return nil
}
