package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// unmatched are the entries of panelgate.yml's targets that match none of the
// targets found, by the same comparison as the environment's.
func unmatched(entries []config.Target, s *stack.Stack, targets []env.Target) []rule.Mapping {
	var out []rule.Mapping
	for _, e := range entries {
		if slices.ContainsFunc(targets, func(t env.Target) bool { return matches(e.Match, s, t) }) {
			continue
		}
		var text []string
		for _, key := range slices.Sorted(maps.Keys(e.Match)) {
			text = append(text, key+": "+e.Match[key])
		}
		m := rule.Mapping{Pos: e.Pos, Text: "{" + strings.Join(text, ", ") + "}", Match: e.Match}
		if inside, err := filepath.Rel(s.Dir, m.Pos.File); err == nil && filepath.IsLocal(inside) {
			m.Pos.File = filepath.ToSlash(inside)
		}
		out = append(out, m)
	}
	return out
}

func matches(match map[string]string, s *stack.Stack, t env.Target) bool {
	for key, want := range match {
		if key == "address" {
			if want != t.Address && want != writtenAddress(s, t) {
				return false
			}
			continue
		}
		if t.Labels[key] != want {
			return false
		}
	}
	return len(match) > 0
}

// writtenAddress is a target's address as prometheus.yml has it, "" for one that
// was discovered.
func writtenAddress(s *stack.Stack, t env.Target) string {
	if s.Prometheus == nil {
		return ""
	}
	for _, j := range s.Prometheus.Jobs {
		for _, w := range j.Targets {
			if !t.Pos.IsZero() && w.Address.Pos == t.Pos {
				return w.Address.Value
			}
		}
	}
	return ""
}
