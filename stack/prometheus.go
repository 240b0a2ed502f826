package stack

import (
	"context"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

const (
	prometheusConfigDir = "/etc/prometheus"
	prometheusConfig    = prometheusConfigDir + "/prometheus.yml"
	prometheusPort      = 9090
)

// loadPrometheus finds prometheus.yml the way the container would, through the
// mounts of the service that runs Prometheus, or else by its usual names.
func (l *loader) loadPrometheus(ctx context.Context) {
	service := l.service(RolePrometheus, prometheusPort, isPrometheusImage, isPrometheusCommand)
	p := &Prometheus{Service: service, ContainerPath: configFlag(service), paths: service, unmapped: filepath.Join(l.stack.Dir, ".not-mounted")}
	if p.ContainerPath == "" {
		p.ContainerPath = prometheusConfig
	}
	host, mounted := service.HostPath(p.ContainerPath)
	inline := service.inlineAt(p.ContainerPath)
	switch {
	case inline != nil:
		p.Inline, p.Content, p.origin = true, inline.Content, inline.origin
		host = filepath.Join(l.stack.Dir, filepath.FromSlash(inline.origin.Pos.File))
	case mounted && !isFile(host):
		l.missingConfig(service, p.ContainerPath, host)
		return
	case !mounted:
		if host = l.conventionalPrometheus(service); host == "" {
			return
		}
		p.ByConvention = true
		p.paths = service.with(Mount{Type: mountBind, Source: filepath.Dir(host), Target: path.Dir(p.ContainerPath)})
		p.ContainerPath = path.Join(path.Dir(p.ContainerPath), filepath.Base(host))
	}
	p.Path, p.File = host, l.rel(host)
	if !p.Inline {
		p.origin = source.WholeFile(p.File)
	}
	l.stack.Prometheus = p
	l.readPrometheus(ctx, p)
}

// missingConfig reports a config file that a mount should bring and does not,
// unless the missing mount is a problem of the compose file already.
func (l *loader) missingConfig(service *Service, containerPath, host string) {
	for _, m := range service.Mounts {
		if m.Source == host && m.SourceMissing && looksLikeFile(m.Source) {
			return
		}
	}
	l.problem(AreaPrometheus, service.Pos, "Prometheus reads %s, which would be %s, and there is no such file", containerPath, l.rel(host))
}

// service is the one that an option names for the role, or else the first of the
// compose file that the surest sign tells: the signs in order, and a port it
// listens on after them.
func (l *loader) service(role string, port int, signs ...func(*Service) bool) *Service {
	if s := l.chosen(role); s != nil || l.stack.Compose == nil {
		return s
	}
	listens := func(s *Service) bool {
		return slices.ContainsFunc(s.Ports, func(p Port) bool { return p.Target == port })
	}
	for _, sign := range append(signs, listens) {
		if i := slices.IndexFunc(l.stack.Compose.Services, sign); i >= 0 {
			return l.stack.Compose.Services[i]
		}
	}
	return nil
}

// imageName is the last part of an image's name, without registry, tag and digest.
func imageName(image string) (name, tag string) {
	image, _, _ = strings.Cut(image, "@")
	name, tag, _ = strings.Cut(path.Base(image), ":")
	return name, tag
}

func isPrometheusImage(s *Service) bool {
	name, _ := imageName(s.Image.Value)
	return name == "prometheus"
}

// isPrometheusCommand knows Prometheus in an image of another name by the file
// that it is told to read.
func isPrometheusCommand(s *Service) bool {
	return strings.Contains(path.Base(configFlag(s)), "prometheus")
}

// configFlag is the value of --config.file, "" without the flag and where a
// shell would fill it in.
func configFlag(s *Service) string {
	value, _ := s.Flag("config.file")
	if strings.ContainsAny(value, "$`") {
		return ""
	}
	return value
}

// with is the service with one more mount, for files whose mount is not in the
// compose file. The mounts there still win.
func (s *Service) with(m Mount) *Service {
	out := &Service{}
	if s != nil {
		*out = *s
	}
	out.Mounts = append([]Mount{m}, out.Mounts...)
	return out
}

// conventionalPrometheus looks for prometheus.yml where people keep it. Nothing
// found is a problem where a service is there to read it.
func (l *loader) conventionalPrometheus(service *Service) string {
	for _, name := range []string{"prometheus/prometheus.yml", "prometheus/prometheus.yaml", "prometheus.yml", "prometheus.yaml"} {
		if p := filepath.Join(l.stack.Dir, filepath.FromSlash(name)); isFile(p) {
			return p
		}
	}
	found := l.search("prometheus.yml", "prometheus.yaml")
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		var names []string
		for _, f := range found {
			names = append(names, l.rel(f))
		}
		l.problem(AreaPrometheus, source.Pos{File: names[0]}, "no mount says which of these Prometheus reads: %s", strings.Join(names, ", "))
	case service != nil && (service == l.chosen(RolePrometheus) || isPrometheusImage(service) || isPrometheusCommand(service)): // not just anything on its port
		l.problem(AreaPrometheus, service.Pos, "no mount brings a prometheus.yml into the container of %q, and none is found in the stack", service.Name)
	}
	return ""
}

// searchDepth is how deep search looks: deep enough for every layout seen,
// shallow enough not to walk somebody's home directory.
const searchDepth = 4

// notSearched are directories that hold other things under the same names:
// Grafana's datasources are often provisioned by a file called prometheus.yaml.
func notSearched() []string {
	return []string{"node_modules", "provisioning", "datasources", "dashboards"}
}

// search finds files of these names below the stack's directory.
func (l *loader) search(names ...string) []string {
	var found []string
	// The walk's own function returns no error but SkipDir: what cannot be read is passed over here.
	_ = filepath.WalkDir(l.stack.Dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir():
			depth := strings.Count(l.rel(p), "/") + 1
			if p != l.stack.Dir && (depth >= searchDepth || strings.HasPrefix(d.Name(), ".") || slices.Contains(notSearched(), d.Name())) {
				return fs.SkipDir
			}
		default:
			for _, name := range names {
				if d.Name() == name && isFile(p) {
					found = append(found, p)
				}
			}
		}
		return nil
	})
	return found
}
