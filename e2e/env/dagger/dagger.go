// Package dagger runs a stack's containers as services of a Dagger engine, and is the
// one place that knows Dagger's SDK.
//
// Two things can be done with a Session. Start has the engine run the stack's servers,
// and is called by whoever asks them: by default that is the gate itself, in a container
// of the pipeline beside the servers, since Dagger's tunnels to the host listen on all
// of its interfaces. Gate puts it there: it brings the gate's own program and the
// stack's files into the pipeline, runs it, and brings back its reports.
//
// Dagger starts services and no more: it tells neither what a service prints nor how it
// ends, puts no file into one that runs, and lets no two share a network. So in every
// container the fakes' program comes first, as a supervisor (package beside), and is told
// by its HTTP API what to run.
package dagger

import (
	"context"
	"log/slog"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/stack"
)

// Name is what this environment is called.
const Name = "dagger"

// Options say how a stack runs in a session.
type Options struct {
	Session *Session
	// Fakes is the file of the fakes' program for the engine's platform; "" has it
	// built.
	Fakes string
	// Tunnel reaches the services from outside of the engine: by Dagger's tunnels,
	// which listen on all interfaces of this machine.
	Tunnel bool
}

// Start is containers.Start on a Dagger engine.
func Start(ctx context.Context, s *stack.Stack, opts containers.Options, on Options) (env.Env, error) {
	opts.Name = Name
	opts.Connect = func(ctx context.Context, logger *slog.Logger, _ string) (containers.Engine, error) {
		return newEngine(ctx, on, logger)
	}
	return containers.Start(ctx, s, opts)
}
