// Package exporter finds the exporters that a stack's compose file runs: which they are,
// of which release, how they are started, and at which addresses Prometheus reaches them.
package exporter

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/fakes/triton"
	"github.com/panelgate/panelgate/stack"
)

// Running is a service of the compose file that is an exporter.
type Running struct {
	Service *stack.Service
	Name    string // of its fake
	// Version is the release that the image's tag names, "" where it names none.
	Version string
	Setup   fakes.Setup
	// Addresses are the host:port under which the stack's Prometheus reaches it.
	Addresses []string
	// Silent are those at which it could be looked for and where nobody listens: at its usual
	// port while it listens on another, and at a port of the host that leads to one of these.
	// All of them where it is told not to show its metrics.
	Silent []string
	// Refused is why the real one would end instead of coming up, nil where it would not.
	Refused error
	// Note is what a reader should know of the release that is acted out, "" for nothing.
	Note string
}

// Refusal is why it would not come up, without the words of whoever tried it.
func (r Running) Refusal() string {
	text := r.Refused.Error()
	if _, after, found := strings.Cut(text, "set up the fake of "+r.Name+": "); found {
		return after
	}
	return text
}

// kind is how an exporter is told by its image and its command line.
type kind struct {
	image     string   // the last part of the image's name
	programs  []string // what its command line may begin with
	listen    []string // flags that say where it listens
	listenEnv string   // and the variable, "" for none
	env       []string // what the names of the variables begin with that it reads
	files     []string // that it reads though nobody names them
}

func kinds() map[string]kind {
	return map[string]kind{
		"triton": {"tritonserver", []string{"tritonserver"}, []string{"metrics-port"}, "", []string{"TRITON"}, nil},
		"dcgm": {"dcgm-exporter", []string{"dcgm-exporter", "dcgm-exporter-entrypoint.sh"}, []string{"address", "a"}, "DCGM_EXPORTER_LISTEN",
			[]string{"DCGM_", "NODE_NAME", "KUBERNETES_"}, []string{"/etc/dcgm-exporter/default-counters.csv"}},
		"node": {"node-exporter", []string{"node_exporter"}, []string{"web.listen-address"}, "", nil, nil},
		"vllm": {"vllm-openai", []string{"serve", "api_server", "vllm.entrypoints.openai.api_server"}, []string{"port"}, "", []string{"VLLM_"}, nil},
	}
}

// Of are the exporters of the stack's compose file, in its order. releases, which may be
// nil, are acted out in place of those that the images name, by the exporter's name.
func Of(s *stack.Stack, releases map[string]string) []Running {
	if s.Compose == nil {
		return nil
	}
	var out []Running
	for _, svc := range s.Compose.Services {
		for _, name := range standard.Names() {
			if k, known := kinds()[name]; known && repository(svc.Image.Value) == k.image {
				out = append(out, running(s, svc, name, k, releases[name]))
			}
		}
	}
	return out
}

// repository is the last part of an image's name.
func repository(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return path.Base(reference.Path(named))
}

// tag is what an image's reference says of its version, "" for nothing.
func tag(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	if tagged, ok := named.(reference.Tagged); ok {
		return tagged.Tag()
	}
	return ""
}

func running(s *stack.Stack, svc *stack.Service, name string, k kind, instead string) Running {
	r := Running{Service: svc, Name: name, Setup: fakes.Setup{Args: arguments(svc, k), Hostname: svc.Hostname, Env: k.environment(svc)}}
	port := k.port(svc, name)
	r.Addresses, r.Silent = addresses(s, svc, port), silent(s, svc, name, port)
	var err error
	if r.Setup.Files, err = files(s, svc, r.Setup, k); err != nil {
		r.Refused = err
		return r
	}
	if v, err := release.Parse(tag(svc.Image.Value)); err == nil {
		r.Version = v.String()
	}
	if instead != "" {
		r.Version, r.Setup.Version = instead, instead
	} else {
		r.Setup.Version, r.Note = acted(svc, name)
	}
	made, err := try(name, r.Setup)
	r.Refused = err
	if mute(made) {
		r.Addresses, r.Silent = nil, append(r.Addresses, r.Silent...)
	}
	return r
}

// mute says whether an exporter runs and lets nobody scrape it.
func mute(e fakes.Exporter) bool {
	t, ok := e.(*triton.Exporter)
	return ok && !t.Listens()
}

// acted is the release to act out for a service, and what to say of it.
func acted(svc *stack.Service, name string) (version, note string) {
	image := svc.Image.Value
	newest := Newest(name)
	v, err := release.Parse(tag(image))
	if err != nil {
		return "", fmt.Sprintf("the image %s of service %q names no release: %s %s is acted out, the newest that is known", image, svc.Name, standard.Title(name), newest)
	}
	if err := Try(name, fakes.Setup{Version: v.String()}); err != nil {
		return "", fmt.Sprintf("%s %s of service %q is not acted out: %s is, the newest that is known", standard.Title(name), v, svc.Name, newest)
	}
	if known, err := release.Parse(newest); err == nil && v.Compare(known) > 0 && v.String() != release.Tip {
		note = fmt.Sprintf("%s %s of service %q is newer than what is known of it: %s is acted out under its name", standard.Title(name), v, svc.Name, newest)
	}
	return v.String(), note
}

