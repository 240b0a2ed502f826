package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

const (
	// samplesForRate is how many scrapes a rate needs where no history feeds it.
	samplesForRate = 2
	// failuresForDown is how many scrapes in a row must fail before a target is down.
	failuresForDown = 2
	// missingPatience is how long a target may be missing from the list of a
	// Prometheus that has others: its job was refused, then.
	missingPatience = 8 * time.Second
	// emptyPatience is how long its list may be empty: all jobs were refused, then.
	emptyPatience = 30 * time.Second
	// rulePatience is how long the first evaluation of rules is waited for.
	rulePatience = 3 * time.Second
)

// scrapes watches a Prometheus on its way to readiness.
type scrapes struct {
	run     *run
	http    *http.Client
	api     promv1.API
	history bool
	asked   time.Time // when the list was first looked at
	first   time.Time // when the first target was listed
	seen    map[string]*sighting
}

// sighting is what has been seen of a target's scrapes.
type sighting struct {
	target    env.Target
	last      time.Time
	successes int
	failures  int // in a row
	missing   bool
}

func newScrapes(r *run, base string) (*scrapes, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2}
	client, err := api.NewClient(api.Config{Address: base, RoundTripper: transport})
	if err != nil {
		return nil, fmt.Errorf("reach Prometheus at %s: %w", base, err)
	}
	w := &scrapes{run: r, http: &http.Client{Transport: transport, Timeout: 10 * time.Second}, seen: map[string]*sighting{},
		api: promv1.NewAPI(client), history: r.past.From.Before(r.past.To) && r.past.Series > 0}
	for _, t := range r.past.Targets {
		w.seen[key(t.Job, t.URL, t.Labels)] = &sighting{target: t}
	}
	return w, nil
}

func (w *scrapes) close() { w.http.CloseIdleConnections() }

// up asks whether the API answers.
func (w *scrapes) up(ctx context.Context) (bool, error) {
	_, err := w.api.Buildinfo(ctx)
	return err == nil, err
}

// key tells targets apart.
func key(job, scrapeURL string, labels map[string]string) string {
	set := model.LabelSet{}
	for k, v := range labels {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return job + "\x00" + scrapeURL + "\x00" + set.String()
}

// settled looks at the targets and says whether another scrape would tell nothing
// new of any.
func (w *scrapes) settled(ctx context.Context) (bool, error) {
	list, err := w.api.Targets(ctx)
	if err != nil {
		return false, err
	}
	if w.asked.IsZero() {
		w.asked = time.Now()
	}
	if w.first.IsZero() && len(list.Active) > 0 {
		w.first = time.Now()
	}
	listed := map[string]bool{}
	for _, t := range list.Active {
		// By the label, which relabelling may have made another than the pool.
		k := key(string(t.Labels[model.JobLabel]), t.ScrapeURL, texts(t.Labels))
		listed[k] = true
		w.see(k, t)
	}
	late := w.late()
	done := 0
	for k, s := range w.seen {
		if !listed[k] && late {
			s.missing = true
		}
		if s.settled(w.enough(s)) {
			done++
		}
	}
	w.run.progress("scrape", done, len(w.seen))
	return done == len(w.seen), nil
}

// late says whether a target that is not listed will not be any more.
func (w *scrapes) late() bool {
	if w.first.IsZero() {
		return time.Since(w.asked) > emptyPatience
	}
	return time.Since(w.first) > missingPatience+w.run.discoveryTime()
}

// discoveryTime is what a Prometheus takes to begin scraping that cannot be told
// to begin at once.
func (r *run) discoveryTime() time.Duration {
	if r.hurried && !r.plainDiscovery {
		return 0
	}
	return 10 * time.Second
}

func texts(labels model.LabelSet) map[string]string {
	out := map[string]string{}
	for k, v := range labels {
		out[string(k)] = string(v)
	}
	return out
}

// enough is how many successful scrapes a target needs.
func (w *scrapes) enough(s *sighting) int {
	past := !w.run.continued || w.run.opts.Data.knows(s.target)
	if w.history && past && s.target.AnsweredBy != "" && s.target.AnsweredBy != liveTarget {
		return 1
	}
	return samplesForRate
}

func (w *scrapes) see(k string, t promv1.ActiveTarget) {
	s := w.seen[k]
	if s == nil { // discovered by something that only runs inside of the container
		labels := texts(t.Labels)
		s = &sighting{target: env.Target{Job: labels[model.JobLabel], Instance: labels[model.InstanceLabel], URL: t.ScrapeURL,
			Address: hostOf(t.ScrapeURL), Labels: labels, AnsweredBy: liveTarget, Pos: w.run.jobPos(t.ScrapePool)}}
		w.seen[k] = s
	}
	if t.LastScrape.IsZero() || t.LastScrape.Equal(s.last) {
		return
	}
	s.last = t.LastScrape
	s.target.Up, s.target.Error = t.Health == promv1.HealthGood, t.LastError
	if s.target.Up {
		s.successes, s.failures = s.successes+1, 0
	} else {
		s.failures++
	}
}

func (s *sighting) settled(enough int) bool {
	if s.missing || s.successes >= enough && s.failures == 0 {
		return true
	}
	return s.failures >= failuresForDown
}

// states are the targets as they were last seen, by job and instance.
func (w *scrapes) states() []env.Target {
	out := []env.Target{}
	for _, s := range w.seen {
		t := s.target
		switch {
		case s.missing && s.last.IsZero():
			t.Error, t.Cause = cmp.Or(t.Error, "the target is not scraped; the log of Prometheus says why"), env.CauseOther
		case !t.Up:
			t.Cause = env.CauseOf(t)
		default:
			t.Error, t.Cause = "", env.CauseNone
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b env.Target) int {
		return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.URL, b.URL))
	})
	return out
}

// now is the moment of the newest scrape, in milliseconds as samples are.
func (w *scrapes) now() time.Time {
	newest := w.run.past.To
	for _, s := range w.seen {
		if s.last.After(newest) {
			newest = s.last
		}
	}
	return newest.Truncate(time.Millisecond).UTC()
}

// rulesEvaluated waits a moment for rules that have not been evaluated yet.
func (w *scrapes) rulesEvaluated(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, rulePatience, errPatience)
	defer cancel()
	err := until(limited, func() (bool, error) {
		rules, err := w.api.Rules(limited, nil)
		if err != nil {
			return false, nil //nolint:nilerr // that rules are not listed is not what is being waited for
		}
		for _, g := range rules.Groups {
			if g.Interval <= 2*hurriedInterval.Seconds() && slices.ContainsFunc(g.Rules, unevaluated) {
				return false, nil
			}
		}
		return true, nil
	})
	if errors.Is(err, errPatience) {
		return nil
	}
	return err
}

var errPatience = errors.New("no longer waited for")

// unevaluated says whether a rule has no health yet.
func unevaluated(rule any) bool {
	switch rule := rule.(type) {
	case promv1.RecordingRule:
		return rule.Health == promv1.RuleHealthUnknown
	case promv1.AlertingRule:
		return rule.Health == promv1.RuleHealthUnknown
	}
	return false
}

// jobPos is where prometheus.yml has a job.
func (r *run) jobPos(job string) source.Pos {
	for _, j := range r.stack.Prometheus.Jobs {
		if j.Name.Value == job {
			return j.Pos
		}
	}
	return source.Pos{File: r.stack.Prometheus.File}
}

func hostOf(scrapeURL string) string {
	u, err := url.Parse(scrapeURL)
	if err != nil {
		return ""
	}
	return u.Host
}
