package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

// log is what a server has printed so far.
func (r *run) log(ctx context.Context, role env.Role) ([]string, error) {
	r.mu.Lock()
	c := r.servers[role]
	r.mu.Unlock()
	if c == nil {
		return nil, nil
	}
	return c.log(ctx)
}

// died says which server has ended since it was ready. One that never was is a fault.
func (r *run) died(ctx context.Context) error {
	for _, role := range []env.Role{env.RolePrometheus, env.RoleGrafana} {
		r.mu.Lock()
		c, up := r.servers[role], r.up[role]
		r.mu.Unlock()
		if !up { // a fault of the instance
			continue
		}
		code, ended, err := c.exited(ctx)
		if err != nil {
			return err
		}
		if ended {
			return r.exitOf(ctx, c, code)
		}
	}
	return nil
}

// The labels by which docker compose marks its containers.
const (
	composeService = "com.docker.compose.service"
	composeDir     = "com.docker.compose.project.working_dir"
)

// holder says which container has a port of this host, and whether it is the
// service's own: the stack may be running here.
func (r *run) holder(ctx context.Context, s *stack.Service, port int) (name string, itself bool) {
	found, err := r.engine.api.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return "", false
	}
	// Not by the filter "publish", which Podman does not have.
	i := slices.IndexFunc(found.Items, func(c apicontainer.Summary) bool {
		return slices.ContainsFunc(c.Ports, func(p apicontainer.PortSummary) bool { return int(p.PublicPort) == port })
	})
	if i < 0 {
		return "", false // the port is taken by no container
	}
	c := found.Items[i]
	name = c.ID[:12]
	if len(c.Names) > 0 {
		name = strings.TrimPrefix(c.Names[0], "/")
	}
	itself = c.Labels[composeService] == s.Name && c.Labels[composeDir] == r.stack.Dir
	return "container " + name, itself
}

// keepLogs writes what each container has printed to a file of its own.
func (r *run) keepLogs() error {
	if r.opts.Logs == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	if err := os.MkdirAll(r.opts.Logs, 0o755); err != nil {
		return fmt.Errorf("keep the containers' logs: %w", err)
	}
	r.engine.mu.Lock()
	containers := slices.Clone(r.engine.containers)
	r.engine.mu.Unlock()
	var errs []error
	for _, c := range containers {
		lines, err := c.log(ctx)
		if err == nil {
			err = os.WriteFile(filepath.Join(r.opts.Logs, volumeName(c.name)+".log"), []byte(strings.Join(append(lines, ""), "\n")), 0o644)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("keep the log of %s: %w", c.name, err))
		}
	}
	return errors.Join(errs...)
}
