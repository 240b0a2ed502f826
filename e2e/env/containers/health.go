package containers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

const (
	// checkTries is how often a health check is made before it counts as failed.
	checkTries = 3
	// checkTime is what a check may take that names no timeout: compose's default.
	checkTime = 30 * time.Second
)

// unhealthy are the servers whose health check fails though something waits for
// them to be healthy: in production that is never started. The checks are made here,
// once the servers are ready, as the engine would make the first of them only after
// its interval.
func (r *run) unhealthy(ctx context.Context) ([]env.Unhealthy, error) {
	var out []env.Unhealthy
	for _, role := range []env.Role{env.RolePrometheus, env.RoleGrafana} {
		s, c := r.roles()[string(role)], r.servers[role]
		if s == nil || !r.up[role] || s.Healthcheck == nil || s.Healthcheck.Disabled {
			continue
		}
		waiting := r.waitingFor(s)
		command := CheckCommand(s.Healthcheck.Test)
		if waiting == "" || command == nil {
			continue
		}
		output, err := check(ctx, c, command, s.Healthcheck.Timeout)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			out = append(out, env.Unhealthy{Service: s, Waiting: waiting, Command: strings.Join(command, " "), Output: strings.TrimSpace(err.Error() + "\n" + output)})
		}
	}
	return out, nil
}

// waitingFor names a service that is started only once another is healthy.
func (r *run) waitingFor(s *stack.Service) string {
	for _, o := range r.stack.Compose.Services {
		waits := func(d stack.Dependency) bool { return d.Name == s.Name && d.Condition == stack.ServiceHealthy }
		if len(o.Profiles) == 0 && slices.ContainsFunc(o.DependsOn, waits) {
			return o.Name
		}
	}
	return ""
}

// CheckCommand is what a health check runs, nil for one that runs nothing.
func CheckCommand(test []string) []string {
	switch {
	case len(test) < 2:
		return nil
	case test[0] == "CMD":
		return test[1:]
	case test[0] == "CMD-SHELL":
		return append([]string{"/bin/sh", "-c"}, test[1:]...)
	}
	return nil
}

// check runs a health check until it passes, a few times at the most.
func check(ctx context.Context, c Container, command []string, limit time.Duration) (output string, err error) {
	if limit <= 0 {
		limit = checkTime
	}
	tries := 0
	untilErr := until(ctx, func() (bool, error) {
		tries++
		output, err = checkOnce(ctx, c, command, limit)
		return err == nil || tries >= checkTries, nil
	})
	if untilErr != nil {
		return output, untilErr
	}
	return output, err
}

func checkOnce(ctx context.Context, c Container, command []string, limit time.Duration) (string, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it takes longer than its timeout of %s", limit))
	defer cancel()
	code, output, err := c.Exec(limited, command)
	switch {
	case err != nil && limited.Err() != nil:
		err = context.Cause(limited)
	case err == nil && code != 0:
		err = fmt.Errorf("it ends with exit code %d", code)
	}
	return output, err
}
