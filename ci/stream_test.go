package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// panelsThatDiffer writes a copy of the shipped stack whose one dashboard has n panels,
// each of which asks something else.
func panelsThatDiffer(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, copyStack("../stack", dir))
	var panels []string
	for i := range n {
		panels = append(panels, fmt.Sprintf(`{"id": %d, "type": "timeseries", "title": "Panel %d", "targets": [{"refId": "A", "expr": "nv_inference_count * %d"}]}`, i+1, i+1, i+1))
	}
	board := `{"uid": "many", "title": "Many", "schemaVersion": 42, "time": {"from": "now-10m", "to": "now"}, "panels": [` + strings.Join(panels, ",\n") + "]}"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "grafana/provisioning/dashboards/boards/triton.json"), []byte(board), 0o600))
	return dir
}

// heldBack is the Prometheus of a stack, which answers what asks for text once the
// channel is closed.
func heldBack(t *testing.T, dir, text string, until <-chan struct{}) (at string) {
	t.Helper()
	loaded, err := e2e.Load(t.Context(), e2e.Source{Dir: dir})
	require.NoError(t, err)
	loaded.Options.History = time.Hour
	session, err := e2e.Begin(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	to, err := url.Parse(session.Instance().PrometheusURL)
	require.NoError(t, err)
	own := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: own, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		form, err := url.ParseQuery(string(body))
		assert.NoError(t, err)
		if strings.HasSuffix(form.Get("query"), text) {
			select {
			case <-until:
			case <-r.Context().Done():
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		own.CloseIdleConnections()
		assert.NoError(t, session.Close())
	})
	return server.URL
}

// Whoever reads the stream has the first query before the last is answered, and in the
// end what the report says; with less than all of the stream, nothing.
func TestTheStreamHasQueriesWhileOthersAreAsked(t *testing.T) {
	t.Parallel()
	const panels = 12
	dir := panelsThatDiffer(t, panels)
	first := make(chan struct{})
	at := heldBack(t, dir, fmt.Sprintf(" * %d", panels), first)
	written := filepath.Join(t.TempDir(), "result.json")
	cmd := exec.CommandContext(t.Context(), "panelgate", "--stack", dir, "--env", "attach", "--prometheus", at, "--ndjson", "-", "--json", written)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var lines []string
	queries := []int{} // in which lines they are
	for scanner := bufio.NewReader(out); ; {
		line, err := scanner.ReadString('\n')
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
		lines = append(lines, line)
		if !strings.HasPrefix(line, `{"event":"query"`) {
			continue
		}
		if queries = append(queries, len(lines)); len(queries) == 1 {
			close(first)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil { // panels without units are warnings at the most
		require.ErrorAs(t, err, &exit)
	}
	d, err := report.ReadEvents(strings.NewReader(strings.Join(lines, "")), nil)
	require.NoError(t, err)
	require.Len(t, queries, panels)
	require.Len(t, d.Queries, panels)
	for i, q := range d.Queries {
		assert.Equal(t, fmt.Sprintf("Panel %d", i+1), q.Panel)
		assert.Equal(t, rule.StatusOK, q.Status, q.Why)
	}
	var folded bytes.Buffer
	require.NoError(t, report.JSON(&folded, d))
	want, err := os.ReadFile(written)
	require.NoError(t, err)
	assert.Equal(t, string(want), folded.String())
	for _, n := range queries {
		_, err := report.ReadEvents(strings.NewReader(strings.Join(lines[:n], "")), nil)
		require.ErrorContains(t, err, fmt.Sprintf("ends after %d events without a verdict", n))
	}
}
