package rule

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
)

// datasourceURLUnreachable proves that a datasource's url leads somewhere from
// inside Grafana's container, where localhost is Grafana itself.
func datasourceURLUnreachable() Rule {
	return Rule{
		ID:       "datasource/url-unreachable",
		Severity: Error,
		Summary:  "a datasource's url leads nowhere from inside Grafana's container",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				if f := Unreachable(in.Stack, ds); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				why := in.Unreachable[ds.EffectiveUID]
				if why != "" && Unreachable(in.Stack, ds) == nil && !in.behindFault(ds) {
					out = append(out, unreached(in, ds, oneLine(why)))
				}
			}
			return out
		},
	}
}

// unreached is a datasource whose server Grafana has not found, in its own words.
func unreached(in *Live, ds *stack.Datasource, why string) Finding {
	f := Finding{
		Pos:      urlPlace(ds),
		Message:  fmt.Sprintf("datasource %q: Grafana reaches no server at %s", ds.Name.Value, ds.URL.Value),
		Evidence: []string{"Grafana: " + why},
		Fix:      "set url to where a Prometheus answers, as seen from Grafana's container",
	}
	if p := in.Stack.Prometheus; p != nil && p.Service != nil {
		right := fmt.Sprintf("http://%s:%d%s", p.Service.Name, p.Service.ListenPort(), p.Service.RoutePrefix())
		if f.Fix = "set url: " + right; strings.TrimRight(ds.URL.Value, "/") == right {
			f.Fix = "the url is that of the compose file's service: see what gives its name another meaning in Grafana's container (extra_hosts), or keeps it from listening there"
		}
	}
	for _, known := range []struct{ words, says, fix string }{
		{"no such host", "nothing in its network has that name", ""},
		{"server misbehaving", "nothing in its network has that name", ""},
		{"connection refused", "the host is there, and nothing listens on that port", ""},
		{"i/o timeout", "nobody answers", ", or open the way there in the firewall"},
		{"no route to host", "no network leads there", ", or put both on one network"},
		{"network is unreachable", "no network leads there", ", or put both on one network"},
	} {
		if strings.Contains(why, known.words) {
			f.Message += ", " + known.says
			f.Fix += known.fix
			break
		}
	}
	return f
}

// Unreachable says why Grafana cannot reach a datasource's url, nil where it can
// or where the files do not tell (no compose file, a host elsewhere).
func Unreachable(s *stack.Stack, ds *stack.Datasource) *Finding {
	if ds.Type.Value != "prometheus" {
		return nil // others are not asked
	}
	fail := func(fix, format string, args ...any) *Finding {
		pos := ds.URL.Pos
		if pos.IsZero() {
			pos = ds.Pos
		}
		return &Finding{Pos: pos, Message: fmt.Sprintf("datasource %q: ", ds.Name.Value) + fmt.Sprintf(format, args...), Fix: fix}
	}
	if ds.URL.Value == "" {
		return fail("set url: http://prometheus:9090", "it has no url")
	}
	u, err := url.Parse(ds.URL.Value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fail("write it as http://host:port", "%q is no http url", ds.URL.Value)
	}
	if u.Hostname() == "" {
		return fail("write the host, or set the variable in the environment of Grafana's service", "%q has no host; a variable that nothing sets leaves nothing behind", ds.URL.Value)
	}
	if s.Compose == nil || s.Grafana == nil || s.Grafana.Service == nil || s.Grafana.Service.NetworkHost {
		return nil
	}
	return inNetwork(s, u, fail)
}

// inNetwork judges a url by the services that share Grafana's network.
func inNetwork(s *stack.Stack, u *url.URL, fail func(fix, format string, args ...any) *Finding) *Finding {
	host, port := u.Hostname(), portOf(u)
	right := "http://prometheus:9090"
	if p := s.Prometheus; p != nil && p.Service != nil {
		right = fmt.Sprintf("http://%s:%d", p.Service.Name, p.Service.ListenPort())
	}
	fix := "set url: " + right
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return fail(fix, "%s is Grafana's own container, where no Prometheus listens", u.Host)
	}
	svc := serviceNamed(s.Compose, host)
	if svc == nil {
		if net.ParseIP(host) != nil || strings.Contains(host, ".") || s.Grafana.Service.ExtraHosts[host] != "" {
			return nil // a host outside the compose project: the files cannot tell
		}
		return fail(fix, "host %q is no service of %s%s", host, s.Compose.File, nearest.Hint(host, serviceNames(s.Compose)))
	}
	if s.Prometheus == nil || svc != s.Prometheus.Service {
		return nil
	}
	if slices.Contains(svc.Command, "--agent") || strings.Contains(flagValue(svc, "enable-feature"), "agent") {
		return fail("run Prometheus without --agent", "service %q is an agent, which answers no query", svc.Name)
	}
	if apart := separated(s.Grafana.Service, svc); apart != nil {
		return fail(apart.fix, "%s", apart.message)
	}
	if want := svc.ListenPort(); port != want {
		return fail(fix, "service %q listens on port %d, not %d", svc.Name, want, port)
	}
	if u.Scheme == "https" && flagValue(svc, "web.config.file") == "" {
		return fail(fix, "service %q speaks http: nothing gives it a certificate", svc.Name)
	}
	if prefix := routePrefix(svc); strings.Trim(u.Path, "/") != prefix {
		return fail(strings.TrimSuffix(fix+"/"+prefix, "/"), "service %q answers below /%s, the url leads to %s", svc.Name, prefix, cmp.Or(u.Path, "/"))
	}
	return nil
}

// apart is why two services do not reach each other, and what helps.
type apart struct{ message, fix string }

// separated says why Grafana cannot reach a service by its name, nil where it can.
func separated(grafana, svc *stack.Service) *apart {
	switch {
	case svc.NetworkHost:
		return &apart{fmt.Sprintf("service %q runs in the host's network, where its name leads nowhere", svc.Name),
			fmt.Sprintf("set url: http://host.docker.internal:%d, and give Grafana extra_hosts: [\"host.docker.internal:host-gateway\"]", svc.ListenPort())}
	case len(svc.Profiles) > 0 && !slices.ContainsFunc(svc.Profiles, func(p string) bool { return slices.Contains(grafana.Profiles, p) }):
		return &apart{fmt.Sprintf("service %q is started only with profile %s, Grafana without it", svc.Name, strings.Join(svc.Profiles, " or ")),
			fmt.Sprintf("take service %q out of its profiles", svc.Name)}
	case !slices.ContainsFunc(svc.Networks, func(n string) bool { return slices.Contains(grafana.Networks, n) }):
		return &apart{fmt.Sprintf("service %q and Grafana have no network in common", svc.Name), "put both services on one network"}
	}
	return nil
}

// routePrefix is the path below which a Prometheus answers, without slashes.
func routePrefix(s *stack.Service) string { return strings.Trim(s.RoutePrefix(), "/") }

func portOf(u *url.URL) int {
	if p, err := strconv.Atoi(u.Port()); err == nil {
		return p
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

func serviceNamed(c *stack.Compose, host string) *stack.Service {
	for _, s := range c.Services {
		if s.Name == host || s.ContainerName == host || slices.Contains(s.Aliases, host) {
			return s
		}
	}
	return nil
}

func serviceNames(c *stack.Compose) []string {
	var out []string
	for _, s := range c.Services {
		out = append(out, s.Name)
	}
	return out
}

// flagValue is the value of a flag of a service's command, "" without it.
func flagValue(s *stack.Service, name string) string {
	value, _ := s.Flag(name)
	return value
}
