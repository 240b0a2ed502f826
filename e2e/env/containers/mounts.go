package containers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

// DataDirs are the directories in which a server keeps what it writes. Whatever is
// mounted there in production stays there: a run begins with nothing.
func DataDirs(s *stack.Service, role string, image Image) []string {
	if role == roleGrafana {
		dir := "/var/lib/grafana"
		for _, env := range []string{image.Env["GF_PATHS_DATA"], s.Environment["GF_PATHS_DATA"].Value} {
			if env != "" {
				dir = env
			}
		}
		return []string{dir}
	}
	if role == rolePrometheus {
		return []string{storagePath(s, image)}
	}
	return nil
}

// storagePath is where Prometheus keeps its blocks, by its flags, the image's or
// its own default.
func storagePath(s *stack.Service, image Image) string {
	dir, ok := s.Flag("storage.tsdb.path")
	if !ok && len(s.Command) == 0 && len(s.Entrypoint) == 0 {
		dir, ok = (&stack.Service{Command: append(slices.Clone(image.Entrypoint), image.Command...)}).Flag("storage.tsdb.path")
	}
	if !ok {
		dir = "data"
	}
	if !path.IsAbs(dir) {
		base := image.WorkingDir
		if s.WorkingDir != "" {
			base = s.WorkingDir
		}
		dir = path.Join("/", base, dir)
	}
	return path.Clean(dir)
}

// mount brings in what the service mounts: files kept as code are copied, volumes
// and data begin empty.
func (r *run) mount(sp *Spec, s *stack.Service, data []string) error {
	mounts := slices.Clone(s.Mounts)
	slices.SortStableFunc(mounts, func(a, b stack.Mount) int { return strings.Count(a.Target, "/") - strings.Count(b.Target, "/") })
	for _, m := range mounts {
		if err := r.mountOne(sp, s, m, data); err != nil {
			return fmt.Errorf("%s: mount %s of service %q: %w", m.Pos, m.Target, s.Name, err)
		}
		r.cover(sp, m, data)
	}
	return nil
}

// keep lets what a server writes outlive its container where several starts share
// their data. What no volume holds in production lives as long as the container,
// which a restart leaves be.
func (r *run) keep(sp *Spec, s *stack.Service, role env.Role, dir string) {
	for target := range sp.Tmpfs {
		if Below(target, dir) { // nothing is kept, and a past could not be laid down there before the start
			delete(sp.Tmpfs, target)
			sp.Volumes[dir] = ""
		}
	}
	if r.opts.Data != nil {
		if !covered(sp.Volumes, dir) {
			sp.Volumes[dir] = r.opts.Data.volume(s.Name + ":" + dir)
		}
		r.opts.Data.use(role, r.keeping(sp, s, dir))
	}
	if covered(sp.Volumes, dir) {
		sp.Files.Open(dir) // a new volume belongs to root where the image has nothing at its path
	}
}

// keeping is where a directory outlives the container.
func (r *run) keeping(sp *Spec, s *stack.Service, dir string) keeping {
	k := keeping{text: "no volume: a directory of its own container", pos: s.Pos}
	at := ""
	for target, volume := range sp.Volumes {
		if Below(target, dir) && len(target) > len(at) {
			at, k.volume = target, volume
		}
	}
	for _, m := range s.Mounts {
		if path.Clean("/"+m.Target) != at {
			continue
		}
		k.pos = m.Pos
		switch {
		case m.Type != "volume":
			k.text = "the directory " + r.relative(m.Source)
		case m.Source == "":
			k.text = fmt.Sprintf("an unnamed volume of service %q at %s", s.Name, at)
		default:
			k.text = fmt.Sprintf("volume %q", m.Source)
		}
	}
	return k
}

// covered says whether a volume is mounted at a directory or above it.
func covered(volumes map[string]string, dir string) bool {
	for target := range volumes {
		if Below(target, dir) {
			return true
		}
	}
	return false
}

// Below says whether p is dir or lies inside of it.
func Below(dir, p string) bool {
	dir, p = path.Clean(dir), path.Clean(p)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// cover keeps files that are mounted inside of a directory of data out of the
// volume that holds the data: the next start must not find them there.
func (r *run) cover(sp *Spec, m stack.Mount, data []string) {
	at := path.Clean("/" + m.Target)
	if r.opts.Data == nil || m.Type == "volume" || m.Type == "tmpfs" {
		return
	}
	if info, err := os.Stat(m.Source); err != nil || !info.IsDir() {
		at = path.Dir(at) // a file is no place for a volume
	}
	for _, dir := range data {
		if at != dir && Below(dir, at) && !covered(without(sp.Volumes, data), at) {
			sp.Volumes[at] = ""
		}
	}
}

// without are the volumes that are mounted neither at these directories nor above
// one.
func without(volumes map[string]string, dirs []string) map[string]string {
	out := maps.Clone(volumes)
	maps.DeleteFunc(out, func(target, _ string) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return Below(target, d) })
	})
	return out
}

