// Package recording keeps real scrapes in one small file, so that an exporter can be recorded where it runs and played back where it does
// not: each scrape's body as it came, the headers that matter, and when it was made.
//
// A file begins with a line that names the format and its version; everything behind it is one zstd stream, in which a scrape costs
// little more than what changed since the one before. In the stream stand a line of JSON about the whole, then for each scrape a line of
// JSON and the body, then a line that says that this was all.
package recording

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// Version is the version of the format that this package reads and writes.
const Version = 1

// magic begins the first line of every recording, whatever its version.
const magic = "panelgate-recording "

// Recording is what was scraped of one exporter.
type Recording struct {
	// URL is where, without user, password, query and fragment. "" for a plain text of unknown origin.
	URL string
	// Every is how far the scrapes were meant to be apart; 0 for a single one.
	Every time.Duration
	// Redacted are the labels whose values were replaced.
	Redacted []string
	// Scrapes are in the order of time. There is at least one.
	Scrapes []Scrape
}

// Scrape is one answer of the exporter.
type Scrape struct {
	// At is when the answer came, in whole milliseconds; zero where that is not known.
	At time.Time
	// Status is the HTTP status, 200.
	Status int
	// Header has the headers that say something about the exporter; see Headers.
	Header http.Header
	Body   []byte
}

// ContentType is the scrape's Content-Type header, "" where it is not known.
func (s *Scrape) ContentType() string { return s.Header.Get("Content-Type") }

// Headers are the headers that are kept. Others are about the connection or the moment, and may hold what should not be shown.
func Headers() []string { return []string{"Content-Type", "Content-Encoding", "Server"} }

// Kept are the headers of an answer that are worth keeping.
func Kept(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range Headers() {
		if values := h.Values(name); len(values) > 0 {
			out[name] = slices.Clone(values)
		}
	}
	return out
}

// PublicURL is a URL without what may be a secret: user, password, query and fragment.
func PublicURL(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("no URL") // the error of Parse would show it
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), nil
}

// Limits are what a recording may have at most; a zero field stands for the default. They keep a hostile file from taking the machine's
// memory: a few kilobytes can say that they are gigabytes.
type Limits struct {
	File    int // bytes of the file
	Bytes   int // bytes of all that is in it
	Body    int // bytes of one scrape
	Line    int // bytes of one line of a body
	Scrapes int
	Samples int // of all scrapes
}

// DefaultLimits are far above what a day of a large machine takes.
func DefaultLimits() Limits {
	return Limits{File: 64 << 20, Bytes: 256 << 20, Body: 32 << 20, Line: 1 << 20, Scrapes: 20_000, Samples: 3_000_000}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, field := range []struct{ own, other *int }{
		{&l.File, &d.File}, {&l.Bytes, &d.Bytes}, {&l.Body, &d.Body}, {&l.Line, &d.Line}, {&l.Scrapes, &d.Scrapes}, {&l.Samples, &d.Samples},
	} {
		if *field.own == 0 {
			*field.own = *field.other
		}
	}
	return l
}

// Error is what is wrong with a recording, and where.
type Error struct {
	// Offset counts bytes: of the file, or of what is compressed in it.
	Offset int64
	// Inside says that Offset counts within the decompressed text.
	Inside bool
	Err    error
}

func (e *Error) Error() string {
	if e.Inside {
		return fmt.Sprintf("byte %d of the decompressed text: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("byte %d: %v", e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Validate says what of a recording cannot be.
func (r *Recording) Validate(limits Limits) error {
	limits = limits.orDefault()
	if len(r.Scrapes) == 0 {
		return errors.New("it has no scrape")
	}
	if len(r.Scrapes) > limits.Scrapes {
		return fmt.Errorf("it has %d scrapes, more than the %d that are read", len(r.Scrapes), limits.Scrapes)
	}
	for i := range r.Scrapes {
		s := &r.Scrapes[i]
		samples, err := s.validate(limits)
		if err != nil {
			return fmt.Errorf("scrape %d: %w", i+1, err)
		}
		limits.Samples -= samples
		if i > 0 && !s.At.After(r.Scrapes[i-1].At) {
			return fmt.Errorf("scrape %d: it was not made after the one before", i+1)
		}
	}
	return nil
}

// validate says how many samples a scrape has.
func (s *Scrape) validate(limits Limits) (samples int, err error) {
	switch {
	case s.Status != http.StatusOK:
		return 0, fmt.Errorf("its status is %d; only answers that are OK can be played back", s.Status)
	case len(s.Body) > limits.Body:
		return 0, fmt.Errorf("it has %d bytes, more than the %d that are read", len(s.Body), limits.Body)
	}
	if err := checkLines(s.Body, limits); err != nil {
		return 0, err
	}
	lines, err := exposition.Parse(s.Body)
	if err != nil {
		return 0, err
	}
	series := make(map[string]int, len(lines))
	for _, l := range lines {
		if l.Kind != exposition.Sample {
			continue
		}
		if first, twice := series[l.Series]; twice {
			return 0, &exposition.Error{Line: l.Number, Offset: l.Offset, What: fmt.Sprintf("the series of line %d once more", first)}
		}
		series[l.Series] = l.Number
		if samples++; samples > limits.Samples {
			return 0, &exposition.Error{Line: l.Number, Offset: l.Offset, What: "with this sample there are more than are read"}
		}
	}
	if samples == 0 {
		return 0, errors.New("it has no series")
	}
	return samples, nil
}

// checkLines looks for lines that are too long before anything is made of them.
func checkLines(body []byte, limits Limits) error {
	start, number := 0, 1
	for i, c := range body {
		if c == '\n' {
			start, number = i+1, number+1
		}
		if i-start >= limits.Line {
			return &exposition.Error{Line: number, Offset: start, What: fmt.Sprintf("the line is longer than the %d bytes that are read", limits.Line)}
		}
	}
	return nil
}
