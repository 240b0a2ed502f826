package dagger

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes/beside"
)

// introduce tells the containers of each other: the names by which those on a network
// know each other, and the ports of those that share one. In the engine's network all
// reach all; who has no name for another does not find it, as in networks of compose.
func (e *engine) introduce(ctx context.Context, c *container) error {
	e.naming.Lock()
	defer e.naming.Unlock()
	e.known = append(e.known, c)
	for _, m := range e.known {
		if m.isGone() {
			continue
		}
		if err := m.agent.Hosts(ctx, m.hosts(e.known)); err != nil {
			return m.failed("name the others in", err)
		}
	}
	return c.join(ctx, e.known)
}

// hosts are the lines of the container's hosts file.
func (c *container) hosts(known []*container) string {
	names := map[string]string{} // the first to have a name keeps it
	take := func(name, ip string) {
		if _, taken := names[name]; !taken {
			names[name] = ip
		}
	}
	self := c.network()
	for _, h := range self.spec.ExtraHosts {
		if name, ip, ok := strings.Cut(h, ":"); ok && net.ParseIP(ip) != nil {
			take(name, ip)
		}
	}
	for _, other := range slices.Insert(slices.Clone(known), 0, self) {
		if other.via != nil || other.isGone() {
			continue // the former is known by the names of the network that it is in
		}
		for network, aliases := range other.spec.Networks {
			if _, shared := self.spec.Networks[network]; !shared {
				continue
			}
			for _, name := range aliases {
				take(name, other.ip)
			}
		}
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&out, "%s\t%s\n", names[name], name)
	}
	return out.String()
}

// isGone says whether the container has been removed.
func (c *container) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// network is the container whose network this one is in.
func (c *container) network() *container {
	if c.via != nil {
		return c.via
	}
	return c
}

// join lets the members of a shared network reach the container's ports as their own,
// and the container theirs.
func (c *container) join(ctx context.Context, known []*container) error {
	if c.via == nil {
		return nil
	}
	for _, m := range known {
		if m == c || m.network() != c.via || m.isGone() {
			continue
		}
		if err := m.forward(ctx, c); err != nil {
			return err
		}
		if m.via == nil {
			continue // the fakes: the container serves them itself
		}
		if err := c.forward(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// forward passes on what arrives at another's ports.
func (c *container) forward(ctx context.Context, to *container) error {
	var forwards []beside.Forward
	for _, p := range to.spec.Publish {
		port := strconv.Itoa(p)
		forwards = append(forwards, beside.Forward{Listen: ":" + port, To: net.JoinHostPort(to.ip, port)})
	}
	if len(forwards) == 0 {
		return nil
	}
	if err := c.agent.Forwards(ctx, forwards); err != nil {
		return c.failed("pass on the ports of "+to.Name()+" in", err)
	}
	return nil
}
