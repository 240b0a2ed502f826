package embedded

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// dial connects a scrape to whoever answers at the address.
func (b *switchboard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l, err := b.pick(address)
	if err != nil {
		return nil, err
	}
	if l.handler == nil {
		return b.dialLive(ctx, network, address)
	}
	switch out := b.outage(l); {
	case out.Refused:
		return nil, &refusedError{address}
	case out.Lost:
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.ended:
			return nil, errClosed
		}
	}
	return l.server.dial(ctx)
}

// outage is what keeps from reaching a fake now, as long as outages are acted out.
func (b *switchboard) outage(l *line) fakes.Outage {
	if l.fake == nil || !b.outages.Load() {
		return fakes.Outage{}
	}
	return b.world.Outage(l.fake.Name(), b.now())
}

// reached is what answers on a line once a connection stands, which may be from
// before an outage.
func (b *switchboard) reached(l *line) http.Handler {
	if l.fake == nil {
		return l.handler
	}
	behind := b.world.Behind(l.fake.Name(), l.handler, b.now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.outages.Load() {
			behind.ServeHTTP(w, r)
			return
		}
		l.handler.ServeHTTP(w, r)
	})
}

// refusedError is what dialling an exporter fails with that does not listen, in the
// words of the network.
type refusedError struct{ address string }

// Error implements error.
func (e *refusedError) Error() string {
	return "dial tcp " + e.address + ": connect: connection refused"
}

// Unwrap makes it known for what it is.
func (e *refusedError) Unwrap() error { return syscall.ECONNREFUSED }

// pick finds who is at the other end of an address, its server in memory running
// unless it is live.
func (b *switchboard) pick(address string) (*line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	l, known := b.lines[address]
	if !known { // discovered since the start
		var err error
		if l, err = b.connect(address); err != nil {
			return nil, err
		}
		b.lines[address] = l
	}
	switch {
	case l == nil:
		return nil, &unansweredError{address}
	case l.handler != nil && l.server == nil:
		var err error
		if l.server, err = newMemoryServer(b.reached(l), l.tls, &b.serving); err != nil {
			return nil, fmt.Errorf("serve %s at %s: %w", l.name, address, err)
		}
	}
	return l, nil
}

// dialLive dials the network, for targets that the user declared live.
func (b *switchboard) dialLive(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errors.Join(errClosed, conn.Close())
	}
	b.conns[conn] = struct{}{}
	return &liveConn{Conn: conn, board: b}, nil
}

// dialLoopback is for discovery by HTTP: it may ask this machine and no other.
func (b *switchboard) dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("discovery address %q: %w", address, err)
	}
	if !isLoopback(host) {
		return nil, &unansweredError{address}
	}
	return b.dialLive(ctx, network, address)
}

// hangUp ends all scrapes under way and lets no other begin.
func (b *switchboard) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		close(b.ended)
	}
	b.closed = true
	for c := range b.conns {
		_ = c.Close() // a scrape is broken off on purpose, its error is of no interest
	}
	for _, l := range b.lines {
		if l != nil && l.server != nil {
			l.server.close()
		}
	}
}

// Close hangs up and waits for the servers to end.
func (b *switchboard) Close() error {
	b.hangUp()
	b.serving.Wait()
	return nil
}

// liveConn is a connection that hangUp can break.
type liveConn struct {
	net.Conn
	board *switchboard
}

// Close implements net.Conn.
func (c *liveConn) Close() error {
	c.board.mu.Lock()
	delete(c.board.conns, c.Conn)
	c.board.mu.Unlock()
	return c.Conn.Close()
}

// memoryServer serves HTTP over pipes in memory: no port is taken, so that no
// port can be taken already.
type memoryServer struct {
	calls chan net.Conn
	done  chan struct{}
	once  sync.Once
	http  *http.Server
}

func newMemoryServer(h http.Handler, secure bool, wg *sync.WaitGroup) (*memoryServer, error) {
	s := &memoryServer{
		calls: make(chan net.Conn),
		done:  make(chan struct{}),
		http:  &http.Server{Handler: h, ReadHeaderTimeout: time.Minute},
	}
	var l net.Listener = s
	if secure {
		cert, err := ephemeralCertificate()
		if err != nil {
			return nil, err
		}
		l = tls.NewListener(s, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	}
	wg.Go(func() { _ = s.http.Serve(l) }) // always ends with ErrServerClosed or net.ErrClosed
	return s, nil
}

func (s *memoryServer) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case s.calls <- server:
		return client, nil
	case <-s.done:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *memoryServer) close() { _ = s.http.Close() } // closes the listener, which is s

// Accept implements net.Listener.
func (s *memoryServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.calls:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *memoryServer) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

// Addr implements net.Listener.
func (s *memoryServer) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

// Network implements net.Addr.
func (memoryAddr) Network() string { return "memory" }

// String implements net.Addr.
func (memoryAddr) String() string { return "memory" }

// ephemeralCertificate is what a fake scraped by https shows. The scrape does
// not verify it: no certificate authority of the stack's could have signed it.
func ephemeralCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("generate a key: %w", err)
	}
	now := time.Now()
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
