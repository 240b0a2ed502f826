// Package attach proves a stack that is running already, wherever that is: its
// Prometheus, or whatever speaks Prometheus' API, and its Grafana are asked and
// nothing is started, faked or written. Every request is a read: the transport
// refuses any other.
package attach

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// Name is what this environment is called.
const Name = "attach"

// Options say where the servers are and who asks them. At least one of Prometheus
// and Grafana is needed; without the first it is asked through the second, without
// the second Grafana is modelled from the stack's files.
type Options struct {
	Prometheus string // base url
	Grafana    string // base url
	// PrometheusLogin and GrafanaLogin come from the environment or a file, never
	// from the command line.
	PrometheusLogin, GrafanaLogin Login
	Tenant                        string // X-Scope-OrgID, for Mimir and its kin
	OrgID                         int64  // Grafana's organisation, 0 for the login's own
	CAFile                        string // certificate authorities to trust beside the system's
	Proxy                         string // url; "" for what the environment says
	Logger                        *slog.Logger
}

// Validate says what is wrong with the options, as far as they alone tell.
func (o Options) Validate() error {
	if o.Prometheus == "" && o.Grafana == "" {
		return errors.New("attach needs --prometheus URL, --grafana URL, or both")
	}
	for flag, text := range map[string]string{"--prometheus": o.Prometheus, "--grafana": o.Grafana} {
		if text == "" {
			continue
		}
		if _, err := baseURL(flag, text); err != nil {
			return err
		}
	}
	return nil
}

// Env is a stack that was running before.
type Env struct {
	instance env.Instance
	stack    *stack.Stack
	idle     []func()
}

// patience bounds the first questions; a server that does not answer is reported.
const patience = 30 * time.Second

