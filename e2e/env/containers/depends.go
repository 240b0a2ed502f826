package containers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// helpers are the services that a server cannot do without, but for those that are
// scraped: the fakes are there in their place.
func (r *run) helpers(s *stack.Service) []stack.Dependency {
	return slices.DeleteFunc(r.candidates(s), func(d stack.Dependency) bool { return r.faked(d.Name) })
}

// candidates are the services that a server cannot do without: those it waits for to
// end or to be healthy, such as one that prepares a volume, and those that its
// environment names, such as Grafana's database. What is merely to be started first
// is left out.
func (r *run) candidates(s *stack.Service) []stack.Dependency {
	var out []stack.Dependency
	for _, d := range s.DependsOn {
		other := r.serviceNamed(d.Name)
		if other == nil || slices.Contains(r.startedServices(), other) {
			continue
		}
		if d.Condition == stack.ServiceHealthy || d.Condition == stack.ServiceCompletedSuccessfully || namedIn(s, d.Name) {
			out = append(out, d)
		}
	}
	return out
}

func (r *run) serviceNamed(name string) *stack.Service {
	i := slices.IndexFunc(r.stack.Compose.Services, func(s *stack.Service) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return r.stack.Compose.Services[i]
}

// namedIn says whether a service's environment has another's name as a host.
func namedIn(s *stack.Service, name string) bool {
	for _, v := range s.Environment {
		for _, word := range strings.FieldsFunc(v.Value, func(c rune) bool { return strings.ContainsRune(":/@,;= ", c) }) {
			if word == name {
				return true
			}
		}
	}
	return false
}

// startHelpers starts what a server depends on, and what that depends on, and waits
// for what the compose file says is waited for.
func (r *run) startHelpers(ctx context.Context, s *stack.Service, above []string) error {
	if slices.Contains(above, s.Name) {
		return nil // compose refuses circles; whoever reads the file has said so
	}
	for _, d := range r.helpers(s) {
		other := r.serviceNamed(d.Name)
		if err := r.startHelpers(ctx, other, append(above, s.Name)); err != nil {
			return err
		}
		c, err := r.startHelper(ctx, other)
		if err != nil {
			return fmt.Errorf("start %s, which %s depends on: %w", d.Name, s.Name, err)
		}
		if err := r.awaitHelper(ctx, c, d); err != nil {
			return err
		}
	}
	return nil
}

// startHelper starts a service once, however many depend on it.
func (r *run) startHelper(ctx context.Context, s *stack.Service) (Container, error) {
	r.helping.Lock()
	defer r.helping.Unlock()
	if c := r.helped[s.Name]; c != nil {
		return c, nil
	}
	image, err := r.image(ctx, s, "")
	if err != nil {
		return nil, err
	}
	sp, err := r.service(s, "", image)
	if err != nil {
		return nil, err
	}
	for _, p := range image.Ports { // else they would be published to the network
		if n, err := strconv.Atoi(strings.TrimSuffix(p, "/tcp")); err == nil {
			sp.Publish = append(sp.Publish, n)
		}
	}
	c, err := r.create(ctx, sp)
	if err != nil {
		return nil, err
	}
	r.helped[s.Name] = c
	return c, c.Start(ctx)
}

// awaitHelper waits for what the dependency says.
func (r *run) awaitHelper(ctx context.Context, c Container, d stack.Dependency) error {
	switch d.Condition {
	case stack.ServiceCompletedSuccessfully:
		return until(ctx, func() (bool, error) {
			code, ended, err := c.Exited(ctx)
			if err == nil && ended && code != 0 {
				err = r.exitOf(ctx, c, code)
			}
			return ended, err
		})
	case stack.ServiceHealthy:
		return r.await(ctx, c, bootTime, "its health check", c.Healthy)
	}
	return nil
}
