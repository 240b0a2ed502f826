package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// Exit codes.
const (
	exitOK       = 0
	exitUsage    = 2
	exitCannotDo = 3
)

// shutdownTime is how long requests being answered have to end when the program is told to stop.
const shutdownTime = 3 * time.Second

// readTime is how long a client has to send its request.
const readTime = 10 * time.Second

// run does what the command line says until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, errHelp):
		_, _ = fmt.Fprint(stdout, help())
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "fakes: %v\nRun fakes --help for how it is used.\n", err)
		return exitUsage
	}
	if err := serve(ctx, o, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "fakes: %v\n", err)
		return exitCannotDo
	}
	return exitOK
}

// serve opens every listener before it serves from any, so that a port that is taken leaves nothing half started.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	world := fakes.NewWorld(o.scenario, time.Now())
	servers := make([]*http.Server, len(o.listen))
	for i, e := range o.listen {
		exporter, err := standard.ByName(e.exporter, o.machine, world)
		if err != nil {
			return err
		}
		servers[i] = &http.Server{Handler: exporter.Handler(time.Now), ReadHeaderTimeout: readTime}
	}
	listeners, err := listenAll(ctx, o.listen)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, e := range o.listen {
		group.Go(func() error { return serveOne(ctx, servers[i], listeners[i]) })
		_, _ = fmt.Fprintf(stdout, "%-6s  http://%s/metrics  scenario %s\n", e.exporter, reachable(listeners[i].Addr()), o.scenario.Name())
	}
	return group.Wait()
}

func listenAll(ctx context.Context, endpoints []endpoint) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, e := range endpoints {
		listener, err := listen(ctx, e)
		if err != nil {
			for _, open := range listeners {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func listen(ctx context.Context, e endpoint) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", e.address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("serve %s: port taken: something listens on %s already; end it, or choose another address with --listen", e.exporter, e.address)
	}
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", e.exporter, err)
	}
	return listener, nil
}

// serveOne serves until ctx ends, then lets the requests being answered end.
func serveOne(ctx context.Context, server *http.Server, listener net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("shut down %s: %w", listener.Addr(), err)
	}
	return nil
}

// reachable is an address that a person can open: an unspecified host becomes localhost.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
}
