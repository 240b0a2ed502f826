package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/stack"
)

// live is a stack that runs, with a proxy in front of each server that takes down
// what it is asked.
type live struct {
	prometheus, grafana *watched
	password            string // of Grafana's admin
}

// watched passes requests on and keeps them.
type watched struct {
	url   string
	login string // what it wants as Authorization, and keeps to itself; "" for anything

	mu   sync.Mutex
	seen []*http.Request
}

func overhear(t *testing.T, target string) *watched {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	own := &http.Transport{} // others close the idle connections of the default one
	t.Cleanup(own.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	w := &watched{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, req.Clone(context.WithoutCancel(req.Context())))
		login := w.login
		w.mu.Unlock()
		if login != "" {
			if req.Header.Get("Authorization") != login {
				http.Error(rw, "who are you?", http.StatusUnauthorized)
				return
			}
			req.Header.Del("Authorization")
		}
		proxy.ServeHTTP(rw, req)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// take gives what was seen since it was called last.
func (w *watched) take() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.seen
	w.seen = nil
	return out
}

func (w *watched) wants(login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.login = login
}

func startLive(t *testing.T) *live {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	prometheusImage, grafanaImage := engine.Servers(t)
	s, err := stack.Load(t.Context(), filepath.Join("..", "stack"))
	require.NoError(t, err)
	scenario, err := e2e.LoadScenario("")
	require.NoError(t, err)
	started, err := docker.Start(t.Context(), s, containers.Options{
		Past:   embedded.Options{Scenario: scenario, History: 7 * time.Hour},
		Images: containers.Images{Override: map[string]string{"prometheus": prometheusImage, "grafana": grafanaImage}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, started.Close()) })
	running, ok := started.(*containers.Env)
	require.True(t, ok)
	i := running.Instance()
	require.Empty(t, i.Faults)
	return &live{prometheus: overhear(t, i.PrometheusURL), grafana: overhear(t, i.Grafana.URL()), password: running.Password()}
}

// token makes a service account of a role, as its administrator does by hand.
func (l *live) token(t *testing.T, role string) string {
	t.Helper()
	var account struct{ ID int64 }
	l.post(t, "/api/serviceaccounts", map[string]any{"name": "panelgate " + role, "role": role}, &account)
	var made struct{ Key string }
	l.post(t, fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID), map[string]any{"name": "panelgate " + role}, &made)
	require.NotEmpty(t, made.Key)
	l.grafana.take()
	return made.Key
}

func (l *live) post(t *testing.T, path string, body, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.grafana.url+path, bytes.NewReader(data))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("admin", l.password)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 2, resp.StatusCode/100, "%s", answer)
	require.NoError(t, json.Unmarshal(answer, into))
}

// outcome is what a run of the command left.
type outcome struct {
	code   int
	said   string // everything: standard output, standard error, the JSON report
	stderr string
	report struct {
		Verdict  string
		Counts   map[string]int
		Queries  []struct{ Status, Expr string }
		Findings []struct {
			Rule, File, Message, Reason, Fix, Panel string
			Line                                    int
		}
	}
}

func gate(t *testing.T, args ...string) outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.json")
	var stdout, stderr bytes.Buffer
	out := outcome{code: run(t.Context(), append([]string{"--json", file, "-v"}, args...), &stdout, &stderr)}
	data, err := os.ReadFile(file)
	if err == nil {
		require.NoError(t, json.Unmarshal(data, &out.report))
	}
	out.stderr = stderr.String()
	out.said = stdout.String() + out.stderr + string(data)
	return out
}

var reads = regexp.MustCompile(`^(GET /\S*|HEAD /\S*|POST /api/ds/query|POST \S*/api/v1/(query|query_range|series|labels))$`)

func onlyReads(t *testing.T, seen []*http.Request) {
	t.Helper()
	for _, req := range seen {
		assert.Regexp(t, reads, req.Method+" "+req.URL.Path)
	}
}

