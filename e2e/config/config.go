// Package config reads panelgate.yml: who answers for a scrape target, what the
// fakes act out, what a panel is expected to show, and how grave a rule is.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack/source"
)

// FileName is what the configuration is called.
const FileName = "panelgate.yml"

// Config is the content of a panelgate.yml. The zero Config is what holds
// without one.
type Config struct {
	File     string // "" without a file
	Scenario string // a built-in scenario's name or a file, "" for the default
	Targets  []Target
	Files    []string          // that targets are set up with
	Services map[string]string // compose service by role, "prometheus" or "grafana"
	Expect   []rule.Expectation
	Exclude  []rule.Exclusion
	Rules    rule.Severities
}

// Target says who answers for the scrape targets it matches.
type Target struct {
	Match map[string]string // job, instance, address
	Fake  string            // the exporter that answers, Replay for a recorded one, "" with Live
	Live  bool              // the target's own address is scraped
	Setup fakes.Setup       // of the exporter
	Pos   source.Pos
}

// Find looks for a panelgate.yml in dir and upward from it. It returns "" where
// there is none.
func Find(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", FileName, err)
	}
	for {
		file := filepath.Join(abs, FileName)
		_, err := os.Stat(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("look for %s: %w", FileName, err)
		}
		parent := filepath.Dir(abs)
		if parent == abs {
			return "", nil
		}
		abs = parent
	}
}

// Load reads a configuration. Every error carries the position it is about.
func Load(file string) (*Config, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("read the configuration: %s is no regular file", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	docs, err := source.ParseYAML(file, data, source.DefaultLimits())
	if err != nil {
		return nil, err
	}
	c := &Config{File: file, Rules: rule.Severities{}}
	switch {
	case len(docs) == 0:
		return nil, &source.Problem{Pos: source.Pos{File: file, Line: 1, Column: 1}, Message: "the configuration is empty: it needs at least version: 1"}
	case len(docs) > 1:
		return nil, at(docs[1], "a configuration is one YAML document")
	}
	return c, c.read(docs[0])
}

func (c *Config) read(root *source.Node) error {
	if err := keys(root, "version", "targets", "scenario", "services", "expect", "exclude", "rules"); err != nil {
		return err
	}
	if v, ok := root.Get("version").Int(); !ok || v != 1 {
		where := root
		if n := root.Get("version"); n.Exists() {
			where = n
		}
		return at(where, "want version: 1")
	}
	if s := root.Get("scenario"); s.Exists() {
		if s.Kind() != source.String || s.Str() == "" {
			return at(s, "scenario is the name of a scenario or a file")
		}
		c.Scenario = s.Str()
		if strings.ContainsAny(c.Scenario, "/\\") || strings.HasSuffix(c.Scenario, ".yml") || strings.HasSuffix(c.Scenario, ".yaml") {
			if !filepath.IsAbs(c.Scenario) {
				c.Scenario = filepath.Join(filepath.Dir(c.File), c.Scenario)
			}
		}
	}
	if err := c.services(root.Get("services")); err != nil {
		return err
	}
	if err := each(root.Get("targets"), "targets", c.target); err != nil {
		return err
	}
	if err := each(root.Get("expect"), "expect", c.expectation); err != nil {
		return err
	}
	if err := each(root.Get("exclude"), "exclude", c.exclusion); err != nil {
		return err
	}
	return c.rules(root.Get("rules"))
}

// services says which compose service has which role.
func (c *Config) services(n *source.Node) error {
	if err := keys(n, "prometheus", "grafana"); err != nil {
		return err
	}
	c.Services = map[string]string{}
	for _, f := range n.Fields() {
		if f.Value.Kind() != source.String || f.Value.Str() == "" {
			return at(f.Value, "want the name of a compose service")
		}
		c.Services[f.Key] = f.Value.Str()
	}
	return nil
}

func (c *Config) rules(n *source.Node) error {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != source.Object {
		return at(n, "rules maps rule ids to severities")
	}
	ids := ruleIDs()
	for _, f := range n.Fields() {
		if !slices.Contains(ids, f.Key) {
			return &source.Problem{Pos: f.KeyPos(), Message: unknownRule(f.Key)}
		}
		name := f.Value.Scalar()
		if f.Value.Kind() == source.Bool && !f.Value.Bool() {
			name = rule.Off.String() // YAML 1.1 reads a bare off as false
		}
		s, err := rule.ParseSeverity(name)
		if err != nil {
			return at(f.Value, "%s", err)
		}
		c.Rules[f.Key] = s
	}
	return nil
}

// keys refuses what is not an object, and keys that nobody reads.
func keys(n *source.Node, known ...string) error {
	if n.Kind() != source.Object {
		if !n.Exists() {
			return nil
		}
		return at(n, "want a mapping, found %s", n.Kind())
	}
	seen := map[string]bool{}
	for _, f := range n.Fields() {
		if seen[f.Key] {
			return &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("key %q stands twice", f.Key)}
		}
		seen[f.Key] = true
		if !slices.Contains(known, f.Key) {
			return &source.Problem{Pos: f.KeyPos(), Message: fmt.Sprintf("unknown key %q%s (there are %s)",
				f.Key, nearest.Hint(f.Key, known), strings.Join(known, ", "))}
		}
	}
	return nil
}

func each(n *source.Node, name string, read func(*source.Node) error) error {
	if n.Exists() && n.Kind() != source.Array {
		return at(n, "%s is a list, found %s", name, n.Kind())
	}
	for _, item := range n.Items() {
		if item.Kind() != source.Object {
			return at(item, "an entry of %s is a mapping, found %s", name, item.Kind())
		}
		if err := read(item); err != nil {
			return err
		}
	}
	return nil
}

func at(n *source.Node, format string, args ...any) error {
	return &source.Problem{Pos: n.Pos(), Message: fmt.Sprintf(format, args...)}
}
