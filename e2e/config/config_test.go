package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
)

func load(t *testing.T, content string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), FileName)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	t.Chdir(filepath.Dir(file))
	return Load(FileName)
}

func TestLoad(t *testing.T) {
	c, err := load(t, `
version: 1
scenario: idle
targets:
  - match: {job: triton, instance: "a:1"}
    fake: triton
  - match: {address: "b:2"}
    live: true
expect:
  - dashboard: triton
    panel: Failed Requests
    is: empty
    why: nothing fails
    until: 2027-06-01
rules:
  panel/nan: warning
  variable/unused: off
  stack/default-password: "off"
`)
	require.NoError(t, err)
	assert.Equal(t, "idle", c.Scenario)
	require.Len(t, c.Targets, 2)
	assert.Equal(t, map[string]string{"job": "triton", "instance": "a:1"}, c.Targets[0].Match)
	assert.Equal(t, "triton", c.Targets[0].Fake)
	assert.True(t, c.Targets[1].Live)
	assert.Equal(t, rule.Severities{"panel/nan": rule.Warning, "variable/unused": rule.Off, "stack/default-password": rule.Off}, c.Rules)

	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		return d
	}
	assert.NotNil(t, c.Expected("triton", "", "Failed Requests", day("2027-06-01").Add(23*time.Hour)), "the day itself counts")
	assert.Nil(t, c.Expected("triton", "", "Failed Requests", day("2027-06-02")))
	assert.NotNil(t, c.Expected("uid", "triton", "Failed Requests", day("2026-01-01")), "by title")
	assert.Nil(t, c.Expected("triton", "", "Other", day("2026-01-01")))
}

func TestScenarioFileIsFoundFromTheConfiguration(t *testing.T) {
	c, err := load(t, "version: 1\nscenario: worlds/busy.yaml\n")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join("worlds", "busy.yaml"), c.Scenario)
}

func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"nothing":              {"", "panelgate.yml:1:1: the configuration is empty"},
		"no version":           {"scenario: steady\n", "panelgate.yml:1:1: want version: 1"},
		"another version":      {"version: 2\n", "panelgate.yml:1:10: want version: 1"},
		"two documents":        {"version: 1\n---\nversion: 1\n", "one YAML document"},
		"not YAML":             {"version: [\n", "not valid YAML"},
		"a list":               {"- version: 1\n", "panelgate.yml:1:1: want a mapping, found an array"},
		"unknown key":          {"version: 1\nscenaro: steady\n", `panelgate.yml:2:1: unknown key "scenaro", nearest: scenario`},
		"unknown rule":         {"version: 1\nrules:\n  panel/nodata: error\n", `panelgate.yml:3:3: unknown rule "panel/nodata", nearest: panel/no-data`},
		"unknown severity":     {"version: 1\nrules:\n  panel/no-data: fatal\n", `panelgate.yml:3:18: unknown severity "fatal"`},
		"rules as a list":      {"version: 1\nrules: [panel/no-data]\n", "panelgate.yml:2:8: rules maps"},
		"targets as a mapping": {"version: 1\ntargets: {}\n", "panelgate.yml:2:10: targets is a list"},
		"a scalar target":      {"version: 1\ntargets: [triton]\n", "panelgate.yml:2:11: an entry of targets is a mapping"},
		"match all":            {"version: 1\ntargets:\n  - fake: triton\n", "panelgate.yml:3:5: a target needs match"},
		"match unknown":        {"version: 1\ntargets:\n  - match: {port: 1}\n    fake: triton\n", `unknown key "port"`},
		"nobody answers":       {"version: 1\ntargets:\n  - match: {job: a}\n", "either fake: NAME or live: true"},
		"two answer":           {"version: 1\ntargets:\n  - match: {job: a}\n    fake: node\n    live: true\n", "either fake: NAME or live: true"},
		"no such fake":         {"version: 1\ntargets:\n  - match: {job: a}\n    fake: tritn\n", `panelgate.yml:4:11: no exporter is called "tritn", nearest: triton`},
		"a key twice":          {"version: 1\nscenario: idle\nscenario: steady\n", `panelgate.yml:3:1: key "scenario" stands twice`},
		"replay":               {"version: 1\ntargets:\n  - match: {job: a}\n    replay: a.prom\n", "not there yet"},
		"bounds":               {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: {between: [0, 1]}}\n", "not there yet"},
		"no why":               {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: empty}\n", "needs a why"},
		"no panel":             {"version: 1\nexpect:\n  - {dashboard: a, is: empty, why: c}\n", "names a dashboard"},
		"neither":              {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: full}\n", "data or empty"},
		"no date":              {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: empty, why: c, until: soon}\n", "until is a date"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.content)
			assert.ErrorContains(t, err, tc.want)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "missing.yml"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b", "stack")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	found, err := Find(deep)
	require.NoError(t, err)
	assert.Empty(t, found)
	want := filepath.Join(root, "a", FileName)
	require.NoError(t, os.WriteFile(want, []byte("version: 1\n"), 0o644))
	found, err = Find(deep)
	require.NoError(t, err)
	assert.Equal(t, want, found)
}
