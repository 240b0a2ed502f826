package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/bench/boards"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/rule"
)

// counter passes requests on to a Prometheus and counts them by path.
type counter struct {
	mu    sync.Mutex
	asked map[string]int
}

// take is how often each path was asked since it was last taken.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.asked
	c.asked = map[string]int{}
	return was
}

// before is a server that counts what goes through it to url.
func (c *counter) before(t *testing.T, at string) string {
	t.Helper()
	to, err := url.Parse(at)
	require.NoError(t, err)
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if strings.Contains(path, "/label/") {
			path = "/api/v1/label"
		}
		c.mu.Lock()
		c.asked[path]++
		c.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestCopiesAreNotAskedAgain guards the complexity of a run, which no timed test could: what Prometheus is asked follows from the
// different queries of a stack, not from how many dashboards show their answers. More copies than are judged in one go are among them.
func TestCopiesAreNotAskedAgain(t *testing.T) {
	const targets = 12
	dir := t.TempDir()
	require.NoError(t, boards.Write(dir, boards.Options{Dashboards: 1, Targets: targets, Distinct: 1, Seed: 3}))
	loaded, err := e2e.Load(t.Context(), e2e.Source{Dir: dir})
	require.NoError(t, err)
	scenario, err := e2e.LoadScenario("")
	require.NoError(t, err)
	running, err := embedded.Start(t.Context(), loaded.Stack.Prometheus, embedded.Options{
		Scenario: scenario, History: 2 * time.Hour, Targets: []embedded.Mapping{{Match: map[string]string{"job": "vllm"}, Fake: "vllm"}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	count := &counter{asked: map[string]int{}}
	prometheus := count.before(t, running.Instance().PrometheusURL)

	name := filepath.Join(dir, filepath.FromSlash(boards.Folder), "team-01", "board-00001.json")
	original, err := os.ReadFile(name)
	require.NoError(t, err)
	asked := map[int]map[string]int{}
	copies := []int{1, 8, 60}
	for _, n := range copies {
		for i := 2; i <= n; i++ {
			text := bytes.ReplaceAll(original, []byte("board-00001"), fmt.Appendf(nil, "board-%05d", i))
			text = bytes.ReplaceAll(text, []byte(`"title": "Triton 1"`), fmt.Appendf(nil, `"title": "Triton %d"`, i))
			require.NoError(t, os.WriteFile(strings.Replace(name, "00001", fmt.Sprintf("%05d", i), 1), text, 0o644))
		}
		loaded, err := e2e.Load(t.Context(), e2e.Source{Dir: dir})
		require.NoError(t, err)
		opts := loaded.Options
		opts.Env, opts.Attach = attach.Name, attach.Options{Prometheus: prometheus}
		r, err := e2e.Verify(t.Context(), loaded.Stack, opts)
		require.NoError(t, err)
		require.Len(t, r.Queries, n*targets)
		for _, q := range r.Queries {
			require.Equal(t, rule.StatusOK, q.Status, "%s: %v", q.Request.Expr, q.Err)
		}
		asked[n] = count.take()
	}
	for path, once := range asked[1] {
		for _, n := range copies[1:] {
			assert.LessOrEqual(t, asked[n][path], once, "%d copies ask %s more often than one", n, path)
		}
	}
	assert.GreaterOrEqual(t, asked[1]["/api/v1/query_range"]+asked[1]["/api/v1/query"], targets, "not everything went through what counts")
	for _, n := range copies[1:] {
		for path := range asked[n] {
			assert.Contains(t, asked[1], path, "%d copies ask what one does not", n)
		}
	}
}
