package rule

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// stackPortConflict proves that the services do not take each other's ports on
// the host. That a port is taken on this particular host is told for information
// as long as it may be the stack itself that has it; once it is known to be somebody
// else, the stack cannot be started here.
func stackPortConflict() Rule {
	return Rule{
		ID:       "stack/port-conflict",
		Severity: Error,
		Summary:  "two services publish one port of the host, or it is taken on this host",
		Static: func(in *Static) []Finding {
			if in.Stack.Compose == nil {
				return nil
			}
			var out []Finding
			taken := map[int][]publishedPort{} // a range may publish all there are
			for _, s := range in.Stack.Compose.Services {
				for _, p := range s.Ports {
					here := publishedPort{s, p}
					if p.Published == 0 || s.NetworkHost { // an ephemeral port, or published by nobody
						continue
					}
					same := taken[p.Published]
					if i := slices.IndexFunc(same, here.clashes); i >= 0 {
						out = append(out, here.conflict(same[i], in.Stack.Compose))
					}
					taken[p.Published] = append(same, here)
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, p := range in.TakenPorts {
				f := Finding{
					Severity: Info, Pos: p.Port.Pos,
					Message: fmt.Sprintf("port %d, which service %q publishes, is taken on this host", p.Port.Published, p.Service.Name),
					Fix:     "unless that is this stack itself, stop what has it before the stack is started here, or publish another port",
				}
				if p.Holder != "" {
					f.Evidence = []string{"it is taken by " + p.Holder}
				}
				if p.Sure {
					f.Severity = Error
					f.Message = fmt.Sprintf("port %d, which service %q publishes, is taken on this host by %s: the service does not start here",
						p.Port.Published, p.Service.Name, cmp.Or(p.Holder, "another program"))
					f.Evidence = nil
					f.Fix = "stop what has the port before the stack is started here, or publish another one"
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// publishedPort is a port of the host and the service that has it.
type publishedPort struct {
	service *stack.Service
	port    stack.Port
}

func (p publishedPort) clashes(other publishedPort) bool {
	return p.port.Published == other.port.Published && protocol(p.port) == protocol(other.port) &&
		sameAddress(p.port.HostIP, other.port.HostIP) && runTogether(p.service, other.service)
}

func protocol(p stack.Port) string {
	if p.Protocol == "" {
		return "tcp"
	}
	return strings.ToLower(p.Protocol)
}

// sameAddress says whether two addresses of the host overlap: none means all.
func sameAddress(a, b string) bool {
	all := func(ip string) bool {
		parsed := net.ParseIP(ip)
		return ip == "" || parsed != nil && parsed.IsUnspecified()
	}
	return a == b || all(a) || all(b)
}

// runTogether says whether two services are up at the same time: always, but for
// those whose profiles are alternatives.
func runTogether(a, b *stack.Service) bool {
	if a == b || len(a.Profiles) == 0 || len(b.Profiles) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Profiles, func(p string) bool { return slices.Contains(b.Profiles, p) })
}

func (p publishedPort) conflict(first publishedPort, c *stack.Compose) Finding {
	f := Finding{
		Pos: p.port.Pos,
		Message: fmt.Sprintf("services %q and %q both publish port %d of the host: the second of them does not start",
			first.service.Name, p.service.Name, p.port.Published),
		Evidence: []string{fmt.Sprintf("%q publishes it at %s", first.service.Name, first.port.Pos)},
		Fix:      fmt.Sprintf("publish another port of the host, as \"%d:%d\"", freePort(c, p.port.Published), p.port.Target),
	}
	if p.service == first.service {
		f.Message = fmt.Sprintf("service %q publishes port %d of the host twice: it does not start", p.service.Name, p.port.Published)
		f.Evidence = []string{"the first time at " + first.port.Pos.String()}
	}
	return f
}

// freePort is the next port above one that no service of the file publishes.
func freePort(c *stack.Compose, above int) int {
	used := map[int]bool{}
	for _, s := range c.Services {
		for _, p := range s.Ports {
			used[p.Published] = true
		}
	}
	next := above + 1
	for used[next] {
		next++
	}
	return next
}
