package stack

import (
	"bytes"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/panelgate/panelgate/stack/source"
)

func (c *composeReader) service(cs types.ServiceConfig) *Service {
	s := &Service{
		Name:          cs.Name,
		Pos:           c.servicePos(cs.Name),
		ContainerName: cs.ContainerName,
		Image:         source.Text{Value: cs.Image, Pos: c.at(cs.Name, "image").Pos()},
		HasBuild:      cs.Build != nil,
		Profiles:      cs.Profiles,
		Entrypoint:    cs.Entrypoint,
		Command:       cs.Command,
		Environment:   c.environment(cs),
		Expose:        cs.Expose,
		ExtraHosts:    map[string]string{},
		NetworkHost:   cs.NetworkMode == "host",
		NetworkOf:     sharedNetwork(cs.NetworkMode),
	}
	for host, ips := range cs.ExtraHosts {
		s.ExtraHosts[host] = strings.Join(ips, ",")
	}
	for name, n := range cs.Networks {
		s.Networks = append(s.Networks, name)
		if n != nil {
			s.Aliases = append(s.Aliases, n.Aliases...)
		}
	}
	slices.Sort(s.Networks)
	if len(s.Networks) == 0 && cs.NetworkMode == "" {
		s.Networks = []string{"default"}
	}
	for _, p := range cs.Ports {
		s.Ports = append(s.Ports, c.port(s, p))
	}
	for _, v := range cs.Volumes {
		s.Mounts = append(s.Mounts, c.volume(s, v))
	}
	for _, f := range cs.Configs {
		s.Mounts = append(s.Mounts, c.fileObject(s, "configs", types.FileReferenceConfig(f), types.FileObjectConfig(c.model.Configs[f.Source])))
	}
	for _, f := range cs.Secrets {
		s.Mounts = append(s.Mounts, c.fileObject(s, "secrets", types.FileReferenceConfig(f), types.FileObjectConfig(c.model.Secrets[f.Source])))
	}
	return s
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
	m := Mount{Type: mountConfig, Source: obj.File, Target: ref.Target, ReadOnly: true, Pos: c.listed(s.Name, section, ref.Source)}
	switch {
	case m.Target == "" && section == "configs":
		m.Target = "/" + ref.Source
	case m.Target == "":
		m.Target = "/run/secrets/" + ref.Source
	case !path.IsAbs(m.Target) && section == "secrets":
		m.Target = "/run/secrets/" + m.Target
	}
	if m.Source == "" {
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

// sharedNetwork is the service that network_mode: service:NAME names.
func sharedNetwork(mode string) string {
	name, ok := strings.CutPrefix(mode, "service:")
	if !ok {
		return ""
	}
	return name
}
