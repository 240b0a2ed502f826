package attach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack"
)

// targets lists what the server scrapes. Mimir, Thanos and VictoriaMetrics answer
// the same API and may scrape nothing: that is a note, and no error.
func (e *Env) targets(ctx context.Context, s *stack.Stack) error {
	base := e.instance.PrometheusURL
	direct := base != "" // through Grafana, that the datasource's server fails is for the rules to say
	if !direct {
		uid := listing(s, e.sources)
		if uid == "" {
			return fmt.Errorf("Grafana at %s has no Prometheus datasource that the login may see: there is nobody to ask", strings.TrimRight(e.opts.Grafana, "/")) //nolint:staticcheck // a name
		}
		base = proxied(e.instance.Grafana.URL(), uid)
		if err := e.allowed(ctx, base); err != nil {
			return err
		}
	}
	prom, err := client(base, &e.servers)
	if err != nil {
		return err
	}
	list, err := e.scraped(ctx, s, prom)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("list the targets: %w", context.Cause(ctx))
	case err != nil && direct && failed(err):
		return fmt.Errorf("list the targets: Prometheus at %s: GET /api/v1/targets: %w", base, bare(err))
	case err != nil:
		e.opts.Logger.Info("the server lists no targets", "err", bare(err))
		e.unlisted("the server lists no scrape targets, so that they are not checked: " + firstLine(bare(err)))
		return nil
	case len(list.Active) == 0:
		e.unlisted("the server has no scrape target, as one that is written to by others: targets are not checked")
		return nil
	}
	e.sort(s, list.Active)
	return nil
}

// scraped lists the targets, once those of the stack's jobs have been scraped:
// after a start or a reload of the server, nobody knows of a target whether it is up
// before its interval has passed. One that is not scraped even then is down.
func (e *Env) scraped(ctx context.Context, s *stack.Stack, prom promv1.API) (promv1.TargetsResult, error) {
	const pause = 250 * time.Millisecond
	began := time.Now()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		list, err := e.list(ctx, prom)
		if err != nil {
			return list, err
		}
		waiting := 0
		for _, a := range list.Active {
			if job := jobOf(s, a); job != nil && a.Health == promv1.HealthUnknown && time.Since(began) < job.ScrapeInterval+job.ScrapeTimeout {
				waiting++
			}
		}
		if waiting == 0 {
			return list, nil
		}
		if e.opts.Progress != nil {
			e.opts.Progress("waiting for the first scrapes", len(list.Active)-waiting, len(list.Active))
		}
		select {
		case <-ctx.Done():
			return list, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (e *Env) list(ctx context.Context, prom promv1.API) (promv1.TargetsResult, error) {
	ctx, cancel := e.patient(ctx)
	defer cancel()
	list, err := prom.Targets(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return list, err
}

func (e *Env) unlisted(note string) {
	e.instance.TargetsUnknown = true
	e.instance.Notes = append(e.instance.Notes, note)
}

// allowed makes sure that the login may ask through Grafana at all. That the
// datasource's own server does not answer is for the rules to say.
func (e *Env) allowed(ctx context.Context, base string) error {
	ctx, cancel := e.patient(ctx)
	defer cancel()
	err := probe(ctx, &e.servers, base)
	var status *statusError
	if !errors.As(err, &status) || !status.byGrafana() {
		return nil
	}
	at := server{title: "Grafana", flag: "--grafana", env: "PANELGATE_GRAFANA", base: e.instance.Grafana.URL(), login: e.opts.GrafanaLogin}
	return at.unreached(ctx, err)
}

// sort takes the targets of the stack's jobs, and keeps apart those of others, for
// which a Prometheus of many stacks has others to answer.
func (e *Env) sort(s *stack.Stack, active []promv1.ActiveTarget) {
	down := 0
	for _, a := range active {
		t, ours := target(s, a)
		if ours {
			e.instance.Targets = append(e.instance.Targets, t)
			continue
		}
		e.instance.Others = append(e.instance.Others, t)
		if !t.Up {
			down++
		}
	}
	if n := len(e.instance.Others); n > 0 {
		e.instance.Notes = append(e.instance.Notes, fmt.Sprintf("of jobs that the stack's files do not have, the server scrapes %d more, %d of them down: they are not judged", n, down))
	}
}

// target is a target as the server sees it, at its place in the stack's files,
// where its job is in them.
func target(s *stack.Stack, a promv1.ActiveTarget) (_ env.Target, ours bool) {
	out := env.Target{Job: string(a.Labels["job"]), Instance: string(a.Labels["instance"]), URL: a.ScrapeURL,
		Labels: map[string]string{}, Up: a.Health == promv1.HealthGood, Error: a.LastError, AnsweredBy: env.AnsweredLive}
	for k, v := range a.Labels {
		out.Labels[string(k)] = string(v)
	}
	if u, err := url.Parse(a.ScrapeURL); err == nil {
		out.Address = u.Host
		out.AnsweredBy = exporterAt(u.Port())
	}
	out.Cause = env.CauseOf(out)
	if a.Health == promv1.HealthUnknown && a.LastError == "" {
		out.Error, out.Cause = "it has not been scraped in all of its interval", env.CauseOther
	}
	job := jobOf(s, a)
	if job == nil {
		return out, false
	}
	out.Pos = job.Pos
	for _, w := range job.Targets {
		if w.Address.Value == a.DiscoveredLabels["__address__"] {
			out.Pos = w.Address.Pos
		}
	}
	return out, true
}

// jobOf is the job of the stack's files that has a target, nil for none.
func jobOf(s *stack.Stack, a promv1.ActiveTarget) *stack.Job {
	if s.Prometheus == nil {
		return nil
	}
	pool := cmp.Or(a.ScrapePool, string(a.Labels["job"])) // some servers tell no pool
	for _, j := range s.Prometheus.Jobs {
		if j.Name.Value == pool {
			return j
		}
	}
	return nil
}

// exporterAt is the exporter whose standard port it is, else whoever is there.
func exporterAt(port string) string {
	if number, err := strconv.Atoi(port); err == nil {
		if name, ok := standard.OfPort(number); ok {
			return name
		}
	}
	return env.AnsweredLive
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
