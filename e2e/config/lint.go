package config

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// LintFileName is what the configuration of Grafana's dashboard-linter is called.
const LintFileName = ".lint"

// Lint reads the .lint files of a stack, at its root and beside its dashboards, where
// their rules have a counterpart here. Every error carries the position it is about.
func Lint(s *stack.Stack) ([]rule.Exclusion, error) {
	folders := []string{"."}
	for _, b := range s.Dashboards {
		folders = append(folders, path.Dir(b.File))
	}
	slices.Sort(folders)
	var out []rule.Exclusion
	for _, folder := range slices.Compact(folders) {
		found, err := lintFile(s.Dir, folder)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// lintFile reads the .lint file of a folder, which there may not be.
func lintFile(dir, folder string) ([]rule.Exclusion, error) {
	file := path.Join(folder, LintFileName)
	onDisk := filepath.Join(dir, filepath.FromSlash(file))
	info, err := os.Stat(onDisk)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the linter's configuration: %w", err)
	case !info.Mode().IsRegular():
		return nil, nil // a folder of that name is somebody else's
	}
	data, err := os.ReadFile(onDisk)
	if err != nil {
		return nil, fmt.Errorf("read the linter's configuration: %w", err)
	}
	docs, err := source.ParseYAML(filepath.ToSlash(onDisk), data, source.DefaultLimits())
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	var out []rule.Exclusion
	for _, kind := range []string{"exclusions", "warnings"} {
		found, err := lintRules(docs[0], kind, folder)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// lintRules reads the exclusions or the warnings of a .lint file, by rule.
func lintRules(root *source.Node, kind, folder string) ([]rule.Exclusion, error) {
	if root.Kind() != source.Object && root.Kind() != source.Null {
		return nil, at(root, "want a mapping with exclusions and warnings, found %s", root.Kind())
	}
	list := root.Get(kind)
	if list.Exists() && list.Kind() != source.Object && list.Kind() != source.Null {
		return nil, at(list, "%s maps rules to entries, found %s", kind, list.Kind())
	}
	var out []rule.Exclusion
	for _, f := range list.Fields() {
		base := rule.Exclusion{Rules: counterparts(f.Key), Foreign: true, Folder: folder, Lowers: kind == "warnings",
			Queryless: f.Key == "panel-no-targets-rule", Pos: f.KeyPos()}
		found, err := lintEntries(f.Value, base)
		if err != nil {
			return nil, err
		}
		if len(base.Rules) > 0 {
			out = append(out, found...)
		}
	}
	return out, nil
}

// lintEntries reads what is said of one rule: without entries it is said of everything.
func lintEntries(n *source.Node, base rule.Exclusion) ([]rule.Exclusion, error) {
	if n.Kind() == source.Null {
		return []rule.Exclusion{base}, nil
	}
	if n.Kind() != source.Object {
		return nil, at(n, "want a mapping with reason and entries, found %s", n.Kind())
	}
	base.Why = strings.TrimSpace(n.Get("reason").Scalar())
	entries := n.Get("entries")
	if entries.Exists() && entries.Kind() != source.Array && entries.Kind() != source.Null {
		return nil, at(entries, "entries is a list, found %s", entries.Kind())
	}
	if len(entries.Items()) == 0 {
		return []rule.Exclusion{base}, nil
	}
	var out []rule.Exclusion
	for _, entry := range entries.Items() {
		if entry.Kind() != source.Object {
			return nil, at(entry, "an entry is a mapping, found %s", entry.Kind())
		}
		e := base
		e.Dashboard, e.Panel, e.Pos = entry.Get("dashboard").Text(), entry.Get("panel").Text(), entry.Pos()
		e.Target = entry.Get("targetIdx").Text()
		if !entry.Get("targetIdx").Exists() { // the linter itself writes it so
			e.Target = entry.Get("targetidx").Text()
		}
		if why := strings.TrimSpace(entry.Get("reason").Scalar()); why != "" {
			e.Why = why
		}
		out = append(out, e)
	}
	return out, nil
}

// counterparts are the rules that look for the same as one of dashboard-linter's,
// none for most: its conventions are not held here.
func counterparts(linter string) []string {
	switch linter {
	case "target-promql-rule":
		return []string{"panel/syntax"}
	case "target-rate-interval-rule":
		return []string{"promql/rate-window"}
	case "target-counter-agg-rule":
		return []string{"promql/counter-raw"}
	case "template-label-promql-rule":
		return []string{"variable/query-error"}
	case "template-unused-rule":
		return []string{"variable/unused"}
	case "panel-units-rule":
		return []string{"panel/unit-mismatch"}
	case "panel-no-targets-rule":
		return []string{"panel/no-data"}
	}
	return nil
}
