package stack

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// loadBoards reads the dashboards of every provider. A file that two providers
// find is two boards, since Grafana would try to keep it twice.
func (l *loader) loadBoards(ctx context.Context) {
	b := &boardReader{loader: l, parsed: map[string]*dashboard.Dashboard{}}
	l.stack.read = map[string]reading{}
	for _, p := range l.stack.Providers {
		if p.Dir != "" && p.Type.Value == providerFile {
			b.walk(ctx, p)
		}
	}
}

type boardReader struct {
	*loader
	parsed map[string]*dashboard.Dashboard // by path, nil for a broken file
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
			b.problem(AreaDashboard, source.Pos{File: b.rel(shown)}, "cannot be read: %s", reason(err))
		case d.IsDir():
			if strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		case strings.HasSuffix(d.Name(), ".json"):
			b.board(p, shown, folderOf(p, root, path))
		case d.Type()&fs.ModeSymlink != 0 && !strings.HasPrefix(d.Name(), "."):
			b.linkedDir(shown)
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

func (b *boardReader) board(p *Provider, path, folder string) {
	d, ok := b.parsed[path]
	if !ok {
		d = b.parse(path)
		b.parsed[path] = d
	}
	if d != nil {
		b.stack.Dashboards = append(b.stack.Dashboards, &Board{Dashboard: d, Provider: p, Folder: folder})
	}
}

// parse reads one dashboard file; nil where that fails, which is reported.
func (b *boardReader) parse(path string) *dashboard.Dashboard {
	data, err := b.read(path)
	if err != nil {
		b.report(AreaDashboard, b.rel(path), err)
		return nil
	}
	sum := sha256.Sum256(data)
	if before, ok := b.former[path]; ok && before.sum == sum {
		b.stack.read[path] = before
		return before.dashboard
	}
	var d *dashboard.Dashboard
	err = guard("dashboard", func() (err error) {
		d, err = dashboard.Parse(b.rel(path), data, b.limits)
		return err
	})
	if err != nil {
		b.report(AreaDashboard, b.rel(path), err)
		return nil
	}
	b.stack.read[path] = reading{sum: sum, dashboard: d}
	return d
}

// reading is a dashboard file that was read without a problem, by what it held.
type reading struct {
	sum       [sha256.Size]byte
	dashboard *dashboard.Dashboard
}
