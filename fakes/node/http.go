package node

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const landingPage = `<html lang="en">
<head><title>Node Exporter</title></head>
<body><h1>Node Exporter</h1><p><a href="/metrics">Metrics</a></p></body>
</html>
`

// Handler serves /metrics, compressed where the client takes gzip, and a page of links at /.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", e.ContentType())
		// What fails below fails because the scraper went away: nobody is left to tell.
		_ = write(w, e.AppendScrape(nil, now()), takesGzip(r))
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = io.WriteString(w, landingPage)
	})
	return mux
}

func write(w http.ResponseWriter, body []byte, compressed bool) error {
	if !compressed {
		_, err := w.Write(body)
		return err
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	if _, err := z.Write(body); err != nil {
		return fmt.Errorf("compress the scrape: %w", err)
	}
	return z.Close()
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(parameters, " ", "") != "q=0"
		}
	}
	return false
}
