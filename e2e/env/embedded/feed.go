package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/storage"

	"github.com/panelgate/panelgate/fakes"
)

// feed scrapes one target in the past. It goes to the fake's own HTTP handler,
// without the network, so that a wrong path or parameter has the same result
// then as now; what the answer becomes is page's concern.
type feed struct {
	target   *target
	store    storage.AppendableV2
	page     *page
	reports  *reports
	interval time.Duration
	timeout  time.Duration

	handler   http.Handler // nil where nobody answers
	outage    func(at time.Time) fakes.Outage
	request   *http.Request
	answer    answer
	at        time.Time // what the fake takes for the present
	bodyLimit int64
	forced    error // fails every scrape
}

// newFeed makes the feed of a target; active is how many targets its job has.
func newFeed(t *target, s storage.AppendableV2, w *fakes.World, active int) (*feed, error) {
	f := &feed{target: t, store: s, page: newPage(t), reports: newReports(t), bodyLimit: int64(t.job.BodySizeLimit),
		forced: t.unreachable}
	for label, d := range map[string]*time.Duration{
		model.ScrapeIntervalLabel: &f.interval,
		model.ScrapeTimeoutLabel:  &f.timeout,
	} {
		parsed, err := model.ParseDuration(t.scrape.GetValue(label))
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", label, t.scrape.URL(), err)
		}
		*d = time.Duration(parsed)
	}
	if limit := int(t.job.TargetLimit); limit > 0 && active > limit {
		f.forced = fmt.Errorf("target_limit exceeded (number of targets: %d, limit: %d)", active, limit)
	}
	if t.line != nil {
		f.handler = t.line.fake.Handler(func() time.Time { return f.at })
		f.outage = func(at time.Time) fakes.Outage { return w.Outage(t.line.fake.Name(), at) }
	}
	var err error
	if f.request, err = http.NewRequestWithContext(context.Background(), http.MethodGet, t.scrape.URL().String(), http.NoBody); err != nil {
		return nil, fmt.Errorf("make the request of a scrape: %w", err)
	}
	f.request.Header.Set("Accept", accept(t.job.ScrapeProtocols))
	if t.job.HTTPClientConfig.HTTPHeaders != nil {
		for name, h := range t.job.HTTPClientConfig.HTTPHeaders.Headers {
			addHeaders(f.request.Header, name, h)
		}
	}
	return f, nil
}

func addHeaders(to http.Header, name string, h config_util.Header) {
	for _, v := range h.Values {
		to.Add(name, v)
	}
}

// accept asks for the formats in the job's order of preference.
func accept(protocols []config.ScrapeProtocol) string {
	var out []string
	for i, p := range protocols {
		out = append(out, fmt.Sprintf("%s;q=0.%d", config.ScrapeProtocolsHeaders[p], len(protocols)+1-i))
	}
	return strings.Join(append(out, "*/*;q=0.1"), ",")
}

var (
	errBodySize = errors.New("body size limit exceeded")
	errStatus   = errors.New("server did not return HTTP status 200")
)

// scrape does what a scrape at that time would have done.
func (f *feed) scrape(ctx context.Context, at time.Time) error {
	begin := time.Now()
	r := report{timeout: f.timeout}
	scrapeErr := f.ask(at, &r)
	ts := timestamp.FromTime(at)
	app := f.store.AppenderV2(ctx)
	if scrapeErr == nil {
		scrapeErr = f.page.append(app, f.answer.body, f.answer.header.Get("Content-Type"), ts, &r)
		if scrapeErr != nil {
			if err := app.Rollback(); err != nil {
				return fmt.Errorf("roll back a scrape: %w", err)
			}
			app = f.store.AppenderV2(ctx)
		}
	}
	if scrapeErr != nil { // the series end here
		if err := f.page.end(app, ts); err != nil {
			return errors.Join(fmt.Errorf("mark series as stale: %w", err), app.Rollback())
		}
	} else {
		r.up = 1
		f.target.past++
	}
	r.duration += time.Since(begin)
	if err := f.reports.append(app, ts, r); err != nil {
		return errors.Join(fmt.Errorf("report a scrape: %w", err), app.Rollback())
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("write a scrape: %w", err)
	}
	return nil
}

// ask gets the target's answer as of a time.
func (f *feed) ask(at time.Time, r *report) error {
	switch {
	case f.forced != nil:
		return f.forced
	case f.handler == nil:
		return &unansweredError{f.target.address}
	}
	if err := f.reach(at, r); err != nil {
		return err
	}
	f.at = at
	f.answer.reset()
	f.handler.ServeHTTP(&f.answer, f.request)
	if f.answer.status != http.StatusOK {
		return errStatus
	}
	r.bytes = len(f.answer.body)
	if f.bodyLimit > 0 && int64(r.bytes) >= f.bodyLimit {
		r.bytes = -1
		return errBodySize
	}
	return nil
}

// reach comes to the target as far as the outages of a time let it, and takes down
// how long that takes.
func (f *feed) reach(at time.Time, r *report) error {
	out := f.outage(at)
	switch {
	case out.Refused:
		return &refusedError{f.target.address}
	case out.Lost, out.Delay >= f.timeout:
		r.duration = f.timeout
		return fmt.Errorf("get %q: %w", f.target.scrape.URL().String(), context.DeadlineExceeded)
	}
	r.duration = out.Delay
	return nil
}

// answer is a response kept in memory, to be used again.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) reset() {
	if a.header == nil {
		a.header = http.Header{}
	}
	clear(a.header)
	a.status, a.body = http.StatusOK, a.body[:0]
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}
