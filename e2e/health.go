package e2e

import (
	"context"
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// health finds out whether Grafana's health check of each Prometheus datasource
// passes: by having a real Grafana make it, else by asking what it asks.
func (r *run) health(ctx context.Context, src *sources, live *rule.Live) error {
	for _, ds := range r.stack.Datasources {
		if !query.IsPrometheus(ds) || rule.Unreachable(r.stack, ds) != nil { // datasource/url-unreachable says it better
			continue
		}
		if ds.Pos.IsZero() { // a running Grafana's own: a query that asks it says so
			continue
		}
		var err error
		if err = missing(live.Instance, ds); err != nil {
			live.Health[ds.EffectiveUID] = err
			continue
		}
		if g := live.Instance.Grafana; g != nil && rule.Elsewhere(r.stack, ds) == "" {
			err = checkHealth(ctx, g, ds.EffectiveUID)
		} else if prom, noAPI := src.of(ds); prom != nil {
			_, _, err = prom.Query(ctx, "1+1", live.Instance.Now)
		} else if noAPI != nil && len(live.Instance.Faults) == 0 {
			err = noAPI
		}
		if ctx.Err() != nil {
			return fmt.Errorf("check the health of the datasources: %w", context.Cause(ctx))
		}
		if why := env.Unreachable(err); why != "" && live.Instance.Grafana != nil {
			live.Unreachable[ds.EffectiveUID] = why
			continue
		}
		live.Health[ds.EffectiveUID] = err
	}
	return nil
}

// missing says that a Grafana through which everything is asked has not got a
// datasource, nil where it has, and where there is no such Grafana.
func missing(instance env.Instance, ds *stack.Datasource) error {
	if instance.Proxied == nil {
		return nil
	}
	_, err := instance.Proxied(ds.EffectiveUID)
	return err
}