// Start makes sure that the servers answer and looks at what they have. The errors
// name the server and what to mend.
func Start(ctx context.Context, s *stack.Stack, opts Options) (*Env, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %s", patience))
	defer cancel()
	e := &Env{stack: view(s), instance: env.Instance{Name: Name, Now: time.Now().Truncate(time.Millisecond).UTC()}}
	if opts.Grafana != "" {
		if err := e.grafana(ctx, s, opts); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	if opts.Prometheus != "" {
		if err := e.prometheus(ctx, opts); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	if err := e.targets(ctx, s, opts); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Instance implements env.Env.
func (e *Env) Instance() env.Instance { return e.instance }

// Stack is the stack as it runs: what the servers have takes the place of what the
// compose file would start.
func (e *Env) Stack() *stack.Stack { return e.stack }

// Close implements env.Env. Only connections are closed.
func (e *Env) Close() error {
	for _, f := range e.idle {
		f()
	}
	e.idle = nil
	return nil
}

// view is the stack without its compose file, which says nothing of servers that
// run elsewhere.
func view(s *stack.Stack) *stack.Stack {
	out := *s
	out.Compose = nil
	out.Datasources = slices.Clone(s.Datasources)
	return &out
}

func (e *Env) grafana(ctx context.Context, s *stack.Stack, opts Options) error {
	base, err := baseURL("--grafana", opts.Grafana)
	if err != nil {
		return err
	}
	rt, err := e.transport(opts)
	if err != nil {
		return err
	}
	g, err := grafana.New(grafana.Options{URL: base, User: opts.GrafanaLogin.User, Password: opts.GrafanaLogin.Password,
		Token: opts.GrafanaLogin.Token, OrgID: opts.OrgID, Transport: rt})
	if err != nil {
		return err
	}
	if _, err := g.Health(ctx); err != nil {
		return fmt.Errorf("reach Grafana at %s: %w", base, err)
	}
	sources, err := g.Datasources(ctx)
	if err != nil {
		return fmt.Errorf("list Grafana's datasources, which a login with the permission datasources:read may (%s): %w", opts.GrafanaLogin.hint("GRAFANA"), err)
	}
	e.instance.Grafana = g
	e.adopt(sources)
	login := &loggedIn{base: rt, login: opts.GrafanaLogin, headers: orgHeader(opts.OrgID)}
	direct := direct(s, sources, opts.Prometheus)
	e.instance.Transport = login
	e.instance.Proxied = func(uid string) string {
		if direct[uid] {
			return ""
		}
		return base + "/api/datasources/proxy/uid/" + url.PathEscape(uid)
	}
	return nil
}

// adopt adds the datasources that Grafana has and the files have not.
func (e *Env) adopt(sources []grafana.Datasource) {
	for _, d := range sources {
		if slices.ContainsFunc(e.stack.Datasources, func(ds *stack.Datasource) bool { return ds.EffectiveUID == d.UID }) {
			continue
		}
		e.stack.Datasources = append(e.stack.Datasources, &stack.Datasource{
			Name: source.Text{Value: d.Name}, Type: source.Text{Value: d.Type}, UID: source.Text{Value: d.UID}, URL: source.Text{Value: d.URL},
			EffectiveUID: d.UID, OrgID: d.OrgID, IsDefault: d.IsDefault && e.stack.DefaultDatasource() == nil,
			TimeInterval: source.Text{Value: d.JSONData.TimeInterval}, HTTPMethod: d.JSONData.HTTPMethod,
		})
	}
}

// direct are the datasources that lead to the Prometheus that was named: the only
// one, those with its url, and those that lead to the stack's own in its files.
// Others are asked through Grafana alone.
func direct(s *stack.Stack, sources []grafana.Datasource, prometheus string) map[string]bool {
	out := map[string]bool{}
	if prometheus == "" {
		return out
	}
	var uids []string
	for _, d := range sources {
		if !query.IsPrometheus(&stack.Datasource{Type: source.Text{Value: d.Type}}) {
			continue
		}
		uids = append(uids, d.UID)
		if sameServer(d.URL, prometheus) {
			out[d.UID] = true
		}
	}
	for _, ds := range s.Datasources {
		if s.Compose != nil && slices.Contains(uids, ds.EffectiveUID) && rule.Elsewhere(s, ds) == "" && rule.Unreachable(s, ds) == nil {
			out[ds.EffectiveUID] = true
		}
	}
	if len(uids) == 1 {
		out[uids[0]] = true
	}
	return out
}

func sameServer(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host != "" && x.Host == y.Host && strings.Trim(x.Path, "/") == strings.Trim(y.Path, "/")
}

func (e *Env) prometheus(ctx context.Context, opts Options) error {
	base, err := baseURL("--prometheus", opts.Prometheus)
	if err != nil {
		return err
	}
	rt, err := e.transport(opts)
	if err != nil {
		return err
	}
	headers := http.Header{}
	if opts.Tenant != "" {
		headers.Set("X-Scope-OrgID", opts.Tenant)
	}
	login := &loggedIn{base: rt, login: opts.PrometheusLogin, headers: headers}
	prom, err := client(base, login)
	if err != nil {
		return err
	}
	if _, _, err := prom.Query(ctx, "1+1", e.instance.Now); err != nil {
		return fmt.Errorf("ask Prometheus at %s (%s): %w", base, opts.PrometheusLogin.hint("PROMETHEUS"), err)
	}
	e.instance.PrometheusURL = base
	through := e.instance.Transport
	if through == nil {
		e.instance.Transport = login
		return nil
	}
	e.instance.Transport = &byServer{prefix: base, server: login, other: through}
	return nil
}

func client(base string, rt http.RoundTripper) (promv1.API, error) {
	c, err := api.NewClient(api.Config{Address: base, RoundTripper: rt})
	if err != nil {
		return nil, fmt.Errorf("reach Prometheus at %s: %w", base, err)
	}
	return promv1.NewAPI(c), nil
}

// baseURL is a server's url without what does not belong to it.
func baseURL(flag, text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%s %q: want a url such as http://localhost:9090", flag, text)
	case u.User != nil:
		return "", fmt.Errorf("%s: a login in the url would be seen by everybody on this machine; set %s_USER and _PASSWORD, or _TOKEN, in the environment",
			flag, "PANELGATE_"+strings.ToUpper(strings.TrimPrefix(flag, "--")))
	}
	u.RawQuery, u.Fragment = "", ""
	return strings.TrimRight(u.String(), "/"), nil
}

// targets lists what the server scrapes. Mimir, Thanos and VictoriaMetrics answer
// the same API and scrape nothing: they have no list.
func (e *Env) targets(ctx context.Context, s *stack.Stack, opts Options) error {
	base := e.instance.PrometheusURL
	if base == "" {
		for _, ds := range e.stack.Datasources {
			if query.IsPrometheus(ds) {
				base = e.instance.Proxied(ds.EffectiveUID)
				break
			}
		}
	}
	if base == "" {
		return errors.New("Grafana has no Prometheus datasource: there is nobody to ask")
	}
	prom, err := client(base, e.instance.Transport)
	if err != nil {
		return err
	}
	list, err := prom.Targets(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("list the targets: %w", context.Cause(ctx))
		}
		opts.Logger.Info("the server lists no targets", "err", err)
		e.instance.Notes = append(e.instance.Notes, "the server lists no scrape targets, so that they are not checked: "+firstLine(err))
		return nil
	}
	for _, t := range list.Active {
		e.instance.Targets = append(e.instance.Targets, target(s, t))
	}
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// target is a target as the server sees it, at its place in the stack's files.
func target(s *stack.Stack, t promv1.ActiveTarget) env.Target {
	out := env.Target{Job: string(t.Labels["job"]), Instance: string(t.Labels["instance"]), URL: t.ScrapeURL,
		Labels: map[string]string{}, Up: t.Health == promv1.HealthGood, Error: t.LastError, AnsweredBy: env.AnsweredLive}
	for k, v := range t.Labels {
		out.Labels[string(k)] = string(v)
	}
	if u, err := url.Parse(t.ScrapeURL); err == nil {
		out.Address = u.Host
	}
	out.Cause = env.CauseOf(out)
	if s.Prometheus != nil {
		out.Pos = source.Pos{File: s.Prometheus.File}
		for _, j := range s.Prometheus.Jobs {
			if j.Name.Value == t.ScrapePool {
				out.Pos = j.Pos
			}
		}
	}
	return out
}
