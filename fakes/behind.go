package fakes

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Behind is an exporter's HTTP side as the world lets it be reached: while the exporter, by its name, refuses connections they are
// broken off, while its machine is lost requests wait until their client gives up, and a slow answer is held back. now says when a
// request comes. An answer holds what was so when it was asked for, however late it is.
func (w *World) Behind(exporter string, h http.Handler, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		out := w.Outage(exporter, now())
		switch {
		case out.Lost:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case out.Refused:
			breakOff(rw)
		case out.Delay > 0:
			late := &heldBack{header: http.Header{}, status: http.StatusOK}
			h.ServeHTTP(late, r)
			timer := time.NewTimer(out.Delay)
			defer timer.Stop()
			select {
			case <-timer.C:
				late.send(rw)
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		default:
			h.ServeHTTP(rw, r)
		}
	})
}

// breakOff resets the connection: who answers by HTTP has taken it already and can refuse it no more.
func breakOff(rw http.ResponseWriter) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil { // HTTP/2 has many requests on a connection
		panic(http.ErrAbortHandler)
	}
	inner := conn
	if secure, ok := conn.(*tls.Conn); ok {
		inner = secure.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it would be closed in good order, which does as well
	}
	_ = inner.Close() // it is to be broken
}

// heldBack is an answer that is not sent yet.
type heldBack struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *heldBack) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *heldBack) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *heldBack) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *heldBack) send(rw http.ResponseWriter) {
	for name, values := range a.header {
		rw.Header()[name] = values
	}
	rw.WriteHeader(a.status)
	_, _ = rw.Write(a.body.Bytes()) // the scraper went away: nobody is left to tell
}
