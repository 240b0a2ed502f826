package replay

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pathOf is where the scrapes were made.
func pathOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Path != "" {
		return u.Path
	}
	return "/metrics"
}

// Handler serves the scrapes where they were recorded and on /metrics, with their headers, compressed where they came compressed.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != e.path && r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		compressed := e.header.Get("Content-Encoding") == "gzip" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
		for name, values := range e.header {
			if name != "Content-Encoding" || compressed {
				w.Header()[name] = values
			}
		}
		// What fails below fails because the scraper went away: nobody is left to tell.
		_ = write(w, e.AppendScrape(nil, now()), compressed)
	})
}

func write(w io.Writer, body []byte, compressed bool) error {
	if !compressed {
		_, err := w.Write(body)
		return err
	}
	z := gzip.NewWriter(w)
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}
