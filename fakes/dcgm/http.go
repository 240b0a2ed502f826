package dcgm

import (
	"net/http"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/page"
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
	var bodies page.Buffers
	serve := func(path string, fill func([]byte) []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			bodies.With(fill, func(body []byte) {
				_, _ = w.Write(body) // the scraper went away: nobody is left to tell
			})
		})
	}
	serve("/metrics", func(body []byte) []byte { return e.AppendScrape(body, now()) })
	serve("/health", func(body []byte) []byte { return append(body, "OK"...) })
	serve("/{$}", func(body []byte) []byte { return append(body, landingPage...) })
	return mux
}
