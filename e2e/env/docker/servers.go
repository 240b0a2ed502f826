package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// The roles of the services that are started.
const (
	rolePrometheus = "prometheus"
	roleGrafana    = "grafana"
)

// service makes the spec of a compose service: what compose would start, but for
// where its files come from and what it keeps.
func (r *run) service(s *stack.Service, role string, info imageInfo, image string) (spec, error) {
	sp := spec{
		name: s.Name, image: image, entrypoint: s.Entrypoint, command: s.Command,
		user: s.User, workingDir: s.WorkingDir, hostname: s.Hostname, health: s.Healthcheck,
		capAdd: s.CapAdd, env: map[string]string{}, networks: map[string][]string{}, volumes: map[string]string{}, tmpfs: map[string]string{},
	}
	for k, v := range s.Environment {
		sp.env[k] = v.Value
	}
	for _, n := range networksOf(s) {
		sp.networks[n] = namesOf(s)
	}
	data := r.dataDirs(s, role, info)
	for _, t := range s.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		sp.memory(path.Clean("/"+target), options, data)
	}
	sp.extraHosts = r.extraHosts(s)
	return sp, r.mount(&sp, s, data)
}

// memory mounts a file system in memory. Where data is kept on it, it is a volume:
// what is put into a container before it starts does not get into memory.
func (s *spec) memory(target, options string, data []string) {
	if holds(target, data) {
		s.volumes[target] = ""
		return
	}
	s.tmpfs[target] = options
}

// extraHosts are the service's own entries of /etc/hosts, without those for which
// the fakes answer: the machine that runs the stack, and in Prometheus whoever is
// scraped.
func (r *run) extraHosts(s *stack.Service) []string {
	var out []string
	scrapes := s == r.stack.Prometheus.Service
	for name, to := range s.ExtraHosts {
		live := scrapes && r.liveHost(name)
		if to == "host-gateway" && !live || scrapes && r.faked(name) {
			continue
		}
		for _, ip := range strings.Split(to, ",") {
			out = append(out, name+":"+ip)
		}
	}
	slices.Sort(out)
	return out
}

// faked says whether fakes answer for a host.
func (r *run) faked(name string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(r.layout.host.aliases)), func(names []string) bool { return slices.Contains(names, name) })
}

// liveHost says whether a target that is scraped where it is has this host.
func (r *run) liveHost(name string) bool {
	for _, l := range r.past.Lines {
		if host, _, err := net.SplitHostPort(l.Address); err == nil && l.Live && host == name {
			return true
		}
	}
	return false
}

// dataDirs are the directories in which a server keeps what it writes. Whatever is
// mounted there in production stays there: a run begins with nothing.
func (r *run) dataDirs(s *stack.Service, role string, info imageInfo) []string {
	if role == roleGrafana {
		dir := "/var/lib/grafana"
		for _, env := range []string{info.env["GF_PATHS_DATA"], s.Environment["GF_PATHS_DATA"].Value} {
			if env != "" {
				dir = env
			}
		}
		return []string{dir}
	}
	if role == rolePrometheus {
		return []string{storagePath(s, info)}
	}
	return nil
}

// storagePath is where Prometheus keeps its blocks, by its flags, the image's or
// its own default.
func storagePath(s *stack.Service, info imageInfo) string {
	dir, ok := s.Flag("storage.tsdb.path")
	if !ok && len(s.Command) == 0 && len(s.Entrypoint) == 0 {
		dir, ok = (&stack.Service{Command: append(slices.Clone(info.entrypoint), info.command...)}).Flag("storage.tsdb.path")
	}
	if !ok {
		dir = "data"
	}
	if !path.IsAbs(dir) {
		base := info.workingDir
		if s.WorkingDir != "" {
			base = s.WorkingDir
		}
		dir = path.Join("/", base, dir)
	}
	return path.Clean(dir)
}

// mount brings in what the service mounts: files kept as code are copied, volumes
// and data begin empty.
func (r *run) mount(sp *spec, s *stack.Service, data []string) error {
	mounts := slices.Clone(s.Mounts)
	slices.SortStableFunc(mounts, func(a, b stack.Mount) int { return strings.Count(a.Target, "/") - strings.Count(b.Target, "/") })
	for _, m := range mounts {
		if err := r.mountOne(sp, m, data); err != nil {
			return fmt.Errorf("%s: mount %s of service %q: %w", m.Pos, m.Target, s.Name, err)
		}
	}
	for _, dir := range data {
		if name := r.kept(s.Name, dir); name != "" && !covered(sp.volumes, dir) {
			sp.volumes[dir] = name
		}
		if covered(sp.volumes, dir) {
			sp.files.open(dir) // a new volume belongs to root where the image has nothing at its path
		}
	}
	sp.files = sp.files.inOrder()
	return nil
}

// covered says whether a volume is mounted at a directory or above it.
func covered(volumes map[string]string, dir string) bool {
	for target := range volumes {
		if below(target, dir) {
			return true
		}
	}
	return false
}

