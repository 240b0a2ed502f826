package since

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// Touched is what of a stack has changed since a revision. Files are named as
// positions name them, relative to the stack's directory.
type Touched struct {
	Revision  string   `json:"revision"`
	MergeBase string   `json:"merge_base"`
	Files     []string `json:"files"` // that the stack may be read from
	// All is the file for which every dashboard is chosen, "" where only some are.
	All        string   `json:"all,omitempty"`
	Dashboards []string `json:"dashboards"` // the files of those that are chosen
	Of         int      `json:"of"`         // how many the stack has
}

// Of says what the changes touch of a stack under a configuration. A dashboard is
// touched by its own file, and by that of a datasource that it asks or may ask. Any
// other file touches them all, unless nothing is read from it.
func Of(s *stack.Stack, cfg *config.Config, changes *Changes) *Touched {
	t := &Touched{Revision: changes.Revision, MergeBase: changes.MergeBase, Files: []string{}, Dashboards: []string{}, Of: len(s.Dashboards)}
	boards := map[string][]string{} // by path
	for _, b := range s.Dashboards {
		for _, place := range places(onDisk(s, b.File)) {
			boards[place] = append(boards[place], b.File)
		}
	}
	w := &where{stack: s, config: cfg}
	var sources []string
	for _, path := range changes.Files {
		switch files := boards[path]; {
		case files != nil:
			t.add(files...)
			t.Files = append(t.Files, files...)
		case !w.reads(path) || nobodyReads(path):
		default:
			file := w.rel(path)
			t.Files = append(t.Files, file)
			switch {
			case w.dashboard(path): // it is gone, or cannot be read
			case w.datasources(path):
				sources = append(sources, file)
			case t.All == "":
				t.All = file
			}
		}
	}
	for _, b := range s.Dashboards {
		if t.All != "" || len(sources) > 0 && asks(s, b, sources) {
			t.add(b.File)
		}
	}
	slices.Sort(t.Files)
	t.Files = slices.Compact(t.Files)
	return t
}

func (t *Touched) add(files ...string) {
	for _, f := range files {
		if !slices.Contains(t.Dashboards, f) {
			t.Dashboards = append(t.Dashboards, f)
		}
	}
}

// Nothing says whether no file of the stack has changed.
func (t *Touched) Nothing() bool { return len(t.Files) == 0 }

// Chooses says whether a dashboard is touched.
func (t *Touched) Chooses(b *stack.Board) bool { return slices.Contains(t.Dashboards, b.File) }

// Concerns says whether a finding is about what has changed: all others were there
// before.
func (t *Touched) Concerns(s *stack.Stack, f rule.Finding) bool {
	return t.All != "" || slices.Contains(t.Files, f.Pos.File) || slices.Contains(t.Dashboards, f.Pos.File) ||
		slices.ContainsFunc(s.Dashboards, func(b *stack.Board) bool {
			return f.Dashboard != "" && (b.UID.Value == f.Dashboard || b.Title.Value == f.Dashboard) && t.Chooses(b)
		})
}

// Note says in a line what of the stack was checked.
func (t *Touched) Note(checked int) string {
	switch {
	case t.Nothing():
		return fmt.Sprintf("nothing of the stack has changed since %s: nothing was asked", t.Revision)
	case t.All != "":
		return fmt.Sprintf("checked %d of %d dashboards: %s has changed since %s, and any of them may depend on it", checked, t.Of, t.All, t.Revision)
	case checked == 0:
		return fmt.Sprintf("checked none of %d dashboards: no dashboard that is chosen is touched since %s, and nothing was asked", t.Of, t.Revision)
	}
	return fmt.Sprintf("checked %d of %d dashboards: those touched since %s", checked, t.Of, t.Revision)
}

// where knows which part of a stack a path belongs to.
type where struct {
	stack  *stack.Stack
	config *config.Config
}

// rel names a path as positions do.
func (w *where) rel(path string) string {
	dir := resolved(w.stack.Dir)
	if rel, err := filepath.Rel(dir, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(path)
}

// reads says whether the stack or its configuration may be read from a path.
func (w *where) reads(path string) bool {
	for _, from := range w.stack.Paths() {
		for _, place := range places(from) {
			if below(place, path) {
				return true
			}
		}
	}
	if filepath.Base(path) == config.FileName && below(filepath.Dir(path), resolved(w.stack.Dir)) {
		return true // searched upward from the stack, and there, or there before
	}
	own := []string{w.config.File}
	if strings.ContainsAny(w.config.Scenario, `/\.`) {
		own = append(own, w.config.Scenario)
	}
	return slices.ContainsFunc(own, func(file string) bool { return file != "" && slices.Contains(places(file), path) })
}

// dashboard says whether a provider would find a dashboard at a path.
func (w *where) dashboard(path string) bool {
	return filepath.Ext(path) == ".json" && slices.ContainsFunc(w.stack.Providers, func(p *stack.Provider) bool {
		return p.Dir != "" && below(resolved(p.Dir), path)
	})
}

// datasources says whether Grafana would read datasources from a path.
func (w *where) datasources(path string) bool {
	g := w.stack.Grafana
	return g != nil && g.DatasourceDir != "" && below(resolved(g.DatasourceDir), path)
}

// nobodyReads says whether a file is of a kind that is kept beside a stack and read by
// people alone.
func nobodyReads(path string) bool {
	name := filepath.Base(path)
	return slices.Contains([]string{".md", ".txt", ".rst", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".go"}, strings.ToLower(filepath.Ext(name))) ||
		slices.Contains([]string{"LICENSE", "README", "CODEOWNERS", "OWNERS", ".gitignore", ".gitattributes", ".editorconfig"}, name)
}

// asks says whether a dashboard asks a datasource of these files, or may: by default,
// by a variable, or by a name that is no longer there.
func asks(s *stack.Stack, b *stack.Board, files []string) bool {
	led := func(ref *dashboard.Ref) bool {
		key := ref.Key().Value
		if key == "" || strings.Contains(key, "$") {
			return true
		}
		if strings.HasPrefix(key, "--") || key == "grafana" || key == "__expr__" { // Grafana's own
			return false
		}
		ds, known := s.Datasource(key)
		return !known || slices.Contains(files, ds.Pos.File)
	}
	for _, p := range b.Panels {
		for _, t := range p.Targets {
			ref := t.Datasource
			if ref == nil {
				ref = p.Datasource
			}
			if led(ref) {
				return true
			}
		}
	}
	for _, v := range b.Variables {
		if v.Type.Value == "datasource" || v.Type.Value == "query" && led(v.Datasource) || v.Type.Value == "adhoc" && led(v.Datasource) {
			return true
		}
	}
	return slices.ContainsFunc(b.Annotations, func(a *dashboard.Annotation) bool { return !a.BuiltIn && led(a.Datasource) })
}

// onDisk is where a file of the stack is.
func onDisk(s *stack.Stack, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(s.Dir, filepath.FromSlash(file))
}

// places are where a path is to git: where a link stands, and what it leads to.
func places(path string) []string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil // without a working directory nothing relative is anywhere
	}
	link := filepath.Join(resolved(filepath.Dir(abs)), filepath.Base(abs))
	return slices.Compact([]string{link, resolved(abs)})
}

// resolved is a path without symbolic links, as far as it is there.
func resolved(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return path
}

// below says whether a path is dir or lies in it.
func below(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
