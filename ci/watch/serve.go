package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/ci/report"
)

// Server shows the last run on loopback: its page, which reloads itself at each run,
// and its JSON.
type Server struct {
	page     func(io.Writer, *report.Document) error
	listener net.Listener
	server   *http.Server
	served   chan error
	closing  chan struct{}

	mu       sync.Mutex
	document *report.Document // nil before the first run
	run      int
	next     chan struct{} // closed at the next run
}

// ErrNotLoopback says that an address is not this machine's own: what is in a stack is
// not for the network.
var ErrNotLoopback = errors.New("not an address of loopback")

// Listen serves at an address of loopback, host:port, whose port 0 is any that is free.
// page writes a document as HTML that reloads when the event source "events" tells of a
// message.
func Listen(ctx context.Context, addr string, page func(io.Writer, *report.Document) error) (*Server, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen at %q: %w", addr, err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("listen at %q: %w", addr, ErrNotLoopback)
	}
	if host == "localhost" { // whatever the resolver makes of it
		host = "127.0.0.1"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("serve the report: %w", err)
	}
	s := &Server{page: page, listener: l, served: make(chan error, 1), closing: make(chan struct{}), next: make(chan struct{})}
	s.server = &http.Server{
		Handler: s.handler(),
		// No ReadTimeout: it would end whoever listens for events.
		ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
	}
	s.server.RegisterOnShutdown(func() { close(s.closing) })
	go func() { s.served <- s.server.Serve(l) }()
	return s, nil
}

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" }

// Publish shows another run.
func (s *Server) Publish(d *report.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document = d
	s.run++
	close(s.next)
	s.next = make(chan struct{})
}

// Close stops serving. Who listens for events is sent away, who is being answered is
// waited for a little.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stop serving the report: %w", err)
	}
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /report.json", s.serveJSON)
	mux.HandleFunc("GET /events", s.serveEvents)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// A page elsewhere may have its own name lead here, and would then read what is
		// served as if it were its own.
		if !isLoopback(hostOf(r.Host)) {
			http.Error(w, "this is served to loopback alone", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// latest is the last run, its number, and what tells of the next one.
func (s *Server) latest() (*report.Document, int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.document, s.run, s.next
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	d, run, _ := s.latest()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if d == nil {
		w.Header().Set("Refresh", "1")
		_, _ = io.WriteString(w, "<!doctype html><title>panelgate</title><p>The first run is under way.\n") // the client may be gone
		return
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: strconv.Itoa(run), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	s.write(w, d, s.page)
}

func (s *Server) serveJSON(w http.ResponseWriter, _ *http.Request) {
	d, _, _ := s.latest()
	if d == nil {
		http.Error(w, "the first run is under way", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, d, report.JSON)
}

// write writes a report. A client that is gone gets none; a report that fails is cut
// off where it does, so that nobody takes it for whole.
func (s *Server) write(w http.ResponseWriter, d *report.Document, as func(io.Writer, *report.Document) error) {
	if err := as(w, d); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// cookie is under what the browser keeps which run its page shows. Cookies are shared by
// all ports of a host.
func (s *Server) cookie() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String()) // a TCP address has one
	return "panelgate-" + port
}

// seen is the run that a client knows, "" for none: a run between the page and the
// listening for events, or while the connection was lost, is not to be missed.
func (s *Server) seen(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	if c, err := r.Cookie(s.cookie()); err == nil {
		return c.Value
	}
	return ""
}

// heartbeat is how often a word is sent where there is nothing to tell, so that a
// client that is gone is noticed.
const heartbeat = 15 * time.Second

func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	to := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	send := func(text string) bool {
		if err := to.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil {
			return false
		}
		if _, err := io.WriteString(w, text); err != nil {
			return false
		}
		return to.Flush() == nil
	}
	_, run, next := s.latest()
	if seen := s.seen(r); seen != "" && seen != strconv.Itoa(run) {
		if !send(fmt.Sprintf("id: %d\ndata: run\n\n", run)) {
			return
		}
	} else if !send(": watching\n\n") {
		return
	}
	for {
		var text string
		select {
		case <-r.Context().Done():
			return
		case <-s.closing:
			return
		case <-beat.C:
			text = ": still watching\n\n"
		case <-next:
			_, run, next = s.latest()
			text = fmt.Sprintf("id: %d\ndata: run\n\n", run)
		}
		if !send(text) {
			return
		}
	}
}
