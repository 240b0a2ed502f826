package env

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Silence takes down which question was waited for longest and given up before there was
// an answer. The zero Silence is ready to use.
type Silence struct {
	mu      sync.Mutex
	longest *UnansweredError
}

// Through is a way to a server, called server, on which unanswered questions are noted.
func (s *Silence) Through(server string, way *http.Transport) *Listening {
	return &Listening{silence: s, server: server, way: way}
}

// Longest is the question that was waited for longest, nil for none.
func (s *Silence) Longest() *UnansweredError {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.longest
}

func (s *Silence) note(e *UnansweredError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.longest == nil || e.Waited > s.longest.Waited {
		s.longest = e
	}
}

// Listening is a http.RoundTripper.
type Listening struct {
	silence *Silence
	server  string
	way     *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (l *Listening) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := l.way.RoundTrip(req)
	if cut := req.Context().Err(); err != nil && cut != nil {
		l.silence.note(&UnansweredError{Server: l.server, Asked: req.Method + " " + req.URL.Path, Waited: time.Since(began),
			Bounded: errors.Is(cut, context.DeadlineExceeded)})
	}
	return resp, err
}

// CloseIdleConnections ends the connections that are kept for the next request.
func (l *Listening) CloseIdleConnections() { l.way.CloseIdleConnections() }
