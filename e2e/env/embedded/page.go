package embedded

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// page turns the text of a target's scrapes into samples as Prometheus' scrape
// loop does, which cannot be used for the past: it goes by the machine's clock.
// The series of a line are worked out when the line is first met; after that its
// text stands for them.
//
// Left out, because no fake shows them: exemplars and the bucket limits of native
// histograms.
type page struct {
	target *target
	parse  textparse.ParserOptions
	rules  relabelling

	series  map[string]*series // by the text of name and labels
	order   []*series          // as the last scrape listed them
	before  []*series          // appended by the scrape before this one
	now     []*series          // and by this one
	iter    uint64             // number of this scrape, from 1
	touched int                // how many of series this scrape has
	last    outline            // of the last scrape that was parsed
}

// series is what a line's name and labels become.
type series struct {
	text   string
	labels labels.Labels // empty where relabelling drops it
	ref    storage.SeriesRef
	iter   uint64 // the last scrape that had it, 0 for none
}

var (
	errSampleLimit = errors.New("sample limit exceeded")
	errNoName      = fmt.Errorf("missing metric name (%s label)", model.MetricNameLabel)
)

func newPage(t *target) *page {
	native := func(label string) bool { return t.scrape.GetValue(label) == "true" }
	return &page{
		target: t,
		rules:  relabelling{job: t.job, target: t.labels},
		iter:   1,
		series: map[string]*series{},
		parse: textparse.ParserOptions{
			IgnoreNativeHistograms:                  !native("__scrape_native_histograms__"),
			ConvertClassicHistogramsToNHCB:          native("__convert_classic_histograms_to_nhcb__"),
			KeepClassicOnClassicAndNativeHistograms: native("__always_scrape_classic_histograms__"),
			FallbackContentType:                     t.job.ScrapeFallbackProtocol.HeaderMediaType(),
		},
	}
}

// append appends the samples of a scrape and the stale markers of series that it
// no longer has. After an error the caller rolls back and calls end.
func (p *page) append(app storage.AppenderV2, body []byte, contentType string, ts int64, r *report) error {
	if len(body) == 0 {
		return p.end(app, ts)
	}
	if err := p.samples(app, body, contentType, ts, r); err != nil {
		return err
	}
	p.forget()
	return p.end(app, ts)
}

// end closes a scrape: what the one before it had and it does not is marked as
// stale. Of a scrape that failed halfway, what came before the failure counts as
// had; that is how the scrape loop does it, too.
func (p *page) end(app storage.AppenderV2, ts int64) error {
	marker := math.Float64frombits(value.StaleNaN)
	for _, s := range p.before {
		if s.iter == p.iter {
			continue
		}
		_, err := app.Append(s.ref, s.labels, 0, ts, marker, nil, nil, storage.AOptions{RejectOutOfOrder: true})
		if err != nil && !isLate(err) {
			return err
		}
	}
	p.before, p.now = p.now, p.before[:0]
	p.iter++
	p.touched = 0
	return nil
}

// forget drops the series that this scrape does not have. They count as new when
// they come back.
func (p *page) forget() {
	if p.touched == len(p.series) {
		return
	}
	p.order, p.last.lines = p.order[:0], nil
	maps.DeleteFunc(p.series, func(_ string, s *series) bool { return s.iter != p.iter })
}

// isLate says whether a sample came too late for its series, which the scrape
// loop passes over.
func isLate(err error) bool {
	return errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrDuplicateSampleForTimestamp) ||
		errors.Is(err, storage.ErrOutOfBounds)
}

func (p *page) samples(app storage.AppenderV2, body []byte, contentType string, ts int64, r *report) error {
	plain := isText(contentType) && !p.parse.ConvertClassicHistogramsToNHCB
	if !plain || !p.last.read(body) {
		if err := p.parsed(app, body, contentType, ts, r); err != nil {
			return err
		}
		if plain {
			p.last.draw(body, p.order[:r.scraped])
		}
		return nil
	}
	taken := taking{page: p, app: app, report: r}
	for i, v := range p.last.values {
		if err := taken.take(p.order[i], sample{at: ts, value: v}); err != nil {
			return err
		}
	}
	return taken.limitErr
}

// parsed is samples by Prometheus' parser.
func (p *page) parsed(app storage.AppenderV2, body []byte, contentType string, ts int64, r *report) error {
	parser, err := textparse.New(body, contentType, labels.NewSymbolTable(), p.parse)
	if parser == nil {
		return fmt.Errorf("choose a parser: %w", err)
	}
	taken := taking{page: p, app: app, report: r}
	for line := 0; ; {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return taken.limitErr
		}
		if err != nil {
			return err
		}
		sample := sample{at: ts}
		var text []byte
		var own *int64
		switch entry {
		case textparse.EntrySeries:
			text, own, sample.value = parser.Series()
		case textparse.EntryHistogram:
			text, own, sample.h, sample.fh = parser.Histogram()
		default:
			continue
		}
		if own != nil && p.target.job.HonorTimestamps {
			sample.at, sample.stamped = *own, true
		}
		s, err := p.find(line, text, parser)
		if err != nil {
			r.scraped++
			return err
		}
		line++
		if err := taken.take(s, sample); err != nil {
			return err
		}
	}
}

// taking is a scrape whose samples are being appended.
type taking struct {
	*page
	app      storage.AppenderV2
	report   *report
	appended uint
	limitErr error // that there are more than the job takes
}

// take appends a sample of a series.
func (t *taking) take(s *series, v sample) error {
	t.report.scraped++
	if s.labels.IsEmpty() {
		t.touch(s)
		return nil
	}
	t.report.kept++
	if s.iter == t.iter && !v.stamped {
		return nil // a second value for the same moment is passed over
	}
	if t.appended++; t.target.job.SampleLimit > 0 && t.appended > t.target.job.SampleLimit {
		t.limitErr = errSampleLimit
		return nil
	}
	return t.add(t.app, s, v, t.report)
}

// sample is one value of a series.
type sample struct {
	at      int64
	stamped bool // by the target itself
	value   float64
	h       *histogram.Histogram
	fh      *histogram.FloatHistogram
}

func (p *page) add(app storage.AppenderV2, s *series, v sample, r *report) error {
	ref, err := app.Append(s.ref, s.labels, 0, v.at, v.value, v.h, v.fh, storage.AOptions{})
	if err != nil {
		if isLate(err) {
			return nil
		}
		return err
	}
	if s.iter == 0 {
		r.added++
	}
	s.ref = ref
	p.touch(s)
	if !v.stamped || p.target.job.TrackTimestampsStaleness {
		p.now = append(p.now, s)
	}
	return nil
}

// touch notes that this scrape has the series.
func (p *page) touch(s *series) {
	if s.iter != p.iter {
		s.iter = p.iter
		p.touched++
	}
}

// find is the series that a line's text stands for. Scrapes list their series in
// the same order most of the time, which spares the look-up.
func (p *page) find(line int, text []byte, parser textparse.Parser) (*series, error) {
	if line < len(p.order) && p.order[line].text == string(text) {
		return p.order[line], nil
	}
	s, ok := p.series[string(text)]
	if !ok {
		s = &series{text: string(text)}
		parser.Labels(&s.labels)
		var err error
		if s.labels, err = p.rules.apply(s.labels); err != nil {
			return nil, err
		}
		p.series[s.text] = s
	}
	if line < len(p.order) {
		p.order[line] = s
	} else {
		p.order = append(p.order, s)
	}
	return s, nil
}
