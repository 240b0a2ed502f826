package plan

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/loopback"
)

// shutdownTime is how long requests being answered have to end when serving ends.
const shutdownTime = 3 * time.Second

// readTime is how long a client has to send its request.
const readTime = 10 * time.Second

// Server is a plan whose listeners are open: connections are taken from now on, and answered once Serve runs.
type Server struct {
	listeners []net.Listener
	services  []service // one a listener
}

// service answers the connections of a listener until ctx ends, and closes it.
type service interface {
	serve(ctx context.Context, listener net.Listener) error
}

// Open adds the plan's addresses and opens all its listeners; where one fails none stays open. What goes wrong with single
// connections later on is written to errorLog, which may be nil.
func Open(ctx context.Context, p *Plan, errorLog *log.Logger) (*Server, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	world, err := p.world()
	if err != nil {
		return nil, err
	}
	if err := p.addAddresses(ctx); err != nil {
		return nil, err
	}
	if errorLog == nil {
		errorLog = log.New(io.Discard, "", 0)
	}
	s := &Server{}
	for _, l := range p.Listeners {
		if err := s.open(ctx, l, world, errorLog); err != nil {
			return nil, errors.Join(fmt.Errorf("serve %s: %w", l.Name(), err), s.Close())
		}
	}
	return s, nil
}

func (p *Plan) addAddresses(ctx context.Context) error {
	for _, text := range p.Addresses {
		addr, err := parseAddress(text)
		if err != nil {
			return err
		}
		if err := loopback.Add(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) open(ctx context.Context, l Listener, world *fakes.World, errorLog *log.Logger) error {
	service, err := newService(l, world, errorLog)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", l.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port taken: something listens on %s already (%w)", l.Listen, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("no interface here has the address of %s; the plan's addresses can name it (%w)", l.Listen, syscall.EADDRNOTAVAIL)
	case err != nil:
		return err
	}
	s.listeners = append(s.listeners, listener)
	s.services = append(s.services, service)
	return nil
}

func newService(l Listener, world *fakes.World, errorLog *log.Logger) (service, error) {
	if l.Forward != "" {
		return &forwarder{to: l.Forward, errorLog: errorLog}, nil
	}
	handler, err := newRouter(l, world)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readTime, ErrorLog: errorLog}
	if l.Certificate != "" {
		pair, err := l.keyPair()
		if err != nil {
			return nil, err
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	return &webService{server: server}, nil
}

// Name is what a listener stands in for, in a word: its exporters, or "forward".
func (l Listener) Name() string {
	if l.Forward != "" {
		return "forward"
	}
	var names []string
	seen := map[string]bool{}
	for _, r := range l.Routes {
		if !seen[r.Exporter] {
			names = append(names, r.Exporter)
		}
		seen[r.Exporter] = true
	}
	return strings.Join(names, ",")
}

// Addresses are where the plan's listeners listen, in their order: what became of port 0 is seen here.
func (s *Server) Addresses() []net.Addr {
	var addresses []net.Addr
	for _, l := range s.listeners {
		addresses = append(addresses, l.Addr())
	}
	return addresses
}

// Close closes the listeners of a server that is not served.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Serve answers until ctx ends, which is no error, or until a listener fails; all are closed then. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, l := range s.listeners {
		group.Go(func() error {
			if err := s.services[i].serve(ctx, l); err != nil {
				return fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// webService serves HTTP.
type webService struct {
	server *http.Server
}

// serve lets the requests being answered end once ctx has ended, and cuts off those that do not.
func (s *webService) serve(ctx context.Context, listener net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		err := s.server.Shutdown(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.server.Close()
		}
		stopped <- err
	})
	run := s.server.Serve
	if s.server.TLSConfig != nil {
		run = func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
	}
	if err := run(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return errors.Join(err, s.server.Close())
	}
	return <-stopped
}
