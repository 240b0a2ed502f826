package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Files tells of changes to files, to all that lies below directories, and of the
// coming of what is not there yet. Directories are watched, not files: editors that
// save by renaming put another file in the place of the one that was there.
type Files struct {
	fs     *fsnotify.Watcher
	wanted []string // clean and absolute
	trees  []string // those of wanted that are directories, and where their links lead
	dirs   map[string]bool
}

// A change is told of when nothing more has come for a while: who saves all or changes
// branches writes many files. Where something never rests, it is told of all the same.
const (
	quiet   = 40 * time.Millisecond
	longest = time.Second
)

// NewFiles watches nothing yet.
func NewFiles() (*Files, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return &Files{fs: w, dirs: map[string]bool{}}, nil
}

// Close ends the watching.
func (f *Files) Close() error {
	if err := f.fs.Close(); err != nil {
		return fmt.Errorf("end the watching of files: %w", err)
	}
	return nil
}

// Follow watches these paths in the place of those before.
func (f *Files) Follow(paths []string) error {
	f.wanted, f.trees, f.dirs = nil, nil, map[string]bool{}
	for _, p := range paths {
		if err := f.want(p); err != nil {
			return err
		}
	}
	for _, dir := range f.fs.WatchList() {
		if f.dirs[dir] {
			continue
		}
		if err := f.fs.Remove(dir); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			return fmt.Errorf("no longer watch %s: %w", dir, err)
		}
	}
	return nil
}

// want adds a path, and the place that it leads to.
func (f *Files) want(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	if slices.Contains(f.wanted, abs) {
		return nil
	}
	f.wanted = append(f.wanted, abs)
	info, err := os.Stat(abs)
	if err != nil {
		return f.above(abs)
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil && resolved != abs {
		if err := f.want(resolved); err != nil {
			return err
		}
	}
	if err := f.above(abs); err != nil {
		return err
	}
	if !info.IsDir() {
		return nil
	}
	f.trees = append(f.trees, abs)
	return f.tree(abs)
}

// above watches the nearest directory above a path that is there.
func (f *Files) above(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return f.watch(dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// tree watches a directory with all below it, and the files that its links lead to.
func (f *Files) tree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // it went away, or belongs to somebody else: reading the stack tells what matters
		case d.IsDir() && path != root && passedOver(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return f.watch(path)
		case d.Type()&fs.ModeSymlink != 0:
			to, err := filepath.EvalSymlinks(path)
			if err != nil {
				return nil //nolint:nilerr // a link to nowhere
			}
			if info, err := os.Stat(to); err == nil && info.Mode().IsRegular() {
				return f.want(to)
			}
		}
		return nil
	})
}

// passedOver says whether a directory holds nothing of a stack.
func passedOver(name string) bool { return strings.HasPrefix(name, ".") || name == "node_modules" }

func (f *Files) watch(dir string) error {
	if f.dirs[dir] {
		return nil
	}
	err := f.fs.Add(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return fmt.Errorf("watch %s: %w (on Linux, fs.inotify.max_user_watches and max_user_instances say how much can be watched)", dir, err)
	}
	f.dirs[dir] = true
	return nil
}

// Next waits for a change and until it is over, and returns what has changed.
func (f *Files) Next(ctx context.Context) ([]string, error) {
	changed := map[string]bool{}
	var rested, enough <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case e, open := <-f.fs.Events:
			if !open {
				return nil, errors.New("watch files: the watching has ended")
			}
			if !f.concerns(e.Name) {
				continue
			}
			if err := f.follow(e); err != nil {
				return nil, err
			}
			changed[e.Name] = true
		case err := <-f.fs.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return nil, fmt.Errorf("watch files: %w", err)
			}
			// Some events are lost: anything may have changed.
		case <-rested:
			return sorted(changed), nil
		case <-enough:
			return sorted(changed), nil
		}
		rested = time.After(quiet)
		if enough == nil {
			enough = time.After(longest)
		}
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// follow watches a directory that has come into a tree.
func (f *Files) follow(e fsnotify.Event) error {
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		delete(f.dirs, e.Name) // its watch went with it
	}
	if !e.Has(fsnotify.Create) {
		return nil
	}
	info, err := os.Stat(e.Name)
	if err != nil || !info.IsDir() || passedOver(filepath.Base(e.Name)) {
		return nil //nolint:nilerr // gone again
	}
	if slices.ContainsFunc(f.trees, func(root string) bool { return below(root, e.Name) }) {
		return f.tree(e.Name)
	}
	return nil
}

// concerns says whether a path is one of those that are watched, lies in one, or leads
// to one.
func (f *Files) concerns(path string) bool {
	if slices.ContainsFunc(f.wanted, func(w string) bool { return below(path, w) }) {
		return true
	}
	return slices.ContainsFunc(f.trees, func(root string) bool {
		if !below(root, path) {
			return false
		}
		dir, _ := filepath.Rel(root, filepath.Dir(path)) // both are absolute
		return !slices.ContainsFunc(strings.Split(dir, string(filepath.Separator)), func(name string) bool {
			return name != "." && passedOver(name)
		})
	})
}

// below says whether a path is dir or lies in it.
func below(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
