package node

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// prometheusAccept is what Prometheus 3 asks for.
const prometheusAccept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
	"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

const (
	openMetrics = "application/openmetrics-text;version=1.0.0"
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.3"
)

var moment = start.Add(time.Hour)

// ask sends a request to an exporter's handler and gives the answer with its body read.
func ask(t *testing.T, e *Exporter, method, target string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	server := httptest.NewServer(e.Handler(func() time.Time { return moment }))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, nil)
	require.NoError(t, err)
	for name, values := range header {
		request.Header[name] = values
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, body
}

// The content types are those of the real binaries, each asked with the same headers.
func TestContentTypeByReleaseAndAccept(t *testing.T) {
	const text, proto = "text/plain; version=0.0.4; charset=utf-8", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
	for _, tc := range []struct{ version, accept, want string }{
		{"1.0.1", "", text}, {"1.0.1", prometheusAccept, text}, {"1.0.1", openMetrics, text}, {"1.0.1", protobuf, proto},
		{"1.7.0", "", text}, {"1.7.0", prometheusAccept, text}, {"1.7.0", "text/html", text}, {"1.7.0", protobuf, proto},
		{"1.8.2", "", text + "; escaping=values"}, {"1.8.2", prometheusAccept, text + "; escaping=allow-utf-8"},
		{"1.8.2", openMetrics, text + "; escaping=values"}, {"1.8.2", "text/plain;version=0.0.4;escaping=dots", text + "; escaping=dots"},
		{"1.8.2", protobuf, proto + "; escaping=values"},
		{"1.9.1", "", text + "; escaping=underscores"}, {"1.9.1", prometheusAccept, text + "; escaping=allow-utf-8"},
		{"1.12.1", openMetrics, text + "; escaping=underscores"}, {"1.12.1", "text/plain;version=1.0.0;escaping=allow-utf-8", text + "; escaping=allow-utf-8"},
		{"1.12.1", "text/html", text + "; escaping=underscores"}, {"1.12.1", protobuf, proto + "; escaping=underscores"},
	} {
		e := built(t, tc.version)
		response, body := ask(t, e, http.MethodGet, "/metrics", http.Header{"Accept": {tc.accept}})
		assert.Equal(t, tc.want, response.Header.Get("Content-Type"), "%s asked for %q", tc.version, tc.accept)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		if tc.accept == protobuf {
			assert.Equal(t, seriesOfProtobuf(t, body, tc.want), len(scrape(t, e, moment).Series), tc.version)
			continue
		}
		assert.Equal(t, string(e.AppendScrape(nil, moment)), string(body), tc.version)
		assert.NotContains(t, string(body), "# EOF", "it never had OpenMetrics")
		assert.Empty(t, response.Header.Get("Content-Length"), "sent in chunks")
	}
	assert.Equal(t, text, built(t, "1.7.0").ContentType())
	assert.Equal(t, text+"; escaping=underscores", built(t, "").ContentType())
}

// seriesOfProtobuf is how many series Prometheus finds in a body of delimited protobuf.
func seriesOfProtobuf(t *testing.T, body []byte, contentType string) int {
	t.Helper()
	parser, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	require.NoError(t, err)
	series := 0
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return series
		}
		require.NoError(t, err)
		if entry == textparse.EntrySeries {
			series++
		}
	}
}

func TestGzipOnRequest(t *testing.T) {
	for _, tc := range []struct{ version, accept, coding string }{
		{"", "", ""}, {"", "identity", ""}, {"", "gzip", "gzip"}, {"", "deflate, gzip;q=0.5", "gzip"}, {"", "gzip;q=0", ""},
		{"1.8.2", "gzip", "gzip"}, {"1.8.2", "gzip;q=0", "gzip"}, {"1.0.1", "zstd", ""}, {"1.0.1", "zstd, gzip", "gzip"},
	} {
		e := built(t, tc.version)
		response, body := ask(t, e, http.MethodGet, "/metrics", http.Header{"Accept-Encoding": {tc.accept}})
		require.Equal(t, tc.coding, response.Header.Get("Content-Encoding"), "%s asked for %q", tc.version, tc.accept)
		if tc.coding == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			body, err = io.ReadAll(z)
			require.NoError(t, err)
		}
		assert.Equal(t, string(e.AppendScrape(nil, moment)), string(body))
	}
}

