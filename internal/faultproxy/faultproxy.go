// Package faultproxy stands between panelgate and a real server in tests and does
// to its answers what networks, proxies and dying servers do: it breaks them off,
// delays them, cuts them short or puts something else in their place.
package faultproxy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Fault answers a request in the server's place. real answers it as it should be.
type Fault func(w http.ResponseWriter, r *http.Request, real http.Handler)

// Proxy passes requests on to a server, but those that it is told to spoil.
type Proxy struct {
	URL string

	mu    sync.Mutex
	seen  []Request
	stage string
	fault Fault
}

// Request is one that the proxy saw.
type Request struct {
	Method, Path, Authorization string
	Spoilt                      bool
}

// New is a proxy before the server at a base url, for as long as the test runs.
func New(t *testing.T, base string) *Proxy {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	way := &http.Transport{DisableCompression: true}
	p := &Proxy{}
	real := &httputil.ReverseProxy{Transport: way, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := p.meet(r); fault != nil {
			fault(w, r, real)
			return
		}
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		way.CloseIdleConnections()
	})
	p.URL = server.URL
	return p
}

// Spoil has each request whose path ends in stage meet with the fault, from now on. What
// was seen so far is forgotten.
func (p *Proxy) Spoil(stage string, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.stage, p.fault = nil, stage, fault
}

// Seen are the requests since the last Spoil.
func (p *Proxy) Seen() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.seen...)
}

// Met says whether a request has met the fault since the last Spoil.
func (p *Proxy) Met() bool {
	return slices.ContainsFunc(p.Seen(), func(r Request) bool { return r.Spoilt })
}

func (p *Proxy) meet(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := Request{Method: r.Method, Path: r.URL.Path, Authorization: r.Header.Get("Authorization")}
	seen.Spoilt = p.fault != nil && strings.HasSuffix(r.URL.Path, p.stage)
	p.seen = append(p.seen, seen)
	if !seen.Spoilt {
		return nil
	}
	return p.fault
}

// Once is a fault that the first request alone meets with.
func Once(fault Fault) Fault {
	var once sync.Once
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		first := false
		once.Do(func() { first = true })
		if first {
			fault(w, r, real)
			return
		}
		real.ServeHTTP(w, r)
	}
}

// From is a fault that every request meets with from the n-th on, counted from 1: a server
// that fails in the middle.
func From(n int64, fault Fault) Fault {
	var met atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if met.Add(1) >= n {
			fault(w, r, real)
			return
		}
		real.ServeHTTP(w, r)
	}
}

// Edited answers with what change makes of the real answer, and a status of 200.
func Edited(change func(body []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(change(answerOf(r, real)))
	}
}

// Reset breaks the connection before there is an answer.
func Reset(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// Hang does not answer for as long as anybody waits.
func Hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the other side goes
	<-r.Context().Done()
}

// Trickle begins an answer and does not come to its end.
func Trickle(w http.ResponseWriter, r *http.Request, real http.Handler) {
	_, _ = io.WriteString(w, `{"status":`)
	_ = http.NewResponseController(w).Flush()
	Hang(w, r, real)
}

// Says answers with a status and a body of its own, and headers given in pairs.
func Says(status int, body string, headers ...string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Half promises the whole answer and sends half of it.
func Half(w http.ResponseWriter, r *http.Request, real http.Handler) {
	whole := answerOf(r, real)
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	_, _ = w.Write(whole[:len(whole)/2])
	panic(http.ErrAbortHandler)
}

// Cut sends half of the answer as though it were the whole.
func Cut(w http.ResponseWriter, r *http.Request, real http.Handler) {
	whole := answerOf(r, real)
	_, _ = w.Write(whole[:len(whole)/2])
}

// Adds puts members, with a comma at their end, before those of the answer's object.
func Adds(members string) Fault {
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(bytes.Replace(answerOf(r, real), []byte("{"), []byte("{"+members), 1))
	}
}

// answerOf is the real answer, unpacked.
func answerOf(r *http.Request, real http.Handler) []byte {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	kept := httptest.NewRecorder()
	real.ServeHTTP(kept, plain)
	return kept.Body.Bytes()
}
