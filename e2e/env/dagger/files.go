package dagger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/stack"
)

// Files are what the gate reads of a stack, at the paths that it has on this machine,
// and the further files that are named. Left out is what a server writes there and what
// cannot be read: whoever needs it says so, here and there alike.
func Files(s *stack.Stack, further ...string) (containers.Archive, error) {
	p := packing{stack: s, written: written(s)}
	if err := p.tree(s.Dir); err != nil {
		return nil, fmt.Errorf("pack the stack's files: %w", err)
	}
	for _, source := range append(p.mounted(), further...) {
		if err := p.add(source); err != nil {
			return nil, fmt.Errorf("pack what belongs to the stack: %w", err)
		}
	}
	return p.files, nil
}

// packing is an archive on its way.
type packing struct {
	stack   *stack.Stack
	written []string // directories that servers write to
	files   containers.Archive
}

// written are the directories of this machine that are mounted where a server keeps its
// data.
func written(s *stack.Stack) []string {
	// Where nothing says otherwise, it is where the official image keeps it.
	usual := containers.Image{WorkingDir: "/prometheus", Command: []string{"--storage.tsdb.path=/prometheus"}}
	var out []string
	for role, service := range map[string]*stack.Service{stack.RolePrometheus: serviceOf(s.Prometheus), stack.RoleGrafana: grafanaOf(s.Grafana)} {
		if service == nil {
			continue
		}
		for _, dir := range containers.DataDirs(service, role, usual) {
			for _, m := range service.Mounts {
				if m.Type == "bind" && !m.Inline && containers.Below("/"+m.Target, dir) {
					out = append(out, m.Source)
				}
			}
		}
	}
	return out
}

func serviceOf(p *stack.Prometheus) *stack.Service {
	if p == nil {
		return nil
	}
	return p.Service
}

func grafanaOf(g *stack.Grafana) *stack.Service {
	if g == nil {
		return nil
	}
	return g.Service
}

// tree adds a directory at its own path, and what its links lead to outside of it.
func (p *packing) tree(dir string) error {
	var outside []string
	err := p.files.Part(dir, filepath.ToSlash(dir), func(file string, d fs.DirEntry) bool {
		if d.Type()&fs.ModeSymlink != 0 {
			if to, err := filepath.EvalSymlinks(file); err == nil && !inside(dir, to) {
				outside = append(outside, to)
			}
			return false
		}
		return d.IsDir() && d.Name() == ".git" || slices.Contains(p.written, file) || !readable(file, d)
	})
	if err != nil {
		return err
	}
	p.codeAmongData()
	for _, to := range outside {
		if err := p.add(to); err != nil {
			return err
		}
	}
	return nil
}

// codeAmongData adds what is kept as code inside of directories that servers write to,
// and the directories themselves, empty but for that.
func (p *packing) codeAmongData() {
	for _, dir := range p.written {
		if _, err := os.Stat(dir); err == nil {
			p.files.Open(filepath.ToSlash(dir))
		}
		for _, file := range containers.Code(p.stack) {
			if inside(dir, file) && file != dir {
				_ = p.files.Tree(file, filepath.ToSlash(file)) // that it is missing is for its rule to say
			}
		}
	}
}

func inside(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

// readable says whether a file or directory can be read by whoever runs this.
func readable(file string, d fs.DirEntry) bool {
	if !d.IsDir() && !d.Type().IsRegular() {
		return true // it is left out for what it is
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	_ = f.Close() // it was not even read
	return true
}

// mounted are the sources of mounts outside of the stack's directory: what is kept as
// code beside it, and single files. A directory from elsewhere on the machine is empty
// in containers, and so it is there.
func (p *packing) mounted() []string {
	if p.stack.Compose == nil {
		return nil
	}
	var out []string
	for _, s := range p.stack.Compose.Services {
		for _, m := range s.Mounts {
			if m.Type != "bind" || m.Inline || m.SourceMissing || m.Source == "" || inside(p.stack.Dir, m.Source) || slices.Contains(p.written, m.Source) {
				continue
			}
			info, err := os.Stat(m.Source)
			switch {
			case err != nil:
			case m.Relative || info.Mode().IsRegular():
				out = append(out, m.Source)
			case info.IsDir() && !everywhere(m.Source):
				p.files.Open(filepath.ToSlash(m.Source))
			}
		}
	}
	return out
}

// everywhere says whether a directory is the kernel's or the root: it is in every
// container.
func everywhere(dir string) bool {
	return dir == "/" || slices.ContainsFunc([]string{"/proc", "/sys", "/dev"}, func(kernel string) bool { return containers.Below(kernel, dir) })
}

// add puts a file or directory at its own path. "" is none.
func (p *packing) add(source string) error {
	if source == "" {
		return nil
	}
	abs, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // whoever reads it says so
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return p.tree(abs)
	}
	return p.files.Tree(abs, filepath.ToSlash(abs))
}
