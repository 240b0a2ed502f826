package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// Load reads the stack in dir. It fails only where there is nothing to read: a
// directory that is missing, no directory or not readable, a ctx that has ended,
// or an option that does not fit the stack. Everything else that is wrong is in
// Stack.Problems.
func Load(ctx context.Context, dir string, opts ...Option) (*Stack, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the stack's directory: %w", err)
	}
	if _, err := os.ReadDir(abs); err != nil {
		return nil, fmt.Errorf("read the stack's directory: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("resolve the stack's directory: %w", err)
	}
	l := &loader{stack: &Stack{Dir: abs}, limits: source.DefaultLimits(), roots: []string{resolved}, roles: map[string]string{}}
	for _, opt := range opts {
		opt(l)
	}
	l.loadCompose(ctx)
	if err := l.checkRoles(); err != nil {
		return nil, fmt.Errorf("load the stack: %w", err)
	}
	for _, step := range []func(context.Context){l.loadPrometheus, l.loadGrafana, l.loadBoards} {
		if ctx.Err() == nil {
			step(ctx)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load the stack: %w", err)
	}
	l.stack.Files = l.reads.sorted()
	return l.stack, nil
}

// loader carries one Load.
type loader struct {
	stack  *Stack
	limits source.Limits
	// roots are the resolved directories that files may be read from: the stack's
	// own, and those the compose file mounts by a relative path.
	roots []string
	roles map[string]string // the service's name by role, where an option gives it
	// content is what files hold in place of what is on disk, by resolved path.
	content map[string][]byte
	former  map[string]reading // dashboards of an earlier load, by path
	reads   reads
}

// problem records an input that could not be read.
func (l *loader) problem(area Area, pos source.Pos, format string, args ...any) {
	l.stack.Problems = append(l.stack.Problems, Problem{
		Area:    area,
		Problem: source.Problem{Pos: pos, Message: fmt.Sprintf(format, args...)},
	})
}

// report records an error of one of our parsers, which bring a position, or any
// other under the file.
func (l *loader) report(area Area, file string, err error) {
	var p *source.Problem
	if errors.As(err, &p) {
		l.stack.Problems = append(l.stack.Problems, Problem{Area: area, Problem: *p})
		return
	}
	l.problem(area, source.Pos{File: file}, "%s", l.anonymous(err.Error()))
}

// anonymous takes the stack's directory out of an error's text, which libraries
// write in full.
func (l *loader) anonymous(msg string) string {
	return strings.ReplaceAll(msg, l.stack.Dir+string(filepath.Separator), "")
}

// rel is a path as positions show it.
func (l *loader) rel(path string) string {
	r, err := filepath.Rel(l.stack.Dir, path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(r)
}

// read is the content of a file of the stack. The error is a *source.Problem.
func (l *loader) read(path string) ([]byte, error) {
	if err := l.confined(path); err != nil {
		return nil, &source.Problem{Pos: source.Pos{File: l.rel(path)}, Message: err.Error()}
	}
	return l.readAnywhere(path)
}

// readAnywhere is read for a file that may lie outside of the stack.
func (l *loader) readAnywhere(path string) ([]byte, error) {
	l.reads.add(path)
	fail := func(format string, args ...any) ([]byte, error) {
		return nil, &source.Problem{Pos: source.Pos{File: l.rel(path)}, Message: fmt.Sprintf(format, args...)}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fail("cannot be read: %s", reason(err))
	case info.IsDir():
		return fail("is a directory, a file is expected")
	case !info.Mode().IsRegular(): // reading a pipe or a device may never end
		return fail("is not a regular file")
	case info.Size() > l.limits.Bytes:
		return fail("the file has %d bytes, the limit is %d", info.Size(), l.limits.Bytes)
	}
	if data, ok := l.instead(path); ok {
		return data, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fail("cannot be read: %s", reason(err))
	}
	defer f.Close() //nolint:errcheck // nothing was written
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead) // the end is found without growing
	if _, err := data.ReadFrom(io.LimitReader(f, l.limits.Bytes+1)); err != nil {
		return fail("cannot be read: %s", reason(err))
	}
	return data.Bytes(), nil
}

// instead is what an option puts in the place of a file's content.
func (l *loader) instead(path string) ([]byte, bool) {
	if len(l.content) == 0 {
		return nil, false
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, false
	}
	data, ok := l.content[resolved]
	return data, ok
}

// readYAML is the first document of a YAML file, nil for an empty one. Grafana
// and Prometheus read no further either.
func (l *loader) readYAML(path string) (*source.Node, []byte, error) {
	data, err := l.read(path)
	if err != nil {
		return nil, nil, err
	}
	docs, err := source.ParseYAML(l.rel(path), data, l.limits)
	if err != nil || len(docs) == 0 {
		return nil, data, err
	}
	return docs[0], data, nil
}

// confined refuses a path that symbolic links lead out of the stack.
func (l *loader) confined(path string) error {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", reason(err))
	}
	for _, root := range l.roots {
		if within(root, resolved) {
			return nil
		}
	}
	return errors.New("lies outside of the stack's directory")
}

// reason is an error of the file system without the path, which positions carry.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// within says whether path is dir or lies below it; both are clean and resolved.
func within(dir, path string) bool {
	r, err := filepath.Rel(dir, path)
	return err == nil && r != ".." && !strings.HasPrefix(r, ".."+string(filepath.Separator))
}

// isFile and isDir say what a path leads to, symbolic links followed.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// guard turns a panic of a library into an error: hostile input must not end
// the run.
func guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", what, r)
		}
	}()
	return f()
}
