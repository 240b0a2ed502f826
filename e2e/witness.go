package e2e

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/truth"
)

// witness finds out how Prometheus labels what the fakes act out, by one look-up of
// series. Where nothing is acted out, there is nothing to hold panels against.
func (r *run) witness(ctx context.Context, live *rule.Live) error {
	in := live.Instance
	if in.World == nil || in.PrometheusURL == "" {
		return nil
	}
	client, err := api.NewClient(api.Config{Address: in.PrometheusURL, RoundTripper: in.Transport})
	if err != nil {
		return fmt.Errorf("look up what is acted out: %w", err)
	}
	series, _, err := promv1.NewAPI(client).Series(ctx, []string{truth.Witnesses()}, in.From, in.Now)
	if err != nil {
		return fmt.Errorf("look up the series of what is acted out: %w", err)
	}
	var slowest time.Duration
	for _, j := range r.stack.Prometheus.Jobs {
		slowest = max(slowest, j.ScrapeInterval)
	}
	live.Truth = truth.NewWorld(in, series, slowest)
	return nil
}
