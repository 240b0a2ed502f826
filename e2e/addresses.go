package e2e

import (
	"net"
	"slices"
	"strconv"

	"github.com/panelgate/panelgate/stack"
)

// ownLoopback says whether Prometheus runs in a container whose network it shares
// with nobody, so that localhost is not where the exporters are.
func ownLoopback(s *stack.Stack) bool {
	svc := s.Prometheus.Service
	if svc == nil || svc.NetworkHost || svc.NetworkOf != "" {
		return false
	}
	return !slices.ContainsFunc(s.Compose.Services, func(o *stack.Service) bool { return o.NetworkOf == svc.Name })
}

// selfAddresses are those under which the stack's Prometheus scrapes itself: its
// own loopback and names, and the ports of the host that lead to it.
func selfAddresses(s *stack.Stack) []string {
	const usual = 9090
	svc := s.Prometheus.Service
	if svc == nil {
		return addresses(usual, "localhost", "127.0.0.1", "prometheus")
	}
	port := svc.ListenPort()
	hosts := append([]string{"localhost", "127.0.0.1", svc.Name}, svc.Aliases...)
	if svc.ContainerName != "" {
		hosts = append(hosts, svc.ContainerName)
	}
	out := addresses(port, hosts...)
	for _, p := range svc.Ports {
		if p.Target == port && p.Published != 0 {
			out = append(out, addresses(p.Published, "host.docker.internal")...)
		}
	}
	return out
}

func addresses(port int, hosts ...string) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, net.JoinHostPort(h, strconv.Itoa(port)))
	}
	return out
}
