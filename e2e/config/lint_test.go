package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// linted is a stack of one dashboard with these .lint files, by folder.
func linted(t *testing.T, files map[string]string) *stack.Stack {
	t.Helper()
	s := &stack.Stack{Dir: t.TempDir(), Dashboards: []*stack.Board{{Dashboard: &dashboard.Dashboard{File: "boards/a.json"}}}}
	for folder, content := range files {
		dir := filepath.Join(s.Dir, folder)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, LintFileName), []byte(content), 0o644))
	}
	return s
}

func TestLint(t *testing.T) {
	found, err := Lint(linted(t, map[string]string{".": `
exclusions:
  template-job-rule:
  target-promql-rule:
warnings:
  panel-units-rule:
    reason: shown raw
`, "boards": `
exclusions:
  target-rate-interval-rule:
    reason: all of it
    entries:
    - dashboard: A
      panel: Rate
      targetIdx: "1"
    - panel: Other
      reason: this one
      targetidx: 0
  panel-no-targets-rule: {}
`, "elsewhere": "nonsense: ["}))
	require.NoError(t, err)
	require.Len(t, found, 5)

	assert.Equal(t, []string{"panel/syntax"}, found[0].Rules)
	assert.Equal(t, ".", found[0].Folder)
	assert.True(t, found[0].Foreign)
	assert.Equal(t, 4, found[0].Pos.Line)

	assert.True(t, found[1].Lowers)
	assert.Equal(t, "shown raw", found[1].Why)

	rate := found[2]
	assert.Equal(t, "boards", rate.Folder)
	assert.Equal(t, []string{"A", "Rate", "1", "all of it"}, []string{rate.Dashboard.Value, rate.Panel.Value, rate.Target.Value, rate.Why})
	assert.Equal(t, []string{"", "Other", "0", "this one"}, []string{found[3].Dashboard.Value, found[3].Panel.Value, found[3].Target.Value, found[3].Why})
	assert.True(t, found[4].Queryless)
}

func TestLintThatSaysNothing(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "null": "exclusions:\n", "other keys": "settings: {a: b}\n", "no entries": "exclusions: {target-job-rule: {entries: []}}\n"} {
		t.Run(name, func(t *testing.T) {
			found, err := Lint(linted(t, map[string]string{".": content}))
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
	found, err := Lint(linted(t, nil))
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestLintRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"not YAML":   {"exclusions: [\n", ".lint:2:1: "},
		"a list":     {"- a\n", ".lint:1:1: want a mapping"},
		"rules":      {"exclusions: [a]\n", ".lint:1:13: exclusions maps rules"},
		"a rule":     {"warnings: {target-promql-rule: true}\n", ".lint:1:32: want a mapping with reason"},
		"entries":    {"warnings: {target-promql-rule: {entries: all}}\n", "entries is a list"},
		"an entry":   {"warnings: {target-promql-rule: {entries: [all]}}\n", "an entry is a mapping"},
		"other rule": {"warnings: {target-job-rule: {entries: [all]}}\n", "an entry is a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Lint(linted(t, map[string]string{".": tc.content}))
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
