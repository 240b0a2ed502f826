// Package replay makes a living exporter of a recording, of one scrape or of many.
//
// The exporter begins with what was recorded first and prints it to the letter: families, series and labels in their order, numbers as
// they were spelled. From there on
//
//   - counters, and the buckets, counts and sums of histograms and summaries, advance as fast as they did between the recorded scrapes.
//     Behind the last scrape comes the first again, and counters go on from where they are. A counter that was reset while it was
//     recorded goes on as well;
//   - gauges and quantiles show what was seen, one scrape after the other, and series come and go as they did;
//   - moments, such as a process's start, keep their distance to the time of the scrape.
//
// Of a single scrape it is not known how fast anything moves. Its counters advance as they did on average since the process started
// that counts, as far as the page tells when that was, and else as if that had been an hour before; since all of a page advance alike,
// what holds between them goes on to hold. A rate that is told outranks both. Its gauges go down by up to a twentieth and come back,
// in whole numbers where they are whole, but for limits, sizes, states and the like, which stay.
package replay

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/recording"
)

// Name is the name of every exporter that replays.
const Name = "replay"

// Exporter plays a recording back. It is immutable and safe for concurrent use.
type Exporter struct {
	start  time.Time // the world's
	pages  []page
	period int64 // milliseconds from the first scrape to the first again; 0 where there is one
	series []series
	path   string
	header http.Header
}

// page is one recorded scrape.
type page struct {
	at    int64 // milliseconds since the first
	lines []line
}

// line is a line of a page.
type line struct {
	text   string // the whole line of what is no sample
	series int    // of a sample; -1 of others
	value  string // as recorded
	rest   string // what stands behind the value
	// stamped is when the sample says it was taken, in milliseconds before it was scraped.
	stamped bool
	age     int64
}

// Name is "replay".
func (e *Exporter) Name() string { return Name }

// ContentType is the recorded one.
func (e *Exporter) ContentType() string { return e.header.Get("Content-Type") }

// moment is a time within the recording.
type moment struct {
	now     int64 // milliseconds since the epoch
	elapsed int64 // milliseconds since the world's start
	loops   int64 // how often the recording has been played to its end
	page    int
	// since and gap are how long ago the page was recorded and how long it is until the next, in milliseconds.
	since, gap int64
}

func (e *Exporter) moment(at time.Time) moment {
	if at.Before(e.start) {
		at = e.start
	}
	m := moment{now: at.UnixMilli(), elapsed: at.Sub(e.start).Milliseconds()}
	if e.period == 0 {
		m.since = m.elapsed
		return m
	}
	phase := m.elapsed % e.period
	m.loops = m.elapsed / e.period
	next, found := slices.BinarySearchFunc(e.pages, phase, func(p page, t int64) int { return int(min(max(p.at-t, -1), 1)) })
	m.page = next
	if !found {
		m.page--
	}
	end := e.period
	if m.page+1 < len(e.pages) {
		end = e.pages[m.page+1].at
	}
	m.since, m.gap = phase-e.pages[m.page].at, end-e.pages[m.page].at
	return m
}

// AppendScrape appends the body of a scrape at a time.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	m := e.moment(at)
	for i := range e.pages[m.page].lines {
		l := &e.pages[m.page].lines[i]
		if l.series < 0 {
			dst = append(append(dst, l.text...), '\n')
			continue
		}
		s := &e.series[l.series]
		dst = append(append(dst, s.text...), ' ')
		dst = s.append(dst, &m, l.value)
		dst = e.appendRest(dst, l, &m)
		dst = append(dst, '\n')
	}
	return dst
}

// appendRest appends what stands behind a value: a timestamp as old as it was, an exemplar as it was.
func (e *Exporter) appendRest(dst []byte, l *line, m *moment) []byte {
	if l.stamped {
		stamp := m.now - l.age
		dst = append(dst, ' ')
		if e.openMetrics() {
			dst = strconv.AppendFloat(dst, float64(stamp)/1000, 'f', 3, 64)
		} else {
			dst = strconv.AppendInt(dst, stamp, 10)
		}
	}
	return append(dst, l.rest...)
}

func (e *Exporter) openMetrics() bool {
	return strings.HasPrefix(e.ContentType(), "application/openmetrics-text")
}

// New plays a recording back from the world's start on. rates are how much families advance a second, where that is told.
func New(w *fakes.World, r *recording.Recording, rates map[string]float64) (*Exporter, error) {
	read, err := readPages(r)
	if err != nil {
		return nil, err
	}
	e := &Exporter{start: w.Start(), pages: read.pages, path: pathOf(r.URL), header: r.Scrapes[0].Header.Clone()}
	if n := len(e.pages); n > 1 {
		last := e.pages[n-1].at
		e.period = last + max(last/int64(n-1), 1)
	}
	if e.header == nil {
		e.header = http.Header{}
	}
	if e.ContentType() == "" {
		e.header.Set("Content-Type", usualType(read.pages[0].lines))
	}
	if err := read.understand(e, rates); err != nil {
		return nil, err
	}
	return e, nil
}

// usualType is the content type of a body that came without.
func usualType(lines []line) string {
	if slices.ContainsFunc(lines, func(l line) bool { return l.series < 0 && strings.TrimSpace(l.text) == "# EOF" }) {
		return "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	return "text/plain; version=0.0.4; charset=utf-8"
}
