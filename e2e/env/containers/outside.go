package containers

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/stack"
)

// startOutside starts the containers of the fakes. It returns those whose network
// a server shares, by the server's service.
func (r *run) startOutside(ctx context.Context, image string) (map[string]Container, error) {
	servers := r.startedServices()
	shared := map[string]Container{}
	g, ctx := errgroup.WithContext(ctx)
	start := func(o *outside, name string, members []*stack.Service, aliases map[string][]string) {
		g.Go(func() error {
			c, err := r.startFakes(ctx, o, image, name, members, aliases)
			if err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, s := range members {
				shared[s.Name] = c
			}
			return nil
		})
	}
	inHost := filter(servers, func(s *stack.Service) bool { return s.NetworkHost })
	start(r.layout.host, fakesName, inHost, r.layout.host.aliases)
	for owner, o := range r.layout.near {
		members := filter(servers, func(s *stack.Service) bool { return ownerOf(s, servers) == owner })
		aliases := map[string][]string{}
		for _, s := range members {
			for _, n := range networksOf(s) {
				aliases[n] = append(aliases[n], namesOf(s)...)
			}
		}
		start(o, fakesName+" beside "+owner, members, aliases)
	}
	return shared, g.Wait()
}

func filter(all []*stack.Service, keep func(*stack.Service) bool) []*stack.Service {
	return slices.DeleteFunc(slices.Clone(all), func(s *stack.Service) bool { return !keep(s) })
}

// startFakes starts one container of fakes. members are the servers that will share
// its network: their ports are published by it.
func (r *run) startFakes(ctx context.Context, o *outside, image, name string, members []*stack.Service, aliases map[string][]string) (Container, error) {
	p, err := o.plan(r.past.World, r.authority)
	if err != nil {
		return nil, fmt.Errorf("plan the fakes: %w", err)
	}
	sp := Spec{Name: name, Image: image, Networks: aliases, Plan: p}
	if len(sp.Networks) == 0 {
		sp.Networks = map[string][]string{"default": nil}
	}
	if len(o.addresses) > 0 {
		sp.User, sp.CapAdd = "0", []string{"NET_ADMIN"}
	}
	for _, s := range members {
		sp.Publish = append(sp.Publish, r.port(s))
		sp.ExtraHosts = append(sp.ExtraHosts, r.extraHosts(s)...)
	}
	c, err := r.create(ctx, sp)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	return c, settle(ctx, c, "ready")
}

// settle waits until the container has printed a line, and says what it printed
// where it ends instead.
func settle(ctx context.Context, c Container, line string) error {
	return until(ctx, func() (bool, error) {
		lines, err := c.Log(ctx)
		if err != nil {
			return false, err
		}
		if slices.Contains(lines, line) {
			return true, nil
		}
		code, ended, err := c.Exited(ctx)
		if err == nil && ended {
			err = &ExitError{Service: c.Name(), Code: code, Log: lastLines(lines, 10)}
		}
		return false, err
	})
}

// port is what a server listens on.
func (r *run) port(s *stack.Service) int {
	if p := r.stack.Prometheus; p != nil && p.Service == s {
		return s.ListenPort()
	}
	return grafanaPort(s)
}

// grafanaPort is the port that Grafana listens on.
func grafanaPort(s *stack.Service) int {
	if n, err := strconv.Atoi(s.Environment["GF_SERVER_HTTP_PORT"].Value); err == nil {
		return n
	}
	return defaultGrafanaPort
}

// defaultGrafanaPort is where Grafana listens unless told otherwise.
const defaultGrafanaPort = 3000
