package stack

import (
	"bytes"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/panelgate/panelgate/stack/source"
)

func (c *composeReader) service(cs types.ServiceConfig) *Service {
	s := &Service{
		Name:            cs.Name,
		Pos:             c.servicePos(cs.Name),
		ContainerName:   cs.ContainerName,
		Restart:         cs.Restart,
		Hostname:        cs.Hostname,
		Image:           source.Text{Value: cs.Image, Pos: c.at(cs.Name, "image").Pos()},
		HasBuild:        cs.Build != nil,
		Profiles:        cs.Profiles,
		Entrypoint:      cs.Entrypoint,
		Command:         cs.Command,
		User:            cs.User,
		WorkingDir:      cs.WorkingDir,
		Environment:     c.environment(cs),
		Expose:          cs.Expose,
		Tmpfs:           cs.Tmpfs,
		ReadOnly:        cs.ReadOnly,
		CapAdd:          cs.CapAdd,
		ExtraHosts:      map[string]string{},
		NetworkHost:     cs.NetworkMode == "host",
		NetworkOf:       sharedNetwork(cs.NetworkMode),
		DependsOn:       c.dependencies(cs),
		Healthcheck:     c.healthcheck(cs),
		StopSignal:      cs.StopSignal,
		StopGracePeriod: span(cs.StopGracePeriod),
	}
	for host, ips := range cs.ExtraHosts {
		s.ExtraHosts[host] = strings.Join(ips, ",")
	}
	s.setNetworks(cs)
	for _, p := range cs.Ports {
		s.Ports = append(s.Ports, c.port(s, p))
	}
	c.addMounts(s, cs)
	return s
}

func (s *Service) setNetworks(cs types.ServiceConfig) {
	s.NetworkAliases = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(cs.Networks)) {
		s.Networks = append(s.Networks, name)
		if n := cs.Networks[name]; n != nil && len(n.Aliases) > 0 {
			s.Aliases = append(s.Aliases, n.Aliases...)
			s.NetworkAliases[name] = n.Aliases
		}
	}
	if len(s.Networks) == 0 && cs.NetworkMode == "" {
		s.Networks = []string{"default"}
	}
}

func (c *composeReader) addMounts(s *Service, cs types.ServiceConfig) {
	for _, v := range cs.Volumes {
		s.Mounts = append(s.Mounts, c.volume(s, v))
	}
	for _, f := range cs.Configs {
		s.Mounts = append(s.Mounts, c.fileObject(s, "configs", types.FileReferenceConfig(f), types.FileObjectConfig(c.model.Configs[f.Source])))
	}
	for _, f := range cs.Secrets {
		s.Mounts = append(s.Mounts, c.fileObject(s, "secrets", types.FileReferenceConfig(f), types.FileObjectConfig(c.model.Secrets[f.Source])))
	}
}

// dependencies are what a service waits for, by name: what depends_on says, and
// what compose adds for links, volumes_from and shared namespaces.
func (c *composeReader) dependencies(cs types.ServiceConfig) []Dependency {
	var out []Dependency
	for _, name := range slices.Sorted(maps.Keys(cs.DependsOn)) {
		d := cs.DependsOn[name]
		out = append(out, Dependency{Name: name, Condition: d.Condition, Required: d.Required, Pos: c.dependencyPos(cs.Name, name)})
	}
	return out
}

// healthcheck is nil where the file has none.
func (c *composeReader) healthcheck(cs types.ServiceConfig) *Healthcheck {
	h := cs.HealthCheck
	if h == nil {
		return nil
	}
	out := &Healthcheck{
		Test:          h.Test,
		Interval:      span(h.Interval),
		Timeout:       span(h.Timeout),
		StartPeriod:   span(h.StartPeriod),
		StartInterval: span(h.StartInterval),
		Disabled:      h.Disable || len(h.Test) > 0 && h.Test[0] == "NONE",
		Pos:           c.keyPos(cs.Name, "healthcheck"),
	}
	if h.Retries != nil {
		out.Retries = int(min(*h.Retries, math.MaxInt32))
	}
	return out
}

