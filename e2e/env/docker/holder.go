package docker

import (
	"context"
	"slices"
	"strings"

	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/panelgate/panelgate/stack"
)

// The labels by which docker compose marks its containers.
const (
	composeService = "com.docker.compose.service"
	composeDir     = "com.docker.compose.project.working_dir"
)

// Holder says which container has a port of this host, and whether it is the
// service's own of the stack in dir, which may be running here.
func (e *engine) Holder(ctx context.Context, dir string, s *stack.Service, port int) (name string, itself bool) {
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{})
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
	itself = c.Labels[composeService] == s.Name && c.Labels[composeDir] == dir
	return "container " + name, itself
}
