package vllm

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	text "github.com/panelgate/panelgate/fakes/internal/page"
)

// openMetricsType is what prometheus_client calls the other format.
const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// Handler is the server's HTTP side as far as monitoring knows it. Two answer for the metrics: since 0.6 GET /metrics is a route that
// knows neither compression nor OpenMetrics; every other method, and every path that only begins with /metrics, comes to
// prometheus_client's own application, which asks for no method and negotiates both.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	var bodies text.Buffers
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "uvicorn")
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/metrics"):
			plain := e.traits.instrumented && path == "/metrics" && r.Method == http.MethodGet
			e.serveMetrics(w, r, now(), plain, &bodies)
		case r.Method != http.MethodGet && (path == "/health" || path == "/version"):
			w.Header().Set("Allow", http.MethodGet)
			detail(w, http.StatusMethodNotAllowed)
		case path == "/health":
			w.Header().Set("Content-Length", "0")
		case path == "/version":
			writeJSON(w, http.StatusOK, map[string]string{"version": e.options.release.String()})
		default:
			detail(w, http.StatusNotFound)
		}
	})
}

func (e *Exporter) serveMetrics(w http.ResponseWriter, r *http.Request, at time.Time, plain bool, bodies *text.Buffers) {
	kind, scrape := e.ContentType(), e.AppendScrape
	if !plain && accepts(r.Header.Get("Accept"), "application/openmetrics-text") {
		kind, scrape = openMetricsType, e.appendOpenMetrics
	}
	w.Header().Set("Content-Type", kind)
	bodies.With(func(body []byte) []byte { return scrape(body, at) }, func(body []byte) {
		// What fails here fails because the scraper went away: nobody is left to tell.
		if !plain && accepts(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			_ = compress(w, body)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}

func compress(w io.Writer, body []byte) error {
	z := gzip.NewWriter(w)
	if _, err := z.Write(body); err != nil {
		return fmt.Errorf("compress the scrape: %w", err)
	}
	return z.Close()
}

// accepts says whether a header of alternatives names one, whatever its weight: prometheus_client does not look at that.
func accepts(header, one string) bool {
	for part := range strings.SplitSeq(header, ",") {
		alternative, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(alternative), one) {
			return true
		}
	}
	return false
}

// detail is how FastAPI says that there is nothing.
func detail(w http.ResponseWriter, status int) {
	writeJSON(w, status, map[string]string{"detail": http.StatusText(status)})
}

func writeJSON(w http.ResponseWriter, status int, value map[string]string) {
	body, err := json.Marshal(value)
	if err != nil {
		body = nil // strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