// TestAttach runs the command against real servers that run already, in each way
// that it may be told of them.
func TestAttach(t *testing.T) {
	l := startLive(t)
	token := l.token(t, "Viewer")
	embedded := gate(t, "--stack", "../stack")
	require.Equal(t, exitClean, embedded.code, embedded.said)
	basic := "Basic " + basicAuth("prom", "pass-of-prometheus")

	for _, tt := range []struct {
		name                string
		prometheus, grafana bool
		env                 map[string]string
	}{
		{name: "both", prometheus: true, grafana: true, env: map[string]string{
			"PANELGATE_PROMETHEUS_USER": "prom", "PANELGATE_PROMETHEUS_PASSWORD": "pass-of-prometheus", "PANELGATE_GRAFANA_TOKEN": token}},
		{name: "only Grafana, by token", grafana: true, env: map[string]string{"PANELGATE_GRAFANA_TOKEN_FILE": fileWith(t, token+"\n")}},
		{name: "only Grafana, by password", grafana: true, env: map[string]string{
			"PANELGATE_GRAFANA_USER": "admin", "PANELGATE_GRAFANA_PASSWORD_FILE": fileWith(t, l.password)}},
		{name: "only Prometheus", prometheus: true, env: map[string]string{
			"PANELGATE_PROMETHEUS_USER": "prom", "PANELGATE_PROMETHEUS_PASSWORD": "pass-of-prometheus"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			l.prometheus.wants(basic)
			l.prometheus.take()
			l.grafana.take()
			args := []string{"--stack", "../stack", "--env", "attach"}
			if tt.prometheus {
				args = append(args, "--prometheus", l.prometheus.url+"/")
			}
			if tt.grafana {
				args = append(args, "--grafana", l.grafana.url)
			}
			out := gate(t, args...)
			require.Equal(t, exitClean, out.code, out.said)
			for _, counted := range []string{"dashboards", "panels", "queries", "ok", "failed", "unchecked", "skipped", "targets"} {
				assert.Equal(t, embedded.report.Counts[counted], out.report.Counts[counted], counted)
			}
			for _, secret := range []string{token, l.password, "pass-of-prometheus", basic} {
				assert.NotContains(t, out.said, secret)
			}
			asked, through := l.prometheus.take(), l.grafana.take()
			assert.Equal(t, tt.prometheus, len(asked) > 0)
			assert.Equal(t, tt.grafana, len(through) > 0)
			onlyReads(t, asked)
			onlyReads(t, through)
			for _, req := range asked {
				assert.Equal(t, basic, req.Header.Get("Authorization"))
			}
			for _, req := range through {
				assert.NotContains(t, req.Header.Get("Authorization"), basicAuth("prom", "pass-of-prometheus"))
			}
			if tt.grafana && !tt.prometheus {
				posts := 0
				for _, req := range through {
					if req.Method == http.MethodPost && strings.Contains(req.URL.Path, "/api/datasources/proxy/uid/") {
						posts++
					}
				}
				assert.Positive(t, posts, "the datasource proxy takes questions by POST")
			}
		})
	}

	l.prometheus.wants("")
	t.Run("a wrong token", func(t *testing.T) {
		t.Setenv("PANELGATE_GRAFANA_TOKEN", "glsa_wrong-token-of-nobody")
		out := gate(t, "--stack", "../stack", "--env", "attach", "--grafana", l.grafana.url)
		assert.Equal(t, exitNotRun, out.code, out.said)
		assert.Contains(t, out.stderr, "it does not take the token of PANELGATE_GRAFANA_TOKEN")
		assert.NotContains(t, out.said, "wrong-token-of-nobody")
	})
	t.Run("a broken panel", func(t *testing.T) {
		t.Setenv("PANELGATE_GRAFANA_TOKEN", token)
		dir := t.TempDir()
		require.NoError(t, copyStack(filepath.Join("..", "stack"), dir))
		breakPanel(t, dir)
		for name, args := range map[string][]string{
			"both":    {"--prometheus", l.prometheus.url, "--grafana", l.grafana.url},
			"grafana": {"--grafana", l.grafana.url},
		} {
			out := gate(t, append(args, "--stack", dir, "--env", "attach")...)
			assert.Equal(t, exitFindings, out.code, name+out.said)
			assertFinding(t, out, "panel/no-data", "metric-missing")
		}
	})
	t.Run("dashboards and provisioning alone", func(t *testing.T) {
		t.Setenv("PANELGATE_GRAFANA_TOKEN", token)
		dir := t.TempDir()
		require.NoError(t, copyStack(filepath.Join("..", "stack"), dir))
		for _, gone := range []string{"docker-compose.yml", "prometheus"} {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, gone)))
		}
		breakPanel(t, dir)
		out := gate(t, "--stack", dir, "--env", "attach", "--grafana", l.grafana.url, "--prometheus", l.prometheus.url)
		assert.Equal(t, exitFindings, out.code, out.said)
		assertFinding(t, out, "panel/no-data", "metric-missing")
		assert.Equal(t, embedded.report.Counts["queries"]-1, out.report.Counts["ok"], out.said)
		assert.Contains(t, out.said, "of jobs that the stack's files do not have, the server scrapes 3 more, 0 of them down")
	})
}

func assertFinding(t *testing.T, out outcome, rule, reason string) {
	t.Helper()
	for _, f := range out.report.Findings {
		if f.Rule == rule && f.Reason == reason && f.Line > 0 {
			return
		}
	}
	assert.Fail(t, "no finding "+rule+" with the reason "+reason, out.said)
}

func breakPanel(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "grafana", "provisioning", "dashboards", "boards", "triton.json")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Contains(data, []byte("DCGM_FI_DEV_GPU_TEMP")))
	require.NoError(t, os.WriteFile(file, bytes.Replace(data, []byte("DCGM_FI_DEV_GPU_TEMP"), []byte("DCGM_FI_DEV_GPU_TEMPERATURE"), 1), 0o644))
}

func fileWith(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func basicAuth(user, password string) string {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(user, password)
	return strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")
}
