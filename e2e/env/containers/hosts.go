package containers

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/stack"
)

// outside is the world around the two servers: what one container of fakes stands
// in for. It has the names of every host that is scraped and those of the machine
// that runs the stack, whose published ports it passes on.
type outside struct {
	aliases   map[string][]string // by network of the compose file
	addresses []string            // IP addresses that are to be its own
	listeners map[int]*plan.Listener
	certified []string // host names on its certificate
}

// hostNames are what containers call the machine they run on.
func hostNames() []string {
	return []string{"host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
}

// layout says which container has which network, and what stands in for the rest.
type layout struct {
	services []*stack.Service // of the compose file, started or not
	host     *outside         // always there
	// near is what stands in for the loopback interface and for addresses that no
	// name leads to, inside the network of a service of its own; by service.
	near map[string]*outside
}

// lay works out who answers where. servers are those of the compose file's services
// that are started.
func lay(lines []embedded.Line, prometheus *stack.Service, servers, services []*stack.Service) (*layout, error) {
	l := &layout{services: services, host: newOutside(), near: map[string]*outside{}}
	live := map[string]bool{}
	for _, line := range lines {
		host, _, err := net.SplitHostPort(line.Address)
		if err != nil {
			return nil, fmt.Errorf("target address %q: %w", line.Address, err)
		}
		live[host] = live[host] || line.Live
	}
	for _, line := range lines {
		if err := l.answer(line, prometheus, servers, live); err != nil {
			return nil, err
		}
	}
	for _, name := range hostNames() {
		if !live[name] {
			l.host.name(name, servers...)
		}
	}
	for _, s := range servers {
		if owner := ownerOf(s, servers); owner != s.Name {
			l.beside(owner) // both join what is there before them
		}
		for name, to := range s.ExtraHosts {
			if to == "host-gateway" && !live[name] {
				l.host.name(name, servers...)
			}
		}
		l.host.forward(s)
	}
	return l, nil
}

func newOutside() *outside {
	return &outside{aliases: map[string][]string{}, listeners: map[int]*plan.Listener{}}
}

// answer finds a place for who answers at an address. An address at which nobody
// answers gets a place too, where connections are refused: looked up outside, its
// name might lead to somebody's real exporter.
func (l *layout) answer(line embedded.Line, prometheus *stack.Service, servers []*stack.Service, live map[string]bool) error {
	host, portText, err := net.SplitHostPort(line.Address)
	if err != nil {
		return fmt.Errorf("target address %q: %w", line.Address, err)
	}
	if line.Self && ownName(prometheus, host) || line.Live {
		return nil
	}
	if slices.ContainsFunc(servers, func(s *stack.Service) bool { return slices.Contains(namesOf(s), strings.ToLower(host)) }) {
		return nil // the server itself: what it listens on answers, and nothing else
	}
	if live[host] {
		return fmt.Errorf("targets at host %s are both live and answered by a fake: in containers one name leads to one place", host)
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	at := l.host
	switch {
	case loopback && line.Fake == "":
		return nil // Prometheus' own container, where nobody listens
	case (loopback || ip != nil) && !prometheus.NetworkHost:
		at = l.beside(ownerOf(prometheus, servers))
	}
	if ip != nil && !loopback {
		at.addresses = appendNew(at.addresses, host)
	}
	if ip == nil && !loopback {
		if prometheus.NetworkHost && l.isService(host) {
			return nil // the host's resolver does not know the names of compose's network
		}
		at.nameOn(host, l.networksOf(host, servers))
	}
	if line.Fake == "" {
		return nil
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("target address %q: %w", line.Address, err)
	}
	return at.serve(port, host, line)
}

// ownName says whether a name leads to the Prometheus container by itself.
func ownName(s *stack.Service, host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(namesOf(s), host)
}

// namesOf are the names of a service on its networks.
func namesOf(s *stack.Service) []string {
	names := append([]string{s.Name}, s.Aliases...)
	for _, n := range []string{s.ContainerName, s.Hostname} {
		if n != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// beside is what shares the network of a service, so that it answers at the
// service's own loopback interface and at whatever address it takes there.
func (l *layout) beside(owner string) *outside {
	if l.near[owner] == nil {
		l.near[owner] = newOutside()
	}
	return l.near[owner]
}

// ownerOf is the service whose network a service is in: its own, or that of another
// server (network_mode: service:NAME).
func ownerOf(s *stack.Service, servers []*stack.Service) string {
	if slices.ContainsFunc(servers, func(o *stack.Service) bool { return o.Name == s.NetworkOf }) {
		return s.NetworkOf
	}
	return s.Name
}

// name lets a host's name lead here, from every network that the services are on.
func (o *outside) name(host string, servers ...*stack.Service) {
	for _, s := range servers {
		o.nameOn(host, networksOf(s))
	}
}

func (o *outside) nameOn(host string, networks []string) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, n := range networks {
		o.aliases[n] = appendNew(o.aliases[n], host)
	}
}

// networksOf are the networks of the servers from which a host's name leads
// somewhere: for a service of the compose file those that it is on as well, else
// all.
func (l *layout) networksOf(host string, servers []*stack.Service) []string {
	var all []string
	for _, s := range servers {
		all = append(all, networksOf(s)...)
	}
	named := filter(l.services, func(s *stack.Service) bool { return slices.Contains(namesOf(s), host) })
	if len(named) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(n string) bool {
		return !slices.ContainsFunc(named, func(s *stack.Service) bool { return slices.Contains(networksOf(s), n) })
	})
}

// isService says whether a host is a service of the compose file.
func (l *layout) isService(host string) bool {
	return slices.ContainsFunc(l.services, func(s *stack.Service) bool { return slices.Contains(namesOf(s), host) })
}

// networksOf are the networks of a service, by the compose file's names. What has
// none of its own there is given the default one.
func networksOf(s *stack.Service) []string {
	if len(s.Networks) == 0 {
		return []string{"default"}
	}
	return s.Networks
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// serve lets an exporter answer at a port for those who call it by this name.
func (o *outside) serve(port int, host string, line embedded.Line) error {
	at := o.listeners[port]
	if at == nil {
		at = &plan.Listener{Listen: ":" + strconv.Itoa(port)}
		if line.TLS {
			at.Certificate = pending
		}
		o.listeners[port] = at
	}
	if (at.Certificate != "") != line.TLS {
		return fmt.Errorf("port %d is scraped by http at one host and by https at another: in containers one port speaks one of them", port)
	}
	if line.TLS {
		o.certified = appendNew(o.certified, host)
	}
	at.Routes = append(at.Routes, plan.Route{Host: line.Address, Exporter: line.Fake, Instance: line.Address, Setup: line.Setup})
	return nil
}

// pending stands for a certificate that is yet to be made.
const pending = "pending"

// forward passes on the ports that the service publishes, as the machine does that
// runs the stack. A service in the host's network is there already.
func (o *outside) forward(s *stack.Service) {
	if s.NetworkHost || s.NetworkOf != "" {
		return
	}
	for _, p := range s.Ports {
		if p.Published != 0 && p.Protocol != "udp" && o.listeners[p.Published] == nil {
			o.listeners[p.Published] = &plan.Listener{
				Listen:  ":" + strconv.Itoa(p.Published),
				Forward: net.JoinHostPort(s.Name, strconv.Itoa(p.Target)),
			}
		}
	}
}

// plan is what the container is told.
func (o *outside) plan(w *fakes.World, ca *authority) (*plan.Plan, error) {
	p := &plan.Plan{
		Version: plan.Version, Start: w.Start(), Addresses: o.addresses,
		Scenario: string(w.Scenario().YAML()), ScenarioName: w.Scenario().Name(),
	}
	for _, port := range slices.Sorted(maps.Keys(o.listeners)) {
		at := *o.listeners[port]
		if at.Certificate == pending {
			var err error
			if at.Certificate, at.Key, err = ca.issue(o.certified); err != nil {
				return nil, err
			}
		}
		p.Listeners = append(p.Listeners, at)
	}
	return p, nil
}

// usesTLS says whether somebody is scraped by https.
func (o *outside) usesTLS() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(o.listeners)), func(l *plan.Listener) bool { return l.Certificate != "" })
}
