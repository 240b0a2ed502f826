package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/stack"
)

func TestMain(m *testing.M) { leak.Main(m) }

// tempDir makes all temporary directories of the test go to one that is returned.
func tempDir(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return dir
}

func assertEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestCloseLeavesNothing(t *testing.T) {
	p := load(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules})
	dir := tempDir(t)
	e, err := embedded.Start(t.Context(), p, embedded.Options{Scenario: steady(t), History: time.Minute})
	require.NoError(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.NoError(t, e.Close())
	require.NoError(t, e.Close())
	assertEmpty(t, dir)
	goleak.VerifyNone(t, goleak.IgnoreCurrent())
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	for _, stage := range []string{"", "history", "scrape"} {
		t.Run("in stage "+stage, func(t *testing.T) {
			p := load(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules})
			dir := tempDir(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			enough := errors.New("enough")
			if stage == "" {
				cancel(enough)
			}
			_, err := embedded.Start(ctx, p, embedded.Options{
				Scenario: steady(t),
				History:  time.Hour,
				Progress: func(at string, _, _ int) {
					if at == stage {
						cancel(enough)
					}
				},
			})
			require.ErrorIs(t, err, enough)
			require.ErrorIs(t, err, context.Canceled)
			assertEmpty(t, dir)
		})
	}
}

func TestPanicLeavesNothing(t *testing.T) {
	p := load(t, map[string]string{"prometheus.yml": threeJobs})
	dir := tempDir(t)
	assert.PanicsWithValue(t, "oops", func() {
		_, _ = embedded.Start(t.Context(), p, embedded.Options{
			Scenario: steady(t),
			History:  time.Minute,
			Progress: func(string, int, int) { panic("oops") },
		})
	})
	assertEmpty(t, dir)
}

func TestRefusedConfigurations(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"unknown key", map[string]string{"prometheus.yml": "scrape_konfigs: []\n"}, []string{"prometheus/prometheus.yml", "line 1", "scrape_konfigs"}},
		{"rule file", map[string]string{"prometheus.yml": "rule_files: [r.yml]\n",
			"r.yml": "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n"}, []string{"r.yml: 1:", "unclosed left parenthesis"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := load(t, test.files)
			dir := tempDir(t)
			_, err := embedded.Start(t.Context(), p, embedded.Options{Scenario: steady(t)})
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
			assertEmpty(t, dir)
		})
	}
}

func TestNoDirectoryForTheData(t *testing.T) {
	p := load(t, map[string]string{"prometheus.yml": threeJobs})
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	_, err := embedded.Start(t.Context(), p, embedded.Options{Scenario: steady(t)})
	assert.ErrorContains(t, err, "directory for the data")
}

func TestTwoAtTheSameTime(t *testing.T) {
	files := [2]*stack.Prometheus{
		load(t, map[string]string{"prometheus.yml": threeJobs}),
		load(t, map[string]string{"prometheus.yml": job("static_configs: [{targets: ['other:8002']}]")}),
	}
	var running sync.WaitGroup
	var instances [2]env.Instance
	for n, p := range files {
		running.Go(func() {
			e, err := embedded.Start(t.Context(), p, embedded.Options{Scenario: steady(t), History: 10 * time.Minute})
			if assert.NoError(t, err) {
				t.Cleanup(func() { assert.NoError(t, e.Close()) })
				instances[n] = e.Instance()
			}
		})
	}
	running.Wait()
	require.NotEqual(t, instances[0].PrometheusURL, instances[1].PrometheusURL)
	assert.Len(t, instant(t, instances[0], "up", instances[0].Now), 3)
	assert.Len(t, instant(t, instances[1], "up", instances[1].Now), 1)
}

// TestNothingGoesStaleAfterwards: readiness leaves the scrape loops running as
// configured, so that the data neither ends nor gaps.
func TestNothingGoesStaleAfterwards(t *testing.T) {
	i := start(t, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
scrape_configs:
  - {job_name: triton, static_configs: [{targets: ["h:8002"]}]}
  - {job_name: self, static_configs: [{targets: ["localhost:9090"]}]}
`, embedded.Options{History: time.Minute, SelfAddresses: []string{"localhost:9090"}})
	var last time.Time
	require.Eventually(t, func() bool {
		newest := instant(t, i, `max(timestamp(up{job="triton"}))`, time.Now())
		last = time.UnixMilli(int64(newest[0].Value * 1000))
		return last.After(i.Now.Add(time.Second))
	}, patience, 20*time.Millisecond)
	for at := i.Now; at.Before(last); at = at.Add(100 * time.Millisecond) {
		assert.Len(t, instant(t, i, `up == 1`, at), 2, "%s after readiness", at.Sub(i.Now))
		assert.NotEmpty(t, instant(t, i, `nv_inference_request_success`, at))
	}
}
