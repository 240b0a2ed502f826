// Package docker has a Docker engine run the containers of a stack, or a Podman that
// speaks Docker's API, through testcontainers.
package docker

import (
	"context"
	"log/slog"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/stack"
)

// Name is what this environment is called.
const Name = "docker"

// Start is containers.Start on a Docker engine.
func Start(ctx context.Context, s *stack.Stack, opts containers.Options) (env.Env, error) {
	return containers.Start(ctx, s, on(opts))
}

// Upgrade is containers.Upgrade on a Docker engine.
func Upgrade(ctx context.Context, older containers.Revision, s *stack.Stack, opts containers.Options) (env.Env, error) {
	return containers.Upgrade(ctx, older, s, on(opts))
}

func on(opts containers.Options) containers.Options {
	opts.Name = Name
	opts.Connect = func(ctx context.Context, logger *slog.Logger, keeper string) (containers.Engine, error) {
		e, err := connect(ctx, logger)
		if err != nil {
			return nil, err
		}
		e.keeper = keeper
		return e, nil
	}
	return opts
}
