package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// runShipped is the shipped stack's Prometheus, running apart from any run.
func runShipped(t *testing.T) string {
	t.Helper()
	s, err := stack.Load(t.Context(), shippedDir)
	require.NoError(t, err)
	scenario, err := LoadScenario("")
	require.NoError(t, err)
	running, err := embedded.Start(t.Context(), s.Prometheus, embedded.Options{Scenario: scenario, History: 7 * time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	return running.Instance().PrometheusURL
}

func attached(t *testing.T, dir, prometheus string, cfg *config.Config) *Report {
	t.Helper()
	return verify(t, dir, Options{Env: attach.Name, Attach: attach.Options{Prometheus: prometheus}, Config: cfg})
}

func TestAttachToPrometheus(t *testing.T) {
	at := runShipped(t)

	t.Run("the shipped stack", func(t *testing.T) {
		r := attached(t, shippedDir, at, nil)
		require.NotEmpty(t, r.Queries)
		for _, q := range r.Queries {
			assert.Equal(t, rule.StatusOK, q.Status, "%s: %v", q.Request.Expr, q.Err)
		}
		assert.Empty(t, errorsOf(r))
		assert.Len(t, r.Targets, 3)
		assert.Empty(t, r.Notes)
	})
	t.Run("what is about fakes says nothing", func(t *testing.T) {
		cfg := &config.Config{Scenario: "idle", Targets: []config.Target{{Match: map[string]string{"job": "nobody", "address": "x:1"}, Fake: "triton"}}}
		r := attached(t, shippedDir, at, cfg)
		assert.Empty(t, errorsOf(r))
		for _, f := range r.Findings {
			assert.NotEqual(t, "gate/mapping-unmatched", f.Rule)
		}
		require.Len(t, r.Notes, 1)
		assert.Contains(t, r.Notes[0], "nothing is faked")
	})
	t.Run("expectations hold", func(t *testing.T) {
		dir := copyShipped(t, onlyPanels(`nv_no_such_metric`))
		r := attached(t, dir, at, nil)
		require.Len(t, r.Queries, 1)
		q := r.Queries[0]
		cfg := &config.Config{Expect: []rule.Expectation{{Dashboard: q.Board.UID, Panel: q.Panel.Title, Is: rule.ExpectsEmpty}}}
		r = attached(t, dir, at, cfg)
		assert.Equal(t, rule.StatusExpectedEmpty, r.Queries[0].Status)
	})
	t.Run("what lies far back is no excuse", func(t *testing.T) {
		// A live server has the past that it has: its emptiness is provable.
		dir := copyShipped(t, onlyPanels(`nv_inference_count offset 1w`))
		r := attached(t, dir, at, nil)
		require.Len(t, r.Queries, 1)
		assert.Equal(t, rule.StatusFailed, r.Queries[0].Status)
	})
	t.Run("dashboards and provisioning alone", func(t *testing.T) {
		dir := copyShipped(t, onlyPanels(`nv_inference_count`, `nv_no_such_metric`, `DCGM_FI_DEV_GPU_UTIL{job="nobody"}`))
		require.NoError(t, os.Remove(filepath.Join(dir, "docker-compose.yml")))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "prometheus")))
		cfg := &config.Config{Targets: []config.Target{{Match: map[string]string{"address": "x:1"}, Fake: "triton"}}}
		r := attached(t, dir, at, cfg)
		require.Len(t, r.Queries, 3)
		assert.Equal(t, rule.StatusOK, r.Queries[0].Status)
		require.NotNil(t, r.Queries[1].Diagnosis)
		assert.Equal(t, "metric-missing", string(r.Queries[1].Diagnosis.Reason))
		require.NotNil(t, r.Queries[2].Diagnosis)
		assert.Empty(t, r.Targets)
		assert.Contains(t, strings.Join(r.Notes, "\n"), "scrapes 3 more, 0 of them down")
	})
	t.Run("a server that lists no targets", func(t *testing.T) {
		to, err := url.Parse(at)
		require.NoError(t, err)
		own := &http.Transport{}
		defer own.CloseIdleConnections()
		proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/prometheus")
			r.SetURL(to)
		}}
		mimir := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/prometheus/") || strings.HasSuffix(r.URL.Path, "/targets") || r.Header.Get("X-Scope-OrgID") != "team-a" {
				http.NotFound(w, r)
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		defer mimir.Close()
		dir := copyShipped(t, onlyPanels(`nv_inference_count`, `nv_no_such_metric`))
		s, err := stack.Load(t.Context(), dir)
		require.NoError(t, err)
		r, err := Verify(t.Context(), s, Options{Env: attach.Name, Config: &config.Config{},
			Attach: attach.Options{Prometheus: mimir.URL + "/prometheus", Tenant: "team-a"}})
		require.NoError(t, err)
		assert.Equal(t, []string{"panel/no-data"}, errorsOf(r))
		assert.Contains(t, strings.Join(r.Notes, "\n"), "lists no scrape targets")
	})
}

// TestWhereGrafanaHasNoSuchDatasource holds that a datasource of the files which the
// running Grafana has not got is a finding, and not merely a failed query.
func TestWhereGrafanaHasNoSuchDatasource(t *testing.T) {
	graf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]string{
			"/api/health":      `{"version":"13.0.0"}`,
			"/api/datasources": `[{"uid":"another","name":"Another","type":"prometheus","url":"http://p:9090"}]`,
			"/api/search":      `[]`,
		}[r.URL.Path]
		if answer == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer graf.Close()
	s, err := stack.Load(t.Context(), copyShipped(t, onlyPanels(`nv_inference_count`)))
	require.NoError(t, err)
	r, err := Verify(t.Context(), s, Options{Env: attach.Name, Config: &config.Config{}, Attach: attach.Options{Grafana: graf.URL}})
	require.NoError(t, err)
	require.Len(t, r.Queries, 1)
	assert.Equal(t, rule.StatusFailed, r.Queries[0].Status)
	assert.Contains(t, errorsOf(r), "datasource/invalid")
	assert.NotContains(t, errorsOf(r), "datasource/unhealthy", "a cause is told once")
	assert.Contains(t, fmt.Sprintf("%+v", r.Findings), "Grafana has not taken over datasource")
}
