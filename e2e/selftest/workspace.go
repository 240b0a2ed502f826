package selftest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/internal/scratch"
	"github.com/panelgate/panelgate/stack"
)

// workspace is a copy of a stack that mutants are made in, one after the other.
type workspace struct {
	root string // a temporary directory
	dir  string // the stack's own in it
	from string // the stack's directory
}

// newWorkspace copies the stack's directory, and what lies outside of it and is
// mounted by a relative path, each in the same place to the other.
func newWorkspace(s *stack.Stack) (_ *workspace, err error) {
	root, err := scratch.Dir()
	if err != nil {
		return nil, fmt.Errorf("make a copy of the stack: %w", err)
	}
	w := &workspace{root: root, from: s.Dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.remove())
		}
	}()
	sources := append([]string{s.Dir}, outside(s)...)
	common := commonDir(sources)
	inside := func(path string) string { return filepath.Join(root, strings.TrimPrefix(path, common)) }
	w.dir = inside(s.Dir)
	for _, src := range sources {
		if err := copyTree(src, inside(src)); err != nil {
			return nil, fmt.Errorf("make a copy of the stack: %w", err)
		}
	}
	return w, nil
}

// outside are the sources of mounts that are part of what is kept as code and lie
// beside the stack's directory.
func outside(s *stack.Stack) []string {
	var out []string
	if s.Compose == nil {
		return nil
	}
	for _, svc := range s.Compose.Services {
		for _, m := range svc.Mounts {
			rel, err := filepath.Rel(s.Dir, m.Source)
			if m.Relative && !m.SourceMissing && m.Type == "bind" && err == nil && !filepath.IsLocal(rel) &&
				!strings.HasPrefix(s.Dir+"/", m.Source+"/") && !slices.Contains(out, m.Source) {
				out = append(out, m.Source)
			}
		}
	}
	return out
}

// commonDir is the directory that all paths lie in.
func commonDir(paths []string) string {
	dir := filepath.Dir(paths[0])
	for _, p := range paths[1:] {
		for !strings.HasPrefix(p+"/", strings.TrimSuffix(dir, "/")+"/") {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// copyTree copies what a stack is read from: no version control, no programs.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			return copyLink(path, target)
		case !d.Type().IsRegular() || filepath.Ext(path) == ".go":
			return nil
		}
		return copyFile(path, target)
	})
}

func copyLink(from, to string) error {
	link, err := os.Readlink(from)
	if err != nil {
		return err
	}
	return os.Symlink(link, to)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

func (w *workspace) path(file string) string { return filepath.Join(w.dir, filepath.FromSlash(file)) }

// apply makes the mutant.
func (w *workspace) apply(m Mutant) error {
	for _, c := range m.changes {
		if err := w.write(c.file, c.after); err != nil {
			return fmt.Errorf("make the mutant: %w", err)
		}
	}
	return nil
}

// restore undoes it.
func (w *workspace) restore(m Mutant) error {
	for _, c := range m.changes {
		if err := w.write(c.file, c.before); err != nil {
			return fmt.Errorf("undo the mutant: %w", err)
		}
	}
	return nil
}

// write gives a file its content; nil removes it.
func (w *workspace) write(file string, content *string) error {
	path := w.path(file)
	if content == nil {
		return os.Remove(path)
	}
	return os.WriteFile(path, []byte(*content), 0o600)
}

func (w *workspace) remove() error {
	if err := os.RemoveAll(w.root); err != nil {
		return fmt.Errorf("remove a copy of the stack: %w", err)
	}
	return nil
}
