package rule

import (
	"fmt"
	"net"
	"net/url"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
)

// Elsewhere is the host and port to which a Prometheus-type datasource leads
// where that is another server than the stack's own Prometheus, the one under
// test; "" for a datasource of the stack's own, and for one whose url leads
// nowhere (see Unreachable). Where the files cannot tell, because no compose file
// says what the url leads to, it is taken for the stack's own.
func Elsewhere(s *stack.Stack, ds *stack.Datasource) string {
	if !query.IsPrometheus(ds) || Unreachable(s, ds) != nil || s.Compose == nil || s.Prometheus == nil || s.Prometheus.Service == nil {
		return ""
	}
	u, err := url.Parse(ds.URL.Value)
	if err != nil || u.Host == "" {
		return "no server that the files name" // a cloud's plugin knows its own
	}
	if leadsTo(s, u) {
		return ""
	}
	return u.Host
}

// leadsTo says whether a url leads from Grafana's container to the stack's own
// Prometheus: by the name of its service, or through the port that it has on the
// host.
func leadsTo(s *stack.Stack, u *url.URL) bool {
	prometheus, host := s.Prometheus.Service, u.Hostname()
	if svc := serviceNamed(s.Compose, host); svc != nil {
		return svc == prometheus
	}
	return mayBeHost(s, host) && onHost(prometheus, portOf(u))
}

// mayBeHost says whether a name or address seen from Grafana's container is that
// of the machine that runs the stack. A private address may be: whose it is, no
// file tells.
func mayBeHost(s *stack.Stack, host string) bool {
	inHostNetwork := false
	if s.Grafana != nil && s.Grafana.Service != nil {
		inHostNetwork = s.Grafana.Service.NetworkHost
		if at := s.Grafana.Service.ExtraHosts[host]; at != "" {
			host = at
		}
	}
	switch host {
	case "host-gateway", "host.docker.internal", "gateway.docker.internal", "host.containers.internal":
		return true
	case "localhost":
		return inHostNetwork
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsPrivate() || ip.IsLoopback() && inHostNetwork)
}

// onHost says whether a service answers at a port of the host.
func onHost(svc *stack.Service, port int) bool {
	listens := svc.ListenPort()
	if svc.NetworkHost {
		return port == listens
	}
	for _, p := range svc.Ports {
		if p.Published == port && p.Target == listens {
			return true
		}
	}
	return false
}

// NotRun says in a message why a datasource is not asked, "" for one that is.
func NotRun(s *stack.Stack, ds *stack.Datasource) string {
	to := Elsewhere(s, ds)
	if to == "" {
		return ""
	}
	return fmt.Sprintf("its url leads to %s, which this environment does not run", to)
}