func (r *run) mountOne(sp *Spec, s *stack.Service, m stack.Mount, data []string) error {
	target := path.Clean("/" + m.Target)
	holdsData := slices.ContainsFunc(data, func(d string) bool { return Below(target, d) })
	switch {
	case m.Type == "tmpfs":
		sp.Tmpfs[target] = ""
	case m.Type == "volume" && m.Source == "":
		sp.Volumes[target] = r.unnamed(s, target)
	case m.Type == "volume":
		sp.Volumes[target] = r.volume(path.Join(m.Source, m.SubPath))
		if r.mountedTwice(m.Source) {
			sp.Shared = append(sp.Shared, sp.Volumes[target])
		}
	case holdsData:
		sp.Volumes[target] = r.volume(r.relative(m.Source))
		return r.amongData(sp, m.Source, target)
	case m.Inline:
		sp.Files.Add(target, m.Content, cmpMode(m.Mode))
	case m.Source == "":
		// An external config: compose says what it thinks of it.
	case !m.Relative && !r.insideStack(m.Source):
		return r.outsideMount(sp, m, target)
	case m.SourceMissing:
		sp.Files.Open(target) // as the engine would
	default:
		return sp.Files.Tree(m.Source, target)
	}
	return nil
}

// mountedTwice says whether several services of the compose file mount a volume.
func (r *run) mountedTwice(volume string) bool {
	n := 0
	for _, s := range r.stack.Compose.Services {
		for _, m := range s.Mounts {
			if m.Type == "volume" && m.Source == volume {
				n++
				break
			}
		}
	}
	return n > 1
}

// amongData copies what is kept as code inside of a directory of data: dashboards
// below Grafana's own directory, say.
func (r *run) amongData(sp *Spec, source, target string) error {
	for _, file := range Code(r.stack) {
		rel, err := filepath.Rel(source, file)
		if err != nil || !filepath.IsLocal(rel) || rel == "." {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			continue // whoever reads it says so
		}
		if err := sp.Files.Tree(file, path.Join(target, filepath.ToSlash(rel))); err != nil {
			return err
		}
	}
	return nil
}

// Code are the files and directories of this machine that the servers read.
func Code(s *stack.Stack) []string {
	var out []string
	if p := s.Prometheus; p != nil {
		out = append(out, p.Path)
		for _, f := range p.RuleFiles {
			out = append(out, f.Path)
		}
	}
	if g := s.Grafana; g != nil {
		out = append(out, g.ProvisioningDir, g.DatasourceDir, g.DashboardDir)
	}
	for _, p := range s.Providers {
		out = append(out, p.Dir)
	}
	return slices.DeleteFunc(out, func(f string) bool { return f == "" })
}

func cmpMode(mode os.FileMode) os.FileMode {
	if mode == 0 {
		return 0o444
	}
	return mode
}

// outsideMount is a path of this machine that is not kept as code: a single file,
// such as a certificate, is taken along; a directory is somebody's data.
func (r *run) outsideMount(sp *Spec, m stack.Mount, target string) error {
	info, err := os.Stat(m.Source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		sp.Files.Open(target)
	case err != nil:
		return err
	case info.IsDir():
		sp.Volumes[target] = r.volume(r.relative(m.Source))
		r.notef("%s: %s lies outside of the stack: its place in the container of %s is empty", m.Pos, m.Source, sp.Name)
	case info.Mode().IsRegular():
		return sp.Files.Tree(m.Source, target)
	}
	return nil
}

func (r *run) insideStack(source string) bool {
	rel, err := filepath.Rel(r.stack.Dir, source)
	return err == nil && filepath.IsLocal(rel)
}

// relative is a path of this machine as it is written in another checkout of the
// stack, too.
func (r *run) relative(source string) string {
	rel, err := filepath.Rel(r.stack.Dir, source)
	if err != nil || strings.Count(rel, "..") > 1 { // beside the stack is part of the project, anything farther of the machine
		return filepath.ToSlash(source)
	}
	return "./" + filepath.ToSlash(rel)
}

// volume is the engine's name for a volume of the compose file or a directory of
// data.
func (r *run) volume(key string) string {
	if r.opts.Data != nil {
		return r.opts.Data.volume(key)
	}
	return Prefix(r.engine) + volumeName(key)
}

// unnamed is a volume without a name, "" for a fresh one. Where data is kept, it is
// the service's own at this path, as compose hands it on to the next container.
func (r *run) unnamed(s *stack.Service, target string) string {
	if r.opts.Data == nil {
		return ""
	}
	return r.opts.Data.volume(s.Name + ":" + target)
}

// volumeName makes a name that the engine takes, another one of every key.
func volumeName(key string) string {
	name := strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '-'
	}, key), "-.")
	if name == key {
		return name
	}
	sum := sha256.Sum256([]byte(key))
	return name + "-" + hex.EncodeToString(sum[:4])
}
