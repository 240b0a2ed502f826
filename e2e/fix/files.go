package fix

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files are the texts of a stack's files while they are mended.
type files struct {
	dir   string // of the stack
	root  string // the same without symbolic links
	known map[string]*file
}

type file struct {
	path        string // absolute, without symbolic links
	before, now []byte
}

func newFiles(dir string) (*files, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the stack's directory: %w", err)
	}
	return &files{dir: dir, root: root, known: map[string]*file{}}, nil
}

// text is what a file of the stack holds by now. Those that lie elsewhere, be it by
// a symbolic link, are not the stack's to change.
func (f *files) text(name string) ([]byte, error) {
	if known, ok := f.known[name]; ok {
		return known.now, nil
	}
	path, err := filepath.EvalSymlinks(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("find the file: %w", err)
	}
	rel, err := filepath.Rel(f.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil, errors.New("the file lies outside of the stack's directory")
	}
	for _, other := range f.known { // one file by two names has one text
		if other.path == path {
			return nil, errors.New("the file is mended under another name")
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	f.known[name] = &file{path: path, before: data, now: data}
	return data, nil
}

// with is what the files hold with further edits, by path.
func (f *files) with(edits []Edit) map[string][]byte {
	out := map[string][]byte{}
	for name, known := range f.known {
		out[known.path] = applied(known.now, of(name, edits))
	}
	return out
}

func (f *files) apply(edits []Edit) {
	for name, known := range f.known {
		known.now = applied(known.now, of(name, edits))
	}
}

func of(name string, edits []Edit) []Edit {
	return slices.DeleteFunc(slices.Clone(edits), func(e Edit) bool { return e.File != name })
}

// changed are the files that are to be written, by name.
func (f *files) changed() []Changed {
	var out []Changed
	for _, name := range slices.Sorted(maps.Keys(f.known)) {
		if k := f.known[name]; !bytes.Equal(k.before, k.now) {
			out = append(out, Changed{Name: name, Path: k.path, Before: k.before, After: k.now})
		}
	}
	return out
}
