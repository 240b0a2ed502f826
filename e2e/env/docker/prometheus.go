package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
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

// startPrometheus starts Prometheus and waits until every target has been scraped.
func (r *run) startPrometheus(ctx context.Context, image pulled, out *env.Instance) error {
	base, w, err := r.bootPrometheus(ctx, image)
	if w != nil {
		defer w.close()
	}
	if r.isFault(err, env.RolePrometheus, out) {
		out.Targets, out.Now = r.past.Targets, r.past.To
		return nil
	}
	if err != nil {
		return err
	}
	r.step("scraped")
	r.mu.Lock()
	defer r.mu.Unlock()
	out.PrometheusURL, out.Targets, out.Now = base, w.states(), w.now()
	r.up[env.RolePrometheus] = true
	return nil
}

// bootPrometheus is up to the moment when there is nothing more to wait for. The
// scrapes it returns are to be closed, also on an error.
func (r *run) bootPrometheus(ctx context.Context, image pulled) (base string, w *scrapes, err error) {
	s := r.stack.Prometheus.Service
	if err := r.startHelpers(ctx, s, nil); err != nil {
		return "", nil, err
	}
	c, err := r.tryPrometheus(ctx, image)
	if err != nil {
		return "", nil, err
	}
	address, err := c.at(ctx, s.ListenPort())
	if err != nil {
		return "", nil, err
	}
	base = (&url.URL{Scheme: "http", Host: address, Path: s.RoutePrefix()}).String()
	w = newScrapes(r, base)
	began := time.Now()
	err = r.await(ctx, c, bootTime, "its API at "+base, w.up)
	if r.unknownFlag(err) {
		r.logger.Info("this Prometheus does not know the flag that hurries discovery: starting it without")
		w.close()
		if err := c.remove(ctx); err != nil {
			return "", nil, err
		}
		r.plainDiscovery = true
		return r.bootPrometheus(ctx, image)
	}
	if err != nil {
		return base, w, err
	}
	r.logger.Info("Prometheus is up", "took", time.Since(began))
	r.step("boot " + s.Name)
	if err := r.await(ctx, c, r.scrapeTime(), "a scrape of every target", w.settled); err != nil {
		return base, w, err
	}
	return base, w, r.unhurry(ctx, c, base, w)
}

// tryPrometheus creates and starts the container.
func (r *run) tryPrometheus(ctx context.Context, image pulled) (*container, error) {
	sp, err := r.prometheusSpec(ctx, image.name, image.info)
	if err != nil {
		return nil, err
	}
	return r.launch(ctx, env.RolePrometheus, r.stack.Prometheus.Service, sp, r.near)
}

// launch creates and starts a server's container, in the network that it shares
// where there is one.
func (r *run) launch(ctx context.Context, role env.Role, s *stack.Service, sp spec, near map[string]*container) (*container, error) {
	via := near[s.Name]
	if via != nil {
		sp.within, sp.networks, sp.extraHosts = via.ID, nil, nil
	} else {
		sp.publish = []int{r.port(s)}
	}
	c, err := r.engine.create(ctx, sp)
	if err != nil {
		return nil, err
	}
	c.via = via
	r.mu.Lock()
	r.servers[role] = c
	r.mu.Unlock()
	return c, c.start(ctx)
}

// scrapeTime is how long it may take until every target has been scraped as often
// as it has to be: where scrapes are not hurried, that is for the stack to say.
func (r *run) scrapeTime() time.Duration {
	slowest := time.Duration(0)
	live := slices.ContainsFunc(r.past.Targets, func(t env.Target) bool { return t.AnsweredBy == liveTarget })
	for _, j := range r.stack.Prometheus.Jobs {
		if !r.hurried || live { // a job with a live target is never hurried
			slowest = max(slowest, j.ScrapeInterval)
		}
	}
	return bootTime + max(samplesForRate, failuresForDown)*slowest
}

// await waits for a server, for as long as its container runs and time is left.
func (r *run) await(ctx context.Context, c *container, limit time.Duration, what string, done func(context.Context) (bool, error)) error {
	began := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, limit, errBootTime)
	defer cancel()
	var last error
	err := until(limited, func() (bool, error) {
		ok, err := done(limited)
		if ok {
			return true, nil
		}
		last = cmp.Or(err, last)
		if code, ended, err := c.exited(limited); err != nil || ended {
			return false, cmp.Or(err, r.exitOf(ctx, c, code))
		}
		return false, nil
	})
	if errors.Is(err, errBootTime) {
		lines, logErr := c.log(ctx)
		asked := what
		if last != nil {
			asked += ": " + last.Error()
		}
		return errors.Join(&SilentError{c.name, time.Since(began), asked, lastLines(lines, 15)}, logErr)
	}
	return err
}

var errBootTime = errors.New("the server took too long to come up")

// exitOf is the error of a container that has ended.
func (r *run) exitOf(ctx context.Context, c *container, code int) error {
	lines, err := c.log(ctx)
	return errors.Join(&ExitError{Service: c.name, Code: code, Log: lastLines(lines, 30)}, err)
}

// isFault says whether the error is that a server ended instead of coming up, and
// takes it down as a fault of the stack.
func (r *run) isFault(err error, role env.Role, out *env.Instance) bool {
	var exit *ExitError
	if !errors.As(err, &exit) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out.Faults = append(out.Faults, env.Fault{Role: role, Service: r.faultyService(exit, role), ExitCode: exit.Code, Log: exit.Log})
	return true
}

// faultyService is the service that ended: a server, or what it depends on.
func (r *run) faultyService(exit *ExitError, role env.Role) *stack.Service {
	if s := r.serviceNamed(exit.Service); s != nil {
		return s
	}
	return r.roles()[string(role)]
}

// unknownFlag says whether Prometheus ended over the flag that we gave it.
func (r *run) unknownFlag(err error) bool {
	var exit *ExitError
	return errors.As(err, &exit) && !r.plainDiscovery && slices.ContainsFunc(exit.Log, func(line string) bool {
		return strings.Contains(line, "unknown long flag") && strings.Contains(line, reloadFlag)
	})
}

// unhurry puts the true prometheus.yml back, once the rules have been evaluated:
// from then on nothing runs faster than the stack says.
func (r *run) unhurry(ctx context.Context, c *container, base string, w *scrapes) error {
	if !r.hurried || !w.history {
		return nil
	}
	if err := w.rulesEvaluated(ctx); err != nil {
		return err
	}
	if err := c.put(ctx, r.restored()); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/-/reload", http.NoBody)
	if err != nil {
		return fmt.Errorf("have Prometheus reload: %w", err)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return fmt.Errorf("have Prometheus read its true configuration again: %w", err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("have Prometheus read its true configuration again: it answers %s", response.Status), err)
	}
	return nil
}

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

func newScrapes(r *run, base string) *scrapes {
	transport := &http.Transport{MaxIdleConnsPerHost: 2}
	w := &scrapes{run: r, http: &http.Client{Transport: transport, Timeout: 10 * time.Second}, seen: map[string]*sighting{},
		history: r.past.From.Before(r.past.To) && r.past.Series > 0}
	client, err := api.NewClient(api.Config{Address: base, RoundTripper: transport})
	if err != nil {
		panic("docker: our own url does not parse: " + err.Error())
	}
	w.api = promv1.NewAPI(client)
	for _, t := range r.past.Targets {
		w.seen[key(t.Job, t.URL, t.Labels)] = &sighting{target: t}
	}
	return w
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
	if w.history && s.target.AnsweredBy != "" && s.target.AnsweredBy != liveTarget {
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
