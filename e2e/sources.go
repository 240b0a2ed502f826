package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// sources are the Prometheus APIs of an environment: one for all, or, where there
// is no straight way to Prometheus, one for each datasource through Grafana.
type sources struct {
	stack     *stack.Stack
	instance  env.Instance
	transport http.RoundTripper
	close     func()

	mu   sync.Mutex
	apis map[string]promv1.API // by base url
}

func newSources(s *stack.Stack, instance env.Instance) *sources {
	out := &sources{stack: s, instance: instance, transport: instance.Transport, close: func() {}, apis: map[string]promv1.API{}}
	if out.transport == nil {
		t := &http.Transport{MaxIdleConnsPerHost: workers(), DisableCompression: true} // the server is on this machine
		out.transport, out.close = t, t.CloseIdleConnections
	}
	return out
}

// errNoPrometheus is why nothing can be asked where Prometheus did not come up.
var errNoPrometheus = errors.New("the stack's Prometheus is not up")

// direct is an API whose queries take the short way, where there is one.
type direct struct {
	promv1.API
	evaluate func(context.Context, env.Evaluation) (model.Value, error)
}

// Query implements promv1.API.
func (d *direct) Query(ctx context.Context, expr string, at time.Time, opts ...promv1.Option) (model.Value, promv1.Warnings, error) {
	v, err := d.evaluate(ctx, env.Evaluation{Expr: expr, End: at})
	if errors.Is(err, env.ErrNotPlain) {
		return d.API.Query(ctx, expr, at, opts...)
	}
	return v, nil, err
}

// QueryRange implements promv1.API.
func (d *direct) QueryRange(ctx context.Context, expr string, r promv1.Range, opts ...promv1.Option) (model.Value, promv1.Warnings, error) {
	v, err := d.evaluate(ctx, env.Evaluation{Expr: expr, Start: r.Start, End: r.End, Step: r.Step})
	if errors.Is(err, env.ErrNotPlain) {
		return d.API.QueryRange(ctx, expr, r, opts...)
	}
	return v, nil, err
}

// of is the API behind a datasource. It is nil for one that leads to a server which
// this environment does not run; the error says why there is none to ask.
func (s *sources) of(ds *stack.Datasource) (promv1.API, error) {
	base := s.instance.PrometheusURL
	switch {
	case s.instance.Proxied != nil && ds != nil:
		through, err := s.instance.Proxied(ds.EffectiveUID)
		if err != nil {
			return nil, err
		}
		base = cmp.Or(through, base)
	case ds != nil && rule.Elsewhere(s.stack, ds) != "":
		return nil, nil
	}
	if base == "" {
		return nil, errNoPrometheus
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apis[base] == nil {
		client, err := api.NewClient(api.Config{Address: base, RoundTripper: s.transport})
		if err != nil {
			return nil, fmt.Errorf("reach Prometheus at %s: %w", base, err)
		}
		s.apis[base] = promv1.NewAPI(client)
		if s.instance.Evaluate != nil && s.instance.Transport == nil {
			s.apis[base] = &direct{API: s.apis[base], evaluate: s.instance.Evaluate}
		}
	}
	return s.apis[base], nil
}
