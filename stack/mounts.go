package stack

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// HostPath says where on this machine a path inside the service's container
// comes from. The mount with the longest target decides, as in the container;
// ok is false where that is no bind mount, where there is none, and where a
// symbolic link would lead out of the mounted directory, which the container
// could not follow. The path itself need not exist.
func (s *Service) HostPath(containerPath string) (host string, ok bool) {
	best, rest := s.mountAt(containerPath)
	if best == nil || best.Source == "" || best.Type != mountBind && best.Type != mountConfig {
		return "", false
	}
	host = filepath.Join(best.Source, filepath.FromSlash(rest))
	root, err := filepath.EvalSymlinks(best.Source)
	if err != nil {
		return host, true // nothing there yet that could lead elsewhere
	}
	return host, within(root, resolveExisting(host))
}

// mountAt is the mount that a path inside the container lies in, nil for none,
// and the path below its target.
func (s *Service) mountAt(containerPath string) (best *Mount, rest string) {
	if s == nil {
		return nil, ""
	}
	p := path.Clean("/" + containerPath)
	for i := range s.Mounts {
		m := &s.Mounts[i]
		r, inside := below(path.Clean("/"+m.Target), p)
		if inside && (best == nil || len(path.Clean("/"+m.Target)) >= len(path.Clean("/"+best.Target))) {
			best, rest = m, r
		}
	}
	return best, rest
}

// inlineAt is the mount whose content, given in the compose file, is the file at
// a path inside the container; nil where something else is.
func (s *Service) inlineAt(containerPath string) *Mount {
	m, rest := s.mountAt(containerPath)
	if m == nil || !m.Inline || m.Content == nil || rest != "" {
		return nil
	}
	return m
}

// The types of mounts that bring files of this machine.
const (
	mountBind   = "bind"
	mountConfig = "config"
)

// below is p relative to dir where it is dir or inside of it.
func below(dir, p string) (rest string, ok bool) {
	switch {
	case p == dir:
		return "", true
	case dir == "/":
		return p[1:], true
	case strings.HasPrefix(p, dir+"/"):
		return p[len(dir)+1:], true
	default:
		return "", false
	}
}

// resolveExisting follows the symbolic links of the part of p that exists.
func resolveExisting(p string) string {
	missing := ""
	for {
		if resolved, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(resolved, missing)
		}
		if info, err := os.Lstat(p); err == nil && info.Mode()&os.ModeSymlink != 0 {
			if target, err := os.Readlink(p); err == nil { // dangling: judge where it points
				if !filepath.IsAbs(target) {
					target = filepath.Join(filepath.Dir(p), target)
				}
				return filepath.Join(target, missing)
			}
		}
		parent := filepath.Dir(p)
		if parent == p {
			return filepath.Join(p, missing)
		}
		missing = filepath.Join(filepath.Base(p), missing)
		p = parent
	}
}
