package stack

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// loadBoards reads the dashboards of every provider. A file that two providers
// find is two boards, since Grafana would try to keep it twice.
func (l *loader) loadBoards(ctx context.Context) {
	b := &boardReader{loader: l, files: map[string]*boardFile{}}
	l.stack.read = map[string]reading{}
	for _, p := range l.stack.Providers {
		if p.Dir != "" && p.Type.Value == providerFile {
			b.walk(ctx, p)
		}
	}
	b.readAll(ctx)
	for _, take := range b.found {
		take()
	}
}

type boardReader struct {
	*loader
	files map[string]*boardFile // by path
	paths []string              // of the files, in the order in which they were found
	// found is what the walk came by, in its order: once the files are read it is taken
	// into the stack.
	found []func()
}

// boardFile is a file that may hold a dashboard, and what came of reading it.
type boardFile struct {
	reading
	err      error
	reported bool
}

// readAll reads the files, as many at a time as there are processors.
func (b *boardReader) readAll(ctx context.Context) {
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range b.paths {
		if ctx.Err() != nil {
			break // which Load looks at
		}
		workers.Go(func() error {
			f := b.files[path]
			f.reading, f.err = b.parse(path)
			return nil
		})
	}
	_ = workers.Wait() // what is wrong with a file is kept with it
}

// walk visits what Grafana visits: every *.json below the provider's path, but
// nothing in directories whose name begins with a dot. A symbolic link is
// followed where it is the path itself or a file, not where it is a directory
// further down. A path that does not exist is left to the rule about mounts.
func (b *boardReader) walk(ctx context.Context, p *Provider) {
	root, err := filepath.EvalSymlinks(p.Dir)
	if err != nil {
		return
	}
	if err := b.confined(p.Dir); err != nil {
		b.problem(AreaProvider, p.Path.Pos, "the provider's path %s %s", b.rel(p.Dir), err)
		return
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		shown := filepath.Join(p.Dir, strings.TrimPrefix(path, root))
		switch {
		case err != nil:
			b.later(func() { b.problem(AreaDashboard, source.Pos{File: b.rel(shown)}, "cannot be read: %s", reason(err)) })
		case d.IsDir():
			if strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		case strings.HasSuffix(d.Name(), ".json"):
			b.board(p, shown, folderOf(p, root, path))
		case d.Type()&fs.ModeSymlink != 0 && !strings.HasPrefix(d.Name(), "."):
			b.later(func() { b.linkedDir(shown) })
		}
		return nil
	})
	if err != nil {
		b.problem(AreaProvider, p.Path.Pos, "cannot be read: %s", reason(err))
	}
}

// linkedDir reports a linked directory of dashboards, which people expect to be
// read.
func (b *boardReader) linkedDir(path string) {
	if b.confined(path) != nil || !isDir(path) {
		return
	}
	if found, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.json")); err == nil && len(found) > 0 {
		b.problem(AreaDashboard, source.Pos{File: b.rel(path)}, "is a symbolic link to a directory: Grafana does not follow it, its dashboards are not read")
	}
}

// folderOf is the title of the folder that a file's dashboard goes to. Grafana
// takes the name of the directory it lies in, however deep that is.
func folderOf(p *Provider, root, path string) string {
	if !p.FoldersFromFilesStructure {
		return p.Folder.Value
	}
	dir := filepath.Dir(path)
	if dir == root || path == root {
		return ""
	}
	return filepath.Base(dir)
}

func (b *boardReader) later(take func()) { b.found = append(b.found, take) }

func (b *boardReader) board(p *Provider, path, folder string) {
	f, known := b.files[path]
	if !known {
		f = &boardFile{}
		b.files[path], b.paths = f, append(b.paths, path)
	}
	b.later(func() { b.take(f, p, path, folder) })
}

// take takes a dashboard into the stack, or tells why its file could not be read.
func (b *boardReader) take(f *boardFile, p *Provider, path, folder string) {
	switch {
	case f.err == nil && f.dashboard != nil:
		b.stack.read[path] = f.reading
		b.stack.Dashboards = append(b.stack.Dashboards, &Board{Dashboard: f.dashboard, Provider: p, Folder: folder})
	case f.err != nil && !f.reported:
		f.reported = true
		b.report(AreaDashboard, b.rel(path), f.err)
	}
}

// parse reads one dashboard file. It changes nothing of the loader.
func (b *boardReader) parse(path string) (reading, error) {
	data, err := b.read(path)
	if err != nil {
		return reading{}, err
	}
	out := reading{sum: sha256.Sum256(data)}
	if before, ok := b.former[path]; ok && before.sum == out.sum {
		return before, nil
	}
	err = guard("dashboard", func() (err error) {
		out.dashboard, err = dashboard.Parse(b.rel(path), data, b.limits)
		return err
	})
	return out, err
}

// reading is a dashboard file that was read without a problem, by what it held.
type reading struct {
	sum       [sha256.Size]byte
	dashboard *dashboard.Dashboard
}