func TestPathsAndMethods(t *testing.T) {
	const newText, oldText = "text/html; charset=UTF-8", "text/html; charset=utf-8"
	for _, tc := range []struct {
		version, method, path string
		status                int
		contentType           string
	}{
		{"1.12.1", "GET", "/", 200, newText}, {"1.12.1", "POST", "/", 200, newText},
		{"1.12.1", "GET", "/nothing", 404, "text/plain; charset=utf-8"}, {"1.12.1", "GET", "/metrics/", 404, "text/plain; charset=utf-8"},
		{"1.9.1", "GET", "/-/healthy", 404, "text/plain; charset=utf-8"},
		{"1.8.2", "GET", "/nothing", 200, newText}, {"1.6.1", "GET", "/", 200, newText},
		{"1.3.1", "GET", "/", 200, oldText}, {"1.0.1", "GET", "/metrics/", 200, oldText},
		{"1.0.1", "POST", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8"},
		{"1.12.1", "DELETE", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		{"1.12.1", "HEAD", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
	} {
		response, body := ask(t, built(t, tc.version), tc.method, tc.path, nil)
		assert.Equal(t, tc.status, response.StatusCode, "%+v", tc)
		assert.Equal(t, tc.contentType, response.Header.Get("Content-Type"), "%+v", tc)
		switch {
		case tc.method == http.MethodHead:
			assert.Empty(t, body)
			assert.Empty(t, response.Header.Get("Content-Length"))
		case tc.status == http.StatusNotFound:
			assert.Equal(t, "404 page not found\n", string(body))
		case tc.contentType == newText:
			assert.Contains(t, string(body), "version="+tc.version)
			assert.Contains(t, string(body), `<a href="/metrics">Metrics</a>`)
		case tc.contentType == oldText:
			assert.Contains(t, string(body), `<a href="/metrics">Metrics</a>`)
		}
	}
	elsewhere := built(t, "1.12.1", "--web.telemetry-path=/m")
	response, _ := ask(t, elsewhere, http.MethodGet, "/metrics", nil)
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
	_, body := ask(t, elsewhere, http.MethodGet, "/m", nil)
	assert.Equal(t, string(elsewhere.AppendScrape(nil, moment)), string(body))
	atRoot := built(t, "1.12.1", "--web.telemetry-path", "/")
	_, body = ask(t, atRoot, http.MethodGet, "/", nil)
	assert.Equal(t, string(atRoot.AppendScrape(nil, moment)), string(body))
}

func TestCollectorsAskedFor(t *testing.T) {
	const missing = "Couldn't create filtered metrics handler: couldn't create collector: missing collector: "
	for _, tc := range []struct{ version, query, refusal string }{
		{"1.12.1", "collect[]=nope", missing + "nope"},
		{"1.12.1", "collect[]=", missing},
		{"1.0.1", "collect[]=selinux", missing + "selinux"},
		{"1.12.1", "collect[]=cpu&collect[]=wifi", "Couldn't create filtered metrics handler: couldn't create collector: disabled collector: wifi"},
		{"1.12.1", "collect[]=cpu&exclude[]=cpu", "Combined collect and exclude queries are not allowed."},
	} {
		response, body := ask(t, built(t, tc.version), http.MethodGet, "/metrics?"+tc.query, nil)
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, tc.query)
		assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
		assert.Equal(t, tc.refusal, string(body))
	}
	families := func(version, query string) scrapetest.Scrape {
		response, body := ask(t, built(t, version), http.MethodGet, "/metrics?"+query, nil)
		require.Equal(t, http.StatusOK, response.StatusCode, query)
		return scrapetest.Parse(t, body, "text/plain")
	}
	one := families("1.12.1", "collect[]=loadavg")
	for _, name := range []string{"node_load1", "node_exporter_build_info", "go_goroutines", "promhttp_metric_handler_requests_total"} {
		assert.Contains(t, one.Families, name)
	}
	assert.NotContains(t, one.Families, "node_cpu_seconds_total")
	assert.Contains(t, one.Series, `{__name__="node_scrape_collector_success", collector="loadavg"}`)
	assert.NotContains(t, one.Series, `{__name__="node_scrape_collector_success", collector="cpu"}`)

	rest := families("1.12.1", "exclude[]=loadavg&exclude[]=nope")
	assert.NotContains(t, rest.Families, "node_load1")
	assert.Contains(t, rest.Families, "node_cpu_seconds_total")
	assert.Contains(t, families("1.8.2", "exclude[]=loadavg&collect[]=loadavg").Families, "node_load1", "before 1.9.0 exclude[] says nothing")
}
