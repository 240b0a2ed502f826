package docker

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
func (r *run) startOutside(ctx context.Context, image string) (map[string]*container, error) {
	servers := r.startedServices()
	shared := map[string]*container{}
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
func (r *run) startFakes(ctx context.Context, o *outside, image, name string, members []*stack.Service, aliases map[string][]string) (*container, error) {
	p, err := o.plan(r.past.World, r.authority)
	if err != nil {
		return nil, fmt.Errorf("plan the fakes: %w", err)
	}
	text, err := p.JSON()
	if err != nil {
		return nil, fmt.Errorf("plan the fakes: %w", err)
	}
	sp := spec{name: name, image: image, command: []string{"serve", "--plan", planFile}, networks: aliases}
	if len(sp.networks) == 0 {
		sp.networks = map[string][]string{"default": nil}
	}
	sp.files.add(planFile, text, 0o444)
	if len(o.addresses) > 0 {
		sp.user, sp.capAdd = "0", []string{"NET_ADMIN"}
	}
	for _, s := range members {
		sp.publish = append(sp.publish, r.port(s))
		sp.extraHosts = append(sp.extraHosts, r.extraHosts(s)...)
	}
	c, err := r.engine.create(ctx, sp)
	if err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, c.settle(ctx, "ready")
}

// settle waits until the container has printed a line, and says what it printed
// where it ends instead.
func (c *container) settle(ctx context.Context, line string) error {
	return until(ctx, func() (bool, error) {
		lines, err := c.log(ctx)
		if err != nil {
			return false, err
		}
		if slices.Contains(lines, line) {
			return true, nil
		}
		code, ended, err := c.exited(ctx)
		if err == nil && ended {
			err = &ExitError{Service: c.name, Code: code, Log: lastLines(lines, 10)}
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
