package attach

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
)

// watched notes which questions a server leaves unanswered, or answers as no server does
// that is well. Whoever asked need not tell its failing from that of a dashboard: what
// has failed and was not answered later makes no verdict.
type watched struct {
	base   http.RoundTripper
	server server
	book   *book
}

// book holds what the servers have failed at.
type book struct {
	mu       sync.Mutex
	failures map[string]failure // by the question
	healthy  map[string]bool    // the datasources, by uid, of which Grafana says so
	silent   []*silence
}

// failure is a question that was not answered.
type failure struct {
	at  time.Time
	uid string // of the datasource behind Grafana that fails, "" where the server itself does
	err error
}

// silence is a question that was given up before there was an answer.
type silence struct {
	at      server
	uid     string // of the datasource behind Grafana, "" for none
	asked   string
	waited  time.Duration
	bounded bool // and not broken off
}

// RoundTrip implements http.RoundTripper.
func (w *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	asked, err := question(req)
	if err != nil {
		return refuse(req, err)
	}
	began := time.Now()
	resp, err := w.base.RoundTrip(req)
	switch {
	case err != nil && req.Context().Err() != nil:
		w.book.gaveUp(&silence{w.server, asked.datasource(), w.server.named(req), time.Since(began), errors.Is(req.Context().Err(), context.DeadlineExceeded)})
		return nil, err
	case err != nil && (env.Shortage(err) || asked.optional() && errors.As(err, new(*redirectError))):
		return nil, err // it is this machine that fails, or a server that has no such page
	case err != nil:
		w.book.fail(asked.key(), failure{began, "", w.told(req, err)})
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	w.judge(asked, resp, body, began)
	return resp, nil
}

// judge notes what an answer is, if it is none.
func (w *watched) judge(asked asked, resp *http.Response, body []byte, began time.Time) {
	uid, err := asked.failed(resp, body)
	if err != nil {
		w.book.fail(asked.key(), failure{began, uid, w.told(asked.req, err)})
		return
	}
	w.book.answered(asked.key(), asked.checked(body))
}

// told says who has failed, and at what.
func (w *watched) told(req *http.Request, err error) error {
	out := fmt.Errorf("%s at %s: %s: %w", w.server.title, w.server.base, w.server.named(req), bare(err))
	if fix := w.server.remedy(err); fix != "" && statusOf(err)/100 != 5 {
		out = fmt.Errorf("%w: %s", out, fix)
	}
	return out
}

// named is a request as errors speak of it.
func (s server) named(req *http.Request) string {
	return req.Method + " " + strings.TrimPrefix(req.URL.Path, strings.TrimRight(pathOf(s.base), "/"))
}

func (b *book) fail(key string, f failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == nil {
		b.failures = map[string]failure{}
	}
	b.failures[key] = f
}

// answered takes back what has failed before; healthy is the datasource of which the
// answer says that it is, "" for none.
func (b *book) answered(key, healthy string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failures, key)
	if healthy == "" {
		return
	}
	if b.healthy == nil {
		b.healthy = map[string]bool{}
	}
	b.healthy[healthy] = true
}

func (b *book) gaveUp(s *silence) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = append(b.silent, s)
}

// first is the earliest failure. That a datasource fails which never was healthy is for
// the rules to say.
func (b *book) first() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []failure
	for _, f := range b.failures {
		if f.uid == "" || b.healthy[f.uid] {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(x, y failure) int { return x.at.Compare(y.at) }).err
}

func (b *book) isHealthy(uid string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.healthy[uid]
}

// longest is the question that was waited for longest, nil where none was given up.
func (b *book) longest() *silence {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.silent) == 0 {
		return nil
	}
	return slices.MaxFunc(b.silent, func(x, y *silence) int { return cmp.Compare(x.waited, y.waited) })
}

// unanswered says of a run that is cut short who has not answered what. Of questions that
// were just put it does not speak.
func (e *Env) unanswered() error {
	const notable = 200 * time.Millisecond
	s := e.book.longest()
	if s == nil || s.waited < notable {
		return nil
	}
	return &env.UnansweredError{Server: s.at.title + " at " + s.at.base, Asked: s.asked, Waited: s.waited}
}

// failed implements what env.Instance says of Failed. A server that takes longer over a
// question than a browser waits may be busy with that question alone: it is asked whether
// it is there.
func (e *Env) failed(ctx context.Context) error {
	if err := e.book.first(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return e.unanswered()
	}
	s := e.book.longest()
	if s == nil || !s.bounded || s.uid != "" && !e.book.isHealthy(s.uid) {
		return nil
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%w within %s", errNoAnswer, patience))
	defer cancel()
	base := s.at.base
	if s.uid != "" {
		base = proxied(base, s.uid)
	}
	err := probe(ctx, &e.servers, base)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%s at %s: %s was not answered in %s, and nothing is any more: %w", s.at.title, s.at.base, s.asked, s.waited.Round(time.Second), bare(err))
}

// asked is a question to a server.
type asked struct {
	req  *http.Request
	body []byte
}

// question reads what a request asks, which is left as it was.
func question(req *http.Request) (asked, error) {
	out := asked{req: req}
	if req.GetBody == nil {
		return out, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return out, fmt.Errorf("read the question: %w", err)
	}
	out.body, err = io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return out, fmt.Errorf("read the question: %w", err)
	}
	return out, nil
}

func (a asked) key() string {
	return a.req.Method + " " + a.req.URL.String() + "\n" + string(a.body)
}

// checked is the datasource of which Grafana says that it is healthy, "" where it does
// not speak of one.
func (a asked) checked(body []byte) string {
	uid, ok := strings.CutSuffix(a.after("/api/datasources/uid/"), "/health")
	var said struct{ Status string }
	if !ok || json.Unmarshal(body, &said) != nil || said.Status != "OK" {
		return ""
	}
	return uid
}

// after is what a path has after some other, "" where that is not in it.
func (a asked) after(prefix string) string {
	_, rest, _ := strings.Cut(a.req.URL.Path, prefix)
	return rest
}

// proxied is the datasource that is asked through Grafana, "" for none.
func (a asked) proxied() string {
	uid, _, _ := strings.Cut(a.after("/api/datasources/proxy/uid/"), "/")
	return uid
}

// datasource is the one behind Grafana that is asked, "" for none. Of several it is the first.
func (a asked) datasource() string {
	if uid := a.proxied(); uid != "" || !a.isGrafanaQuery() {
		return uid
	}
	queries, err := a.queries()
	if err != nil || len(queries) == 0 {
		return ""
	}
	return queries[0].Datasource.UID
}

// panelQuery is one of those that a panel puts to Grafana.
type panelQuery struct {
	RefID      string
	Datasource struct{ UID string }
}

func (a asked) queries() ([]panelQuery, error) {
	var wanted struct{ Queries []panelQuery }
	if err := json.Unmarshal(a.body, &wanted); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	return wanted.Queries, nil
}
