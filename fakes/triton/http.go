package triton

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// unset is the Content-Type of Triton's web server where none is set.
const unset = "text/plain"

// Handler is Triton's metrics port: /metrics with or without a slash behind it; any other path is answered by nothing, and well. Where
// nobody listens, a connection that somebody has opened nevertheless is closed without an answer.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	var bodies page.Buffers
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.Listens() {
			panic(http.ErrAbortHandler)
		}
		if r.Method != http.MethodGet {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, _ = io.WriteString(w, `{"error":"Method Not Allowed"}`)
			return
		}
		if r.URL.Path != "/metrics" && r.URL.Path != "/metrics/" {
			w.Header().Set("Content-Type", unset)
			w.Header().Set("Content-Length", "0")
			return
		}
		w.Header().Set("Content-Type", e.ContentType())
		bodies.With(func(body []byte) []byte { return e.AppendScrape(body, now()) }, func(body []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body) // the scraper went away: nobody is left to tell
		})
	})
}
