package node

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// Handler serves the scrapes, in the format and the compression that the client asks for, and a page of links. No method is refused.
func (e *Exporter) Handler(now func() time.Time) http.Handler {
	var bodies page.Buffers
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == e.settings.telemetryPath:
			e.scrape(w, r, now(), &bodies)
		case r.URL.Path == "/" || e.settings.release.Before("1.9.0") && e.settings.telemetryPath != "/":
			w.Header().Set("Content-Type", e.settings.landingType())
			_, _ = io.WriteString(w, e.settings.landingPage()) // the client went away: nobody is left to tell
		default:
			http.NotFound(w, r)
		}
	})
}

func (e *Exporter) scrape(w http.ResponseWriter, r *http.Request, at time.Time, bodies *page.Buffers) {
	asked, refusal := e.asked(r)
	if refusal != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, refusal)
		return
	}
	bodies.With(func(body []byte) []byte { return e.appendPage(body, asked, at) }, func(body []byte) { e.send(w, r, body) })
}

// send answers a scrape in the format and the compression that it asks for.
func (e *Exporter) send(w http.ResponseWriter, r *http.Request, body []byte) {
	format := e.settings.format(r.Header)
	if format.FormatType() != expfmt.TypeTextPlain {
		var err error
		if body, err = encode(body, format); err != nil {
			http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", string(format))
	// What fails below fails because the scraper went away: nobody is left to tell.
	_ = write(w, body, e.settings.compresses(r.Header.Get("Accept-Encoding")))
}

// asked is the page of the collectors that a request names, or why it is refused.
func (e *Exporter) asked(r *http.Request) (*page.Page[snapshot], string) {
	query := r.URL.Query()
	collect, exclude := query["collect[]"], query["exclude[]"]
	if e.settings.release.Before("1.9.0") {
		exclude = nil
	}
	switch {
	case len(collect) > 0 && len(exclude) > 0:
		return nil, "Combined collect and exclude queries are not allowed."
	case len(exclude) > 0:
		for name, enabled := range e.settings.known {
			if enabled && !slices.Contains(exclude, name) {
				collect = append(collect, name)
			}
		}
	}
	if len(collect) == 0 { // nothing said, or all excluded: the real one then filters nothing
		return e.page, ""
	}
	only := make(map[string]bool, len(collect))
	for _, name := range collect {
		enabled, known := e.settings.known[name]
		switch {
		case !known:
			return nil, "Couldn't create filtered metrics handler: couldn't create collector: missing collector: " + name
		case !enabled:
			return nil, "Couldn't create filtered metrics handler: couldn't create collector: disabled collector: " + name
		}
		only[name] = true
	}
	return e.layout(only), ""
}

// format is what an Accept header gets: the text of 0.0.4, or protobuf where that is asked for first. How names would be escaped is said
// since 1.8.0, though none here has to be.
func (s settings) format(header http.Header) expfmt.Format {
	format := string(expfmt.NewFormat(expfmt.TypeTextPlain)) + escaping("underscores")
	if accept := header.Get("Accept"); accept != "" {
		format = string(expfmt.NegotiateAccept(header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeProtoText),
			expfmt.NewFormat(expfmt.TypeProtoCompact), expfmt.NewFormat(expfmt.TypeTextPlain)))
	}
	switch {
	case s.release.Before("1.8.0"):
		format, _, _ = strings.Cut(format, escaping(""))
	case s.release.Before("1.9.0") && !strings.Contains(header.Get("Accept"), model.EscapingKey+"="):
		format = strings.Replace(format, escaping("underscores"), escaping("values"), 1)
	}
	return expfmt.Format(format)
}

// escaping is the parameter of a content type that names a way of escaping.
func escaping(scheme string) string { return "; " + model.EscapingKey + "=" + scheme }

// encode puts a page of text into another format.
func encode(text []byte, format expfmt.Format) ([]byte, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the scrape back: %w", err)
	}
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, format)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if err := encoder.Encode(families[name]); err != nil {
			return nil, fmt.Errorf("encode %s as %s: %w", name, format, err)
		}
	}
	return out.Bytes(), nil
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

// compresses says whether an Accept-Encoding header gets gzip. Before 1.9.0 naming it is enough, whatever is said of it.
func (s settings) compresses(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(coding) == "gzip" {
			return s.release.Before("1.9.0") || strings.ReplaceAll(parameters, " ", "") != "q=0"
		}
	}
	return false
}

func (s settings) landingType() string {
	if s.release.Before("1.6.0") {
		return "text/html; charset=utf-8"
	}
	return "text/html; charset=UTF-8"
}

// landingPage names the exporter and leads to its metrics; since 1.6.0 it also says which release this is.
func (s settings) landingPage() string {
	link := `<a href="` + html.EscapeString(s.telemetryPath) + `">Metrics</a>`
	if s.release.Before("1.6.0") {
		return "<html>\n<head><title>Node Exporter</title></head>\n<body>\n<h1>Node Exporter</h1>\n<p>" + link + "</p>\n</body>\n</html>"
	}
	return "<html lang=\"en\">\n<head><meta charset=\"UTF-8\"><title>Node Exporter</title></head>\n<body>\n<header><h1>Node Exporter</h1></header>\n" +
		"<main>\n<h2>Prometheus Node Exporter</h2>\n<div>Version: (version=" + s.release.String() + ", branch=HEAD, revision=" + revision(s.release) +
		")</div>\n<div><ul><li>" + link + "</li></ul></div>\n</main>\n</body>\n</html>\n"
}