// below says whether p is dir or lies inside of it.
func below(dir, p string) bool {
	dir, p = path.Clean(dir), path.Clean(p)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// holds says whether one of the directories is dir or inside of it.
func holds(dir string, data []string) bool {
	return slices.ContainsFunc(data, func(d string) bool { return below(dir, d) })
}

func (r *run) mountOne(sp *spec, m stack.Mount, data []string) error {
	target := path.Clean("/" + m.Target)
	switch {
	case m.Type == "tmpfs":
		sp.memory(target, "", data)
	case m.Type == "volume":
		sp.volumes[target] = r.volume(m.Source)
	case holds(target, data):
		sp.volumes[target] = r.volume(m.Source)
	case m.Inline:
		sp.files.add(target, m.Content, cmpMode(m.Mode))
	case m.Source == "":
		// An external config: compose says what it thinks of it.
	case !m.Relative && !r.insideStack(m.Source):
		return r.outsideMount(sp, m, target)
	case m.SourceMissing:
		sp.files.open(target) // as the engine would
	default:
		return sp.files.tree(m.Source, target)
	}
	return nil
}

func cmpMode(mode os.FileMode) os.FileMode {
	if mode == 0 {
		return 0o444
	}
	return mode
}

// outsideMount is a path of this machine that is not kept as code: a single file,
// such as a certificate, is taken along; a directory is somebody's data.
func (r *run) outsideMount(sp *spec, m stack.Mount, target string) error {
	info, err := os.Stat(m.Source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		sp.files.open(target)
	case err != nil:
		return err
	case info.IsDir():
		sp.volumes[target] = r.volume(m.Source)
		r.notef("%s: %s lies outside of the stack: its place in the container of %s is empty", m.Pos, m.Source, sp.name)
	case info.Mode().IsRegular():
		return sp.files.tree(m.Source, target)
	}
	return nil
}

func (r *run) insideStack(source string) bool {
	rel, err := filepath.Rel(r.stack.Dir, source)
	return err == nil && filepath.IsLocal(rel)
}

// volume is the run's volume for one of the compose file, "" for an unnamed one.
func (r *run) volume(name string) string {
	if name == "" {
		return ""
	}
	if r.opts.Data != nil {
		return r.opts.Data.volume(name)
	}
	return r.engine.prefix() + volumeName(name)
}

// kept is the volume of a directory whose content outlives the container, "" where
// none has to.
func (r *run) kept(service, dir string) string {
	if r.opts.Data == nil {
		return ""
	}
	return r.opts.Data.volume(service + dir)
}

// volumeName makes a name that the engine takes of a path.
func volumeName(name string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '-'
	}, name), "-.")
}

// prometheusSpec is the container of Prometheus, its past laid down and its scrapes
// hurried.
func (r *run) prometheusSpec(ctx context.Context, image string, info imageInfo) (spec, error) {
	s := r.stack.Prometheus.Service
	sp, err := r.service(s, rolePrometheus, info, image)
	if err != nil {
		return spec{}, err
	}
	if err := r.trustFakes(&sp); err != nil {
		return spec{}, err
	}
	if dir := r.pastDir; r.opts.Data == nil || !r.opts.Data.laid {
		if err := sp.files.blocks(dir, storagePath(s, info)); err != nil {
			return spec{}, fmt.Errorf("lay down the past: %w", err)
		}
	}
	r.conventional(&sp, r.stack.Prometheus.ByConvention, r.stack.Prometheus.Path, r.stack.Prometheus.ContainerPath)
	r.hurry(&sp, s, info)
	return sp, ctx.Err()
}

// conventional copies a file that no mount brings, but that the model found by its
// usual name, to where the server reads it.
func (r *run) conventional(sp *spec, found bool, source, target string) {
	if !found {
		return
	}
	r.notef("no mount brings %s into the container of %s: it is put at %s for the run", filepath.Base(source), sp.name, target)
	if err := sp.files.tree(source, target); err != nil {
		r.logger.Warn("cannot read a file of the stack", "file", source, "err", err)
	}
}

// grafanaSpec is the container of Grafana, with a login of the run's own and
// without the calls home.
func (r *run) grafanaSpec(image string, info imageInfo) (spec, error) {
	g := r.stack.Grafana
	sp, err := r.service(g.Service, roleGrafana, info, image)
	if err != nil {
		return spec{}, err
	}
	if g.ByConvention && g.ProvisioningDir != "" {
		target := g.Env["GF_PATHS_PROVISIONING"]
		r.conventional(&sp, true, g.ProvisioningDir, target)
	}
	for _, key := range []string{"GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_SECURITY_ADMIN_USER__FILE"} {
		delete(sp.env, key)
	}
	if sp.env["GF_SECURITY_ADMIN_USER"] == "" {
		sp.env["GF_SECURITY_ADMIN_USER"] = "admin"
	}
	sp.env["GF_SECURITY_ADMIN_PASSWORD"] = r.password
	sp.env["GF_AUTH_BASIC_ENABLED"] = "true"
	for k, v := range quietGrafana() {
		if _, set := sp.env[k]; !set {
			sp.env[k] = v
		}
	}
	return sp, nil
}

// quietGrafana keeps Grafana from asking the internet for news and from fetching
// plugins that the stack has not asked for.
func quietGrafana() map[string]string {
	return map[string]string{
		"GF_ANALYTICS_REPORTING_ENABLED":        "false",
		"GF_ANALYTICS_CHECK_FOR_UPDATES":        "false",
		"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
		"GF_PLUGINS_PREINSTALL_DISABLED":        "true",
		"GF_NEWS_NEWS_FEED_ENABLED":             "false",
	}
}

// roles are the services that the run starts, by role.
func (r *run) roles() map[string]*stack.Service {
	out := map[string]*stack.Service{}
	if p := r.stack.Prometheus; p != nil && p.Service != nil {
		out[rolePrometheus] = p.Service
	}
	if g := r.stack.Grafana; g != nil && g.Service != nil {
		out[roleGrafana] = g.Service
	}
	return out
}

// startedServices are the services whose containers the run starts.
func (r *run) startedServices() []*stack.Service {
	roles := r.roles()
	var out []*stack.Service
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		out = append(out, roles[role])
	}
	return out
}
