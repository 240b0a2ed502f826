package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/panelgate/panelgate/fakes/beside"
	"github.com/panelgate/panelgate/fakes/plan"
)

// Exit codes.
const (
	exitOK       = 0
	exitUsage    = 2
	exitCannotDo = 3
)

// run does what the command line says until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(ctx, args, stdin)
	switch {
	case errors.Is(err, errHelp):
		_, _ = fmt.Fprint(stdout, help())
		return exitOK
	case errors.Is(err, context.Canceled): // a signal, before there was anything to serve
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "fakes: %v\nRun fakes --help for how it is used.\n", err)
		return exitUsage
	}
	do := serve
	switch {
	case o.listen != "":
		do = supervise
	case o.unpack != "":
		do = unpack
	}
	if err := do(ctx, o, stdout, stderr); err != nil {
		_, _ = fmt.Fprintf(stderr, "fakes: %v\n", err)
		return exitCannotDo
	}
	return exitOK
}

// serve opens every listener before it serves from any, so that a port that is taken leaves nothing half started.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) error {
	server, err := plan.Open(ctx, o.plan, log.New(stderr, "fakes: ", 0))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; %s", err, o.remedy)
	}
	if err != nil {
		return err
	}
	var lines strings.Builder
	for i, addr := range server.Addresses() {
		lines.WriteString(line(o.plan, i, addr))
	}
	if o.ready {
		lines.WriteString("ready\n")
	}
	_, _ = io.WriteString(stdout, lines.String())
	return server.Serve(ctx)
}

// supervise runs a container's program until ctx ends.
func supervise(ctx context.Context, o options, _, _ io.Writer) error {
	token := os.Getenv(beside.TokenVariable)
	if err := os.Unsetenv(beside.TokenVariable); err != nil { // nobody whom we start is to have it
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; %s", err, o.remedy)
	}
	if err != nil {
		return err
	}
	return beside.Serve(ctx, listener, beside.Options{Token: token, HostsFile: o.hosts, Root: "/"})
}

// unpack puts the files of an archive into place.
func unpack(_ context.Context, o options, _, _ io.Writer) error {
	f, err := os.Open(o.unpack)
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return beside.Unpack(f, o.into)
}

// line tells of one listener.
func line(p *plan.Plan, i int, addr net.Addr) string {
	l := p.Listeners[i]
	scheme := "http"
	if l.Certificate != "" {
		scheme = "https"
	}
	if l.Forward != "" {
		return fmt.Sprintf("%-6s  %s to %s\n", l.Name(), reachable(addr), l.Forward)
	}
	return fmt.Sprintf("%-6s  %s://%s/metrics  scenario %s\n", l.Name(), scheme, reachable(addr), p.ScenarioName)
}

// reachable is an address that a person can open: an unspecified host becomes localhost.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
}

// standardInput is the name that means standard input in place of a file.
const standardInput = "-"

// readPlan reads a plan until its end or that of ctx, whichever comes first: a standard input that nobody closes must not keep a
// signal from ending the program. The read is then left behind, as nothing can end it but the program's own end.
func readPlan(ctx context.Context, file string, stdin io.Reader) (*plan.Plan, error) {
	if file != standardInput {
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the plan: %w", err)
		}
		defer func() { _ = opened.Close() }() // it was only read
		return plan.Read(file, opened)
	}
	type result struct {
		plan *plan.Plan
		err  error
	}
	done := make(chan result, 1)
	go func() {
		p, err := plan.Read("standard input", stdin)
		done <- result{p, err}
	}()
	select {
	case r := <-done:
		return r.plan, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
