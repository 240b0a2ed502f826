package fakes

import (
	"net/http"
	"time"
)

// Exporter answers the scrapes of one exporter process. Implementations are immutable and safe for concurrent use.
type Exporter interface {
	// Name is the kind of exporter: "triton", "dcgm", "node" or "vllm".
	Name() string
	// AppendScrape appends the body of GET /metrics at a time to dst. Times before the world's start are taken as the start.
	AppendScrape(dst []byte, at time.Time) []byte
	// ContentType is the Content-Type header of a scrape.
	ContentType() string
	// Handler is the exporter's HTTP side, with its own paths, methods and headers; now says which moment a request asks about.
	Handler(now func() time.Time) http.Handler
}
