package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// tiny is a stack without a compose file, smaller than the shipped one.
const tiny = "paneltest/testdata/whole"

// copyOf is a stack's copy, with further files beside it.
func copyOf(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	parent := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(parent, "stack"), os.DirFS(dir)))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(parent, name), []byte(text), 0o644))
	}
	return filepath.Join(parent, "stack")
}

func TestLoadReadsTheConfiguration(t *testing.T) {
	dir := copyOf(t, tiny, map[string]string{
		"panelgate.yml": "version: 1\nscenario: idle\n",
		"other.yml":     "version: 1\nscenario: saturation\n",
		"stack/.lint":   "exclusions:\n  panel-units-rule: {reason: known}\n",
	})
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	assert.Equal(t, "idle", loaded.Options.Config.Scenario, "it is searched upward")
	assert.NotEmpty(t, loaded.Options.Config.Exclude, "the .lint file's")
	assert.Equal(t, DefaultHistory, loaded.Options.History)
	assert.Len(t, loaded.Stack.Dashboards, 1)

	t.Chdir(filepath.Dir(dir))
	loaded, err = Load(t.Context(), Source{Dir: dir, Config: "other.yml"})
	require.NoError(t, err)
	assert.Equal(t, "saturation", loaded.Options.Config.Scenario)
	assert.True(t, filepath.IsAbs(loaded.Options.Config.File), "else its places would be taken for ones below the stack")
}

func TestLoadChoosesDashboards(t *testing.T) {
	for glob, want := range map[string]bool{
		"gpu-hosts": true, "GPU *": true, "gpu-hosts.json": true, "*/boards/*": false, "*/*/*/boards/*.json": true, "node": false,
	} {
		loaded, err := Load(t.Context(), Source{Dir: tiny, Dashboards: []string{"x", glob}})
		require.NoError(t, err)
		assert.Equal(t, want, loaded.Options.Choose(loaded.Stack.Dashboards[0]), glob)
	}
}

func TestLoadNamesServices(t *testing.T) {
	dir := copyOf(t, shippedDir, map[string]string{"panelgate.yml": "version: 1\nservices: {prometheus: no-such}\n"})
	var wrong *UsageError
	_, err := Load(t.Context(), Source{Dir: dir})
	require.ErrorAs(t, err, &wrong)
	require.ErrorIs(t, err, stack.ErrService)

	loaded, err := Load(t.Context(), Source{Dir: dir, Services: map[string]string{stack.RolePrometheus: "prometheus"}})
	require.NoError(t, err, "what the source says holds over panelgate.yml")
	_, err = stack.Load(t.Context(), dir, loaded.Services...)
	require.NoError(t, err)
}

func TestLoadRefuses(t *testing.T) {
	for want, from := range map[string]Source{
		"no stack at nowhere":            {Dir: "nowhere"},
		"no stack at load_test.go":       {Dir: "load_test.go"},
		"nowhere.yml: no such file":      {Dir: tiny, Config: "nowhere.yml"},
		"syntax error in pattern":        {Dir: tiny, Dashboards: []string{"["}},
		`no role is called "loki"`:       {Dir: shippedDir, Services: map[string]string{"loki": "x"}},
		"unknown key \"scenaro\"":        {Dir: copyOf(t, tiny, map[string]string{"panelgate.yml": "version: 1\nscenaro: x\n"})},
		"load the scenario":              {Dir: copyOf(t, tiny, map[string]string{"panelgate.yml": "version: 1\nscenario: x\n"})},
		"want a mapping with exclusions": {Dir: copyOf(t, tiny, map[string]string{"stack/.lint": "[]\n"})},
	} {
		_, err := Load(t.Context(), from)
		var wrong *UsageError
		require.ErrorAs(t, err, &wrong, want)
		assert.ErrorContains(t, err, want)
	}
}

func TestFails(t *testing.T) {
	query := &rule.Asked{Sent: true}
	r := &Report{Queries: []*rule.Asked{{}, query}, Findings: []rule.Finding{{Severity: rule.Warning}}}
	assert.False(t, r.Fails(rule.Error))
	assert.True(t, r.Fails(rule.Warning))
	assert.True(t, r.Fails(rule.Info))
	query.Sent = false
	assert.True(t, r.Fails(rule.Error), "a run that asked nothing is no success, whatever the rules say")
	assert.True(t, (&Report{Env: "static"}).Fails(rule.Error), "nor is a lint of no dashboard")
	assert.False(t, (&Report{Env: "static", Boards: []*rule.Board{{}}}).Fails(rule.Error))
}
