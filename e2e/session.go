package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/stack"
)

// Session is an embedded Prometheus that stays up while many variants of one stack
// are proven on it: those that give Prometheus the same to read. All are asked as
// of the same moment, over data that no longer changes, so what one of them is
// answered holds for the others and is kept. It is safe for concurrent use.
type Session struct {
	opts     Options
	stack    *stack.Stack
	running  env.Env
	instance env.Instance
	idle     func()
	answers  *remembering
	history  time.Duration // how much past was laid down
}

// ErrNotRunnable says that a stack has nothing that could be started.
var ErrNotRunnable = errors.New("the stack's Prometheus cannot be started")

// Runnable says whether a stack has a Prometheus that would start.
func Runnable(s *stack.Stack) bool { return s.Prometheus != nil && !unloadable(s) }

// Begin starts the stack's Prometheus embedded, whatever the options say of the
// environment. The caller closes the session.
func Begin(ctx context.Context, s *stack.Stack, opts Options) (*Session, error) {
	opts.Env = ""
	opts.Asking, opts.Answered = nil, nil // of one run, and not of many at a time
	if !Runnable(s) {
		return nil, ErrNotRunnable
	}
	r := begin(s, opts, "embedded")
	static := r.static()
	running, err := r.start(ctx, static)
	if err != nil {
		return nil, err
	}
	carrier := &http.Transport{MaxIdleConnsPerHost: workers()}
	x := &Session{
		opts: r.Options, stack: s, running: running, instance: running.Instance(), idle: carrier.CloseIdleConnections,
		answers: &remembering{next: carrier, answers: map[string]*remembered{}},
		history: max(min(neededHistory(static), opts.History), min(historyOfAlerts(s), opts.History)),
	}
	x.instance.Transport = x.answers
	return x, nil
}

// Instance is the Prometheus that is up.
func (x *Session) Instance() env.Instance { return x.instance }

// Fits says whether Prometheus would be told the same by a variant of the session's
// stack, so that it can be proven here.
func (x *Session) Fits(s *stack.Stack) bool {
	return s.Prometheus != nil && slices.Equal(told(x.stack), told(s))
}

// told is everything that a Prometheus started for the stack depends on.
func told(s *stack.Stack) []string {
	out := []string{s.Prometheus.File, string(s.Prometheus.Content), s.Prometheus.Service.RoutePrefix(), fmt.Sprint(ownLoopback(s))}
	out = append(out, selfAddresses(s)...)
	for _, own := range exporter.Of(s, nil) {
		out = append(out, fmt.Sprint(own.Name, own.Addresses, own.Silent, own.Setup, own.Refused))
	}
	for _, f := range s.Prometheus.RuleFiles {
		data, err := os.ReadFile(f.Path)
		out = append(out, f.File, string(data), fmt.Sprint(err != nil))
	}
	for _, j := range s.Prometheus.Jobs { // those of discovered files among them
		for _, t := range j.Targets {
			out = append(out, j.Name.Value+" "+t.Address.Value)
		}
	}
	return out
}

// Verify proves a variant of the stack as the function of that name does, on the
// Prometheus that is up. Whether this host has its ports free is not looked at.
func (x *Session) Verify(ctx context.Context, s *stack.Stack) (*Report, error) {
	return x.prove(ctx, s, nil)
}

// Close stops Prometheus.
func (x *Session) Close() error {
	x.idle()
	if err := x.running.Close(); err != nil {
		return fmt.Errorf("stop the %s environment: %w", x.instance.Name, err)
	}
	return nil
}

// remembering answers a request that was made before as it was answered then.
type remembering struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers map[string]*remembered
	run     int // how often Forget was called
}

// remembered is an answer, or the place for one that is being asked for.
type remembered struct {
	once   sync.Once
	used   int // in which run it was last
	status int
	header http.Header
	body   []byte
	err    error
}

// RoundTrip implements http.RoundTripper.
func (m *remembering) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked []byte
	if req.Body != nil {
		var err error
		if asked, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		_ = req.Body.Close() // it was only read
	}
	key := req.Method + " " + req.URL.String() + "\n" + string(asked)
	m.mu.Lock()
	a := m.answers[key]
	if a == nil {
		a = &remembered{}
		m.answers[key] = a
	}
	a.used = m.run
	m.mu.Unlock()
	a.once.Do(func() { a.ask(m.next, req, asked) })
	if a.err != nil {
		m.forget(key, a)
		return nil, a.err
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: maps.Clone(a.header), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req,
	}, nil
}

// forget drops an answer that did not come, so that it is asked for anew.
func (m *remembering) forget(key string, a *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers[key] == a {
		delete(m.answers, key)
	}
}

// age drops the answers that none of the last runs has used, and begins another run.
func (m *remembering) age(runs int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.answers, func(_ string, a *remembered) bool { return m.run-a.used >= runs })
	m.run++
}

// mostRemembered is how much of an answer is read.
const mostRemembered = 256 << 20

func (a *remembered) ask(next http.RoundTripper, req *http.Request, body []byte) {
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := next.RoundTrip(again)
	if err != nil {
		a.err = err
		return
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = env.ReadAtMost(resp.Body, mostRemembered)
}
