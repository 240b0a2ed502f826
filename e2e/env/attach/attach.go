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
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
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
	// Progress is told what is waited for; it may be nil.
	Progress func(stage string, done, total int)

	patience time.Duration // 0 for the usual
}

// usualPatience bounds what is asked of a server at first; one that does not answer
// is reported.
const usualPatience = 30 * time.Second

// Validate says what is wrong with the options, as far as they alone tell. No
// error repeats a url that there may be a password in.
func (o Options) Validate() error {
	switch {
	case o.Prometheus == "" && o.Grafana == "":
		return errors.New("attach needs --prometheus URL, --grafana URL, or both")
	case o.Tenant != "" && o.Prometheus == "":
		return errors.New("--tenant is for --prometheus URL: through Grafana, a datasource sends the tenant that it is configured with")
	case o.OrgID != 0 && o.Grafana == "":
		return errors.New("--org-id is an organisation of Grafana: name that with --grafana URL")
	case o.OrgID < 0:
		return fmt.Errorf("--org-id %d: an organisation's id is a positive number", o.OrgID)
	}
	for _, s := range []struct {
		server, text string
		login        Login
	}{{"prometheus", o.Prometheus, o.PrometheusLogin}, {"grafana", o.Grafana, o.GrafanaLogin}} {
		if s.text == "" {
			continue
		}
		if _, err := baseURL("--"+s.server, s.text); err != nil {
			return err
		}
		if err := s.login.validate(s.server); err != nil {
			return err
		}
	}
	_, err := proxyURL(o.Proxy)
	return err
}

// Env is a stack that was running before.
type Env struct {
	instance env.Instance
	stack    *stack.Stack
	opts     Options
	way      *http.Transport // to both servers
	servers  servers
	book     book // of what they have failed at
	// sources are Grafana's datasources, nil where it is modelled.
	sources []grafana.Datasource
}

// Start makes sure that the servers answer and looks at what they have. The errors
// name the server and what to mend.
func Start(ctx context.Context, s *stack.Stack, opts Options) (*Env, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.patience == 0 {
		opts.patience = usualPatience
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	way, err := transport(opts)
	if err != nil {
		return nil, err
	}
	e := &Env{stack: s, opts: opts, way: way}
	e.instance = env.Instance{Name: Name, Transport: &e.servers, Failed: e.failed}
	for _, step := range []func(context.Context, *stack.Stack) error{e.grafana, e.prometheus, e.targets} {
		if err := step(ctx, s); err != nil {
			if ctx.Err() != nil {
				if silent := e.unanswered(); silent != nil {
					err = fmt.Errorf("%w: %w", err, silent)
				}
			}
			return nil, errors.Join(err, e.Close())
		}
	}
	e.instance.Now = time.Now().Truncate(time.Millisecond).UTC() // not before the scrapes that were waited for
	return e, nil
}

// patient is for questions that are answered at once or not at all.
func (e *Env) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	patience := e.opts.patience
	return context.WithTimeoutCause(ctx, patience, fmt.Errorf("%w within %s", errNoAnswer, patience))
}

// Instance implements env.Env.
func (e *Env) Instance() env.Instance { return e.instance }

// Stack is the stack as it runs: what Grafana has takes the place of what its files
// would give it. Without a Grafana it is the stack of the files.
func (e *Env) Stack() *stack.Stack { return e.stack }

// Close implements env.Env. Only connections are closed.
func (e *Env) Close() error {
	e.way.CloseIdleConnections()
	return nil
}

// reads is the way to the servers, for reading only.
func (e *Env) reads() http.RoundTripper { return &readOnly{&steady{e.way}} }

// watch has what a server fails at noted.
func (e *Env) watch(at server, rt http.RoundTripper) http.RoundTripper {
	return &watched{base: rt, server: at, book: &e.book}
}

// grafana asks Grafana what it has, where there is one.
func (e *Env) grafana(ctx context.Context, s *stack.Stack) error {
	if e.opts.Grafana == "" {
		return nil
	}
	base, err := baseURL("--grafana", e.opts.Grafana)
	if err != nil {
		return err
	}
	login := e.opts.GrafanaLogin
	at := server{title: "Grafana", flag: "--grafana", env: "PANELGATE_GRAFANA", base: base, login: login}
	g, err := grafana.New(grafana.Options{URL: base, User: login.User, Password: login.Password,
		Token: login.Token, OrgID: e.opts.OrgID, Transport: e.watch(at, e.reads())})
	if err != nil {
		return err
	}
	ctx, cancel := e.patient(ctx)
	defer cancel()
	if _, err := g.Health(ctx); err != nil {
		return at.unreached(ctx, err)
	}
	if e.sources, err = g.Datasources(ctx); err != nil {
		return at.unreached(ctx, err)
	}
	if err := e.book.first(); err != nil { // null is an empty list to who reads it
		return err
	}
	if e.sources == nil {
		e.sources = []grafana.Datasource{}
	}
	e.instance.Grafana = g
	e.servers.add(base, e.watch(at, &loggedIn{base: e.reads(), login: login, headers: orgHeader(e.opts.OrgID)}))
	e.stack = asServed(s, e.sources)
	direct := direct(s, e.sources, e.opts.Prometheus)
	e.instance.Proxied = func(uid string) (string, error) {
		switch {
		case direct[uid]:
			return "", nil
		case !has(e.sources, uid):
			return "", fmt.Errorf("the running Grafana has no datasource of the uid %q, or keeps it from the login that asks", uid)
		}
		return proxied(base, uid), nil
	}
	return nil
}

func proxied(base, uid string) string {
	return base + "/api/datasources/proxy/uid/" + url.PathEscape(uid)
}

// prometheus makes sure that there is a Prometheus, where one is named.
func (e *Env) prometheus(ctx context.Context, _ *stack.Stack) error {
	if e.opts.Prometheus == "" {
		return nil
	}
	base, err := baseURL("--prometheus", e.opts.Prometheus)
	if err != nil {
		return err
	}
	headers := http.Header{}
	if e.opts.Tenant != "" {
		headers.Set("X-Scope-OrgID", e.opts.Tenant)
	}
	login := e.opts.PrometheusLogin
	at := server{title: "Prometheus", flag: "--prometheus", env: "PANELGATE_PROMETHEUS", base: base, login: login}
	e.servers.add(base, e.watch(at, &loggedIn{base: e.reads(), login: login, headers: headers}))
	ctx, cancel := e.patient(ctx)
	defer cancel()
	if err := probe(ctx, &e.servers, base); err != nil {
		return at.unreached(ctx, err)
	}
	e.instance.PrometheusURL = base
	return nil
}

func client(base string, rt http.RoundTripper) (promv1.API, error) {
	c, err := api.NewClient(api.Config{Address: base, RoundTripper: rt})
	if err != nil {
		return nil, fmt.Errorf("reach Prometheus at %s: %w", base, err)
	}
	return promv1.NewAPI(c), nil
}

// baseURL is a server's url without what does not belong to it. A text that is
// refused is repeated only where no password can be in it.
func baseURL(flag, text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@") && (err != nil || u.User != nil || u.Host == ""):
		name := "PANELGATE_" + strings.ToUpper(strings.TrimPrefix(flag, "--"))
		return "", fmt.Errorf("%s: a login in the url would be seen by everybody on this machine: set %s_TOKEN, or %s_USER and %s_PASSWORD, in the environment",
			flag, name, name, name)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%s %q: want a url such as http://localhost:9090", flag, text)
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s: want the url below which the API is, without a query or a fragment", flag)
	}
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/"), nil
}