// Newest is the newest release of an exporter that is acted out, which a fake does that is
// told none: the development branch is no release. "" where nothing is acted out.
func Newest(name string) string {
	for _, v := range slices.Backward(standard.Versions(name)) {
		if v != release.Tip {
			return v
		}
	}
	return ""
}

// Acted is the release that a fake acts out which is set up like this, "" where it plays
// back a recording.
func Acted(name string, setup fakes.Setup) string {
	if setup.Version == "" {
		return Newest(name)
	}
	if v, err := release.Parse(setup.Version); err == nil {
		return v.String()
	}
	return setup.Version
}

// Try says why the real exporter would not start that is set up like this.
func Try(name string, setup fakes.Setup) error {
	_, err := try(name, setup)
	return err
}

func try(name string, setup fakes.Setup) (fakes.Exporter, error) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	if err != nil {
		return nil, fmt.Errorf("try the setup of %s: %w", name, err)
	}
	return standard.ByName(name, "host", fakes.NewWorld(scenario, time.Unix(1_700_000_000, 0)), setup)
}

// arguments are the words of the command line behind the program's name, which an
// image's own entrypoint has.
func arguments(svc *stack.Service, k kind) []string {
	if args, found := svc.Arguments(k.programs...); found {
		return args
	}
	return slices.Clone(svc.Command)
}

// environment are the variables that the exporter reads; others may hold secrets, and
// are none of a scrape's.
func (k kind) environment(svc *stack.Service) map[string]string {
	var out map[string]string
	for name, value := range svc.Environment {
		if slices.ContainsFunc(k.env, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = value.Value
		}
	}
	return out
}

// files are the contents of the files that the command line and the environment name, and
// of those that are read without, as far as mounts bring them.
func files(s *stack.Stack, svc *stack.Service, setup fakes.Setup, k kind) (map[string]string, error) {
	named := slices.Clone(k.files)
	for _, arg := range setup.Args {
		_, value, _ := strings.Cut(arg, "=")
		named = append(named, arg, value)
	}
	for _, value := range setup.Env {
		named = append(named, value)
	}
	var out map[string]string
	for _, name := range named {
		if !path.IsAbs(name) {
			continue
		}
		content, ok, err := s.Mounted(svc, name)
		if err != nil {
			return nil, err
		}
		if ok {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = content
		}
	}
	return out, nil
}

// port is the one on which the exporter of a service listens.
func (k kind) port(svc *stack.Service, name string) int {
	usual, _ := standard.Port(name) // of a name that is known
	said := svc.Environment[k.listenEnv].Value
	for _, flag := range k.listen {
		if value, set := svc.Flag(flag); set {
			said = value
			break
		}
	}
	number := said[strings.LastIndex(said, ":")+1:]
	if port, err := strconv.Atoi(number); err == nil && port > 0 {
		return port
	}
	return usual
}

// addresses are those under which the stack's Prometheus reaches a port of a service:
// by the service's names on their network, and by the host's where it is published.
func addresses(s *stack.Stack, svc *stack.Service, port int) []string {
	outside := hostNames(s)
	hosts := insideNames(svc)
	if svc.NetworkHost {
		hosts = outside
	}
	out := at(nil, port, hosts)
	for _, p := range svc.Ports {
		if p.Target == port && p.Published != 0 && p.Protocol != "udp" {
			out = at(out, p.Published, outside)
		}
	}
	return out
}

// silent are the addresses at which a service that is an exporter does not answer, though
// they look as if it did. Of a service in the host's network nothing is known: another
// program may listen there.
func silent(s *stack.Stack, svc *stack.Service, name string, port int) []string {
	if svc.NetworkHost {
		return nil
	}
	var out []string
	usual, _ := standard.Port(name) // of a name that is known
	if usual != port && svc.NetworkOf == "" {
		out = at(out, usual, insideNames(svc))
	}
	for _, p := range svc.Ports {
		if p.Published == usual && p.Target != port && p.Protocol != "udp" {
			out = at(out, usual, hostNames(s))
		}
	}
	return out
}

// insideNames are what a service is called in the stack's network.
func insideNames(svc *stack.Service) []string {
	return append([]string{svc.Name, svc.ContainerName, svc.Hostname, svc.NetworkOf}, svc.Aliases...)
}

// at adds a port of hosts to addresses, each once.
func at(out []string, port int, hosts []string) []string {
	for _, h := range hosts {
		if a := net.JoinHostPort(h, strconv.Itoa(port)); h != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// hostNames are what the stack's Prometheus calls the machine that runs the stack.
func hostNames(s *stack.Stack) []string {
	names := []string{"host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
	if s.Prometheus == nil || s.Prometheus.Service == nil || s.Prometheus.Service.NetworkHost {
		return append(names, "localhost", "127.0.0.1")
	}
	for host, to := range s.Prometheus.Service.ExtraHosts {
		if to == "host-gateway" {
			names = append(names, host)
		}
	}
	slices.Sort(names)
	return names
}
