package vllm

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const prometheusAccepts = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"

func TestHandlerBehavesAsTheServer(t *testing.T) {
	at := start.Add(time.Hour)
	w := builtin(t, "steady")
	const plain, newer, open = "text/plain; version=0.0.4; charset=utf-8", "text/plain; version=1.0.0; charset=utf-8", openMetricsType
	for _, tc := range []struct {
		version, method, path string
		status                int
		kind                  string
		compressed            bool
		begins                string
	}{
		{newest, http.MethodGet, "/metrics", 200, newer, false, "# HELP python_gc_objects_collected_total "},
		{"0.9.2", http.MethodGet, "/metrics", 200, plain, false, "# HELP python_gc_objects_collected_total "},
		{newest, http.MethodGet, "/metrics/", 200, open, true, "# HELP python_gc_objects_collected "},
		{newest, http.MethodPost, "/metrics", 200, open, true, "# HELP python_gc_objects_collected "},
		{"0.4.3", http.MethodGet, "/metrics", 200, open, true, "# HELP python_gc_objects_collected "},
		{newest, http.MethodGet, "/health", 200, "", false, ""},
		{newest, http.MethodPost, "/health", 405, "application/json", false, `{"detail":"Method Not Allowed"}`},
		{"0.9.2", http.MethodGet, "/version", 200, "application/json", false, `{"version":"0.9.2"}`},
		{newest, http.MethodGet, "/", 404, "application/json", false, `{"detail":"Not Found"}`},
	} {
		server := httptest.NewServer(build(t, w, tc.version).Handler(func() time.Time { return at }))
		request, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.path, nil)
		require.NoError(t, err)
		request.Header.Set("Accept", prometheusAccepts)
		request.Header.Set("Accept-Encoding", "gzip")
		response, err := server.Client().Do(request)
		require.NoError(t, err)
		body := io.Reader(response.Body)
		assert.Equal(t, tc.compressed, response.Header.Get("Content-Encoding") == "gzip", tc.path)
		if tc.compressed {
			body, err = gzip.NewReader(response.Body)
			require.NoError(t, err)
		}
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		server.Close()
		assert.Equal(t, tc.status, response.StatusCode, tc.path)
		assert.Equal(t, tc.kind, response.Header.Get("Content-Type"), tc.path)
		assert.True(t, strings.HasPrefix(string(text), tc.begins), "%s %s: %.60s", tc.method, tc.path, text)
		if tc.kind == open {
			assert.True(t, strings.HasSuffix(string(text), "# EOF\n"))
		}
	}
}

// Prometheus reads the other format too, and finds the same series, those of when they were created aside.
func TestOpenMetricsSaysTheSame(t *testing.T) {
	at := start.Add(time.Hour)
	for _, version := range Versions() {
		e := build(t, builtin(t, "steady"), version)
		text := seriesOf(t, e.AppendScrape(nil, at), e.ContentType())
		open := seriesOf(t, e.appendOpenMetrics(nil, at), openMetricsType)
		assert.Equal(t, text, open, version)
	}
}

func seriesOf(t *testing.T, body []byte, kind string) map[string]float64 {
	t.Helper()
	p, err := textparse.New(body, kind, labels.NewSymbolTable(), textparse.ParserOptions{})
	require.NoError(t, err)
	found := map[string]float64{}
	for {
		entry, err := p.Next()
		if err == io.EOF { //nolint:errorlint // the parser's own, never wrapped
			return found
		}
		require.NoError(t, err)
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, v := p.Series()
		var set labels.Labels
		p.Labels(&set)
		found[set.String()] = v
	}
}
