package embedded_test

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
)

// impatientJobs give a scrape a second.
const impatientJobs = `
global: {scrape_interval: 15s, scrape_timeout: 1s}
scrape_configs:
  - job_name: triton
    static_configs: [{targets: ["triton:8002"]}]
  - job_name: dcgm
    static_configs: [{targets: ["box:9400"]}]
  - job_name: node
    static_configs: [{targets: ["box:9100"]}]
`

func acting(t *testing.T, events string) *fakes.Scenario {
	t.Helper()
	s, err := fakes.ParseScenario("test.yaml", []byte("version: 1\nmodels: [{name: m, requests_per_second: 5}]\ngpus: [{}]\nevents:\n"+events))
	require.NoError(t, err)
	return s
}

func TestOutagesFailTheirScrapes(t *testing.T) {
	begun := time.Now()
	i := start(t, impatientJobs, embedded.Options{History: time.Hour, Scenario: acting(t, `
  - {at: 30m, exporters: [triton], outage: refused}
  - {at: 30m, exporters: [node], outage: lost}
  - {at: 10m, for: 10m, exporters: [dcgm], delay: 3s}
  - {at: 30m, exporters: [dcgm], delay: 300ms}
`)})
	assert.Less(t, time.Since(begun), patience/2, "nothing hangs")
	for job, want := range map[string]struct {
		cause env.Cause
		says  string
	}{
		"triton": {env.CauseRefused, "dial tcp triton:8002: connect: connection refused"},
		"node":   {env.CauseTimeout, "context deadline exceeded"},
		"dcgm":   {env.CauseNone, ""},
	} {
		got := byJob(i)[job]
		assert.Equal(t, want.cause, got.Cause, "%s: %s", job, got.Error)
		assert.Equal(t, want.cause == env.CauseNone, got.Up, job)
		assert.Contains(t, got.Error, want.says)
	}
	value := func(query string, ago time.Duration) (float64, bool) {
		v := instant(t, i, query, i.Now.Add(-ago))
		if len(v) == 0 {
			return 0, false
		}
		return float64(v[0].Value), true
	}
	for _, tc := range []struct {
		query     string
		ago       time.Duration
		low, high float64
		gone      bool
	}{
		{query: `up{job="triton"}`, ago: 45 * time.Minute, low: 1, high: 1},
		{query: `up{job="triton"}`, ago: 10 * time.Minute},
		{query: `nv_inference_request_success`, ago: 45 * time.Minute, low: 1, high: 1e9},
		{query: `nv_inference_request_success`, ago: 29 * time.Minute, gone: true}, // stale, not only old
		{query: `scrape_samples_scraped{job="triton"}`, ago: 10 * time.Minute},
		{query: `up{job="node"}`, ago: 10 * time.Minute},
		{query: `scrape_duration_seconds{job="node"}`, ago: 10 * time.Minute, low: 1, high: 1.5},
		{query: `scrape_duration_seconds{job="node"}`, ago: 45 * time.Minute, low: 0, high: 0.9},
		{query: `up{job="dcgm"}`, ago: 45 * time.Minute}, // too slow
		{query: `up{job="dcgm"}`, ago: 35 * time.Minute, low: 1, high: 1},
		{query: `up{job="dcgm"}`, ago: 10 * time.Minute, low: 1, high: 1},
		{query: `scrape_duration_seconds{job="dcgm"}`, ago: 10 * time.Minute, low: 0.3, high: 1},
		{query: `scrape_duration_seconds{job="dcgm"}`, ago: 0, low: 0.3, high: 1}, // live
	} {
		got, there := value(tc.query, tc.ago)
		assert.Equal(t, !tc.gone, there, "%s %s ago", tc.query, tc.ago)
		assert.True(t, got >= tc.low && got <= tc.high, "%s %s ago is %v", tc.query, tc.ago, got)
	}
}

// A target that restarts now and then is not down, and its counters go on from 0.
func TestRestartsOfThePast(t *testing.T) {
	i := start(t, impatientJobs, embedded.Options{History: time.Hour, Scenario: acting(t, `
  - {at: 20m, for: 1m, every: 30m, exporters: [triton], outage: restart}
`)})
	assert.True(t, byJob(i)["triton"].Up, byJob(i)["triton"].Error)
	v := instant(t, i, `sum(resets(nv_inference_request_success[1h])) or vector(-1)`, i.Now)
	require.Len(t, v, 1)
	assert.Equal(t, model.SampleValue(2), v[0].Value)
	m, ok := i.World.Model("m")
	require.True(t, ok)
	v = instant(t, i, `sum(increase(nv_inference_request_success[1h]))`, i.Now)
	require.Len(t, v, 1)
	// As is said above the truth's methods: two restarts, each a minute and up to two scrapes long.
	truth := m.Requests(i.Now.Add(-time.Hour), i.Now)
	assert.InDelta(t, truth, float64(v[0].Value), 5*90*(2+2*2))
	assert.Less(t, truth, 5*3600.0-2*60*5+1)
}