// span is a duration that the file may leave out.
func span(d *types.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

// environment is what the container gets: env_file in order, environment over it.
func (c *composeReader) environment(cs types.ServiceConfig) map[string]source.Text {
	env := map[string]source.Text{}
	vars := map[string]string{}
	for _, f := range cs.EnvFiles {
		pos := c.listed(cs.Name, "env_file", filepath.Base(f.Path))
		if _, err := os.Stat(f.Path); err != nil {
			if f.Required {
				c.problem(AreaCompose, pos, "env_file %s is not there", c.rel(f.Path))
			}
			continue
		}
		data, err := c.read(f.Path)
		if err == nil {
			err = dotenv.ParseWithFormat(bytes.NewReader(data), f.Path, vars, c.lookup, f.Format)
		}
		if err != nil {
			c.report(AreaCompose, c.rel(f.Path), err)
			continue
		}
		for k, v := range vars {
			env[k] = source.Text{Value: v, Pos: pos}
		}
	}
	maps.DeleteFunc(cs.Environment, func(_ string, v *string) bool { return v == nil }) // unset on this machine
	for k, v := range cs.Environment {
		env[k] = source.Text{Value: *v, Pos: c.environmentPos(cs.Name, k)}
	}
	return env
}

func (c *composeReader) lookup(name string) (string, bool) {
	v, ok := c.env[name]
	return v, ok
}

func (c *composeReader) port(s *Service, p types.ServicePortConfig) Port {
	out := Port{HostIP: p.HostIP, Target: int(p.Target), Protocol: p.Protocol, Pos: c.portPos(s.Name, p)}
	if p.Published != "" {
		first, _, _ := strings.Cut(p.Published, "-") // of a range the engine picks one
		n, err := strconv.Atoi(first)
		if err != nil {
			c.problem(AreaCompose, out.Pos, "service %q publishes %q, which is no port", s.Name, p.Published)
		}
		out.Published = n
	}
	return out
}

func (c *composeReader) volume(s *Service, v types.ServiceVolumeConfig) Mount {
	m := Mount{Type: v.Type, Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly}
	var written string
	m.Pos, written = c.volumePos(s.Name, v.Target)
	if m.Pos.IsZero() {
		m.Pos = s.Pos
	}
	if v.Volume != nil {
		m.SubPath = v.Volume.Subpath
	}
	if m.Type != mountBind {
		return m
	}
	m.Relative = strings.HasPrefix(written, ".")
	if _, err := os.Stat(m.Source); err == nil {
		return m
	}
	m.SourceMissing = true
	if (m.Relative || within(c.stack.Dir, m.Source)) && looksLikeFile(m.Source) && looksLikeFile(m.Target) {
		c.problem(AreaCompose, m.Pos, "service %q mounts %s, which is not there: compose would create a directory of that name", s.Name, c.rel(m.Source))
	}
	return m
}

// looksLikeFile says whether a path's name has an extension that directories do
// not usually have.
func looksLikeFile(p string) bool {
	ext := path.Ext(filepath.ToSlash(p))
	return ext != "" && ext != ".d" && ext != path.Base(filepath.ToSlash(p))
}

// fileObject is a config or a secret, which compose puts into the container as a file.
func (c *composeReader) fileObject(s *Service, section string, ref types.FileReferenceConfig, obj types.FileObjectConfig) Mount {
	m := Mount{
		Type: mountConfig, Source: obj.File, Target: objectTarget(section, ref), ReadOnly: true,
		External: bool(obj.External), UID: ref.UID, GID: ref.GID, Pos: c.listed(s.Name, section, ref.Source),
	}
	if ref.Mode != nil {
		m.Mode = fs.FileMode(*ref.Mode) & fs.ModePerm
	}
	if m.Source == "" {
		c.inline(&m, section, ref.Source, obj)
		return m
	}
	pos := c.top(section, ref.Source, "file").Pos()
	m.Relative = !filepath.IsAbs(c.top(section, ref.Source, "file").Str())
	if _, err := os.Stat(m.Source); err != nil {
		m.SourceMissing = true
		c.problem(AreaCompose, pos, "%s %q is the file %s, which is not there", strings.TrimSuffix(section, "s"), ref.Source, c.rel(m.Source))
	}
	return m
}

// objectTarget is the path that a config or a secret gets in the container.
func objectTarget(section string, ref types.FileReferenceConfig) string {
	switch {
	case ref.Target == "" && section == "configs":
		return "/" + ref.Source
	case ref.Target == "":
		return "/run/secrets/" + ref.Source
	case !path.IsAbs(ref.Target) && section == "secrets":
		return "/run/secrets/" + ref.Target
	}
	return ref.Target
}

// inline fills in the content of a config or secret that is no file. compose-go
// has looked up what comes from a variable.
func (c *composeReader) inline(m *Mount, section, name string, obj types.FileObjectConfig) {
	content := c.top(section, name, "content")
	variable := c.top(section, name, "environment")
	if m.External || obj.Content == "" && obj.Environment == "" && !content.Exists() {
		return
	}
	m.Inline = true
	if _, set := c.lookup(obj.Environment); set || obj.Environment == "" {
		m.Content = []byte(obj.Content)
	}
	switch {
	case obj.Environment != "" && variable.Exists():
		m.origin = source.Origin{Pos: variable.Pos()}
	case content.Exists():
		m.origin = content.Origin()
	default: // it came by "include"
		m.origin = source.Origin{Pos: m.Pos}
	}
}

// sharedNetwork is the service that network_mode: service:NAME names.
func sharedNetwork(mode string) string {
	name, ok := strings.CutPrefix(mode, "service:")
	if !ok {
		return ""
	}
	return name
}
