package dcgm

import (
	"net/http"
	"time"
)

// landingPage is written with the indentation that it has in dcgm-exporter's source.
const landingPage = `<html>
			<head><title>GPU Exporter</title></head>
			<body>
			<h1>GPU Exporter</h1>
			<p><a href="./metrics">Metrics</a></p>
			</body>
			</html>`

// Handler serves /metrics, /health and a page of links at /, whatever the method. Go's server finds out what kind of content it is,
// and how long.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	serve := func(path string, body func() []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(body()) // the scraper went away: nobody is left to tell
		})
	}
	serve("/metrics", func() []byte { return e.AppendScrape(nil, now()) })
	serve("/health", func() []byte { return []byte("OK") })
	serve("/{$}", func() []byte { return []byte(landingPage) })
	return mux
}
