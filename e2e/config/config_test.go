package config

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
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

	require.Len(t, c.Expect, 1)
	assert.Equal(t, "triton", c.Expect[0].Dashboard.Value)
	assert.Equal(t, source.Pos{File: FileName, Line: 11, Column: 12}, c.Expect[0].Panel.Pos)
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		return d
	}
	assert.True(t, c.Expect[0].HoldsAt(day("2027-06-01").Add(23*time.Hour)), "the day itself counts")
	assert.False(t, c.Expect[0].HoldsAt(day("2027-06-02")))
}

func TestExpectations(t *testing.T) {
	c, err := load(t, `
version: 1
expect:
  - {dashboard: a, panel: b, is: empty, why: c}
  - {dashboard: a, panel: b, is: {between: [-.inf, 1.5]}}
  - {dashboard: a, panel: b, ref_id: B, is: data}
  - dashboard: 7
    panel: c
    is:
      between: [0, 1]
exclude:
  - {rule: stack/image-unpinned, file: docker-compose.yml, why: a fork of ours, until: 2027-01-31}
  - {rule: panel/no-data, dashboard: a, panel: b, ref_id: C, why: not there before June}
`)
	require.NoError(t, err)
	require.Len(t, c.Expect, 4)
	assert.Equal(t, rule.ExpectsBetween, c.Expect[1].Is)
	assert.True(t, math.IsInf(c.Expect[1].Low, -1))
	assert.InDelta(t, 1.5, c.Expect[1].High, 0)
	assert.Equal(t, "B", c.Expect[2].RefID.Value)
	assert.Equal(t, "7", c.Expect[3].Dashboard.Value)
	require.Len(t, c.Exclude, 2)
	assert.Equal(t, []string{"stack/image-unpinned"}, c.Exclude[0].Rules)
	assert.Equal(t, "docker-compose.yml", c.Exclude[0].File.Value)
	assert.False(t, c.Exclude[0].HoldsAt(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)))
	assert.Equal(t, "C", c.Exclude[1].RefID.Value)
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
		"nobody answers":       {"version: 1\ntargets:\n  - match: {job: a}\n", "either fake: NAME, replay: FILE or live: true"},
		"two answer":           {"version: 1\ntargets:\n  - match: {job: a}\n    fake: node\n    live: true\n", "either fake: NAME, replay: FILE or live: true"},
		"no such fake":         {"version: 1\ntargets:\n  - match: {job: a}\n    fake: tritn\n", `panelgate.yml:4:11: no exporter is called "tritn", nearest: triton`},
		"a key twice":          {"version: 1\nscenario: idle\nscenario: steady\n", `panelgate.yml:3:1: key "scenario" stands twice`},
		"no recording":         {"version: 1\ntargets:\n  - match: {job: a}\n    replay: a.rec\n", "panelgate.yml:4:13: a.rec is no file"},
		"a recording set up":   {"version: 1\ntargets:\n  - match: {job: a}\n    replay: panelgate.yml\n    version: 1.2.3\n", "panelgate.yml:5:14: version says how a fake is set up"},
		"no such release":      {"version: 1\ntargets:\n  - match: {job: a}\n    fake: triton\n    version: soon\n", "panelgate.yml:5:14: version: \"soon\" is no release"},
		"a list of versions":   {"version: 1\ntargets:\n  - match: {job: a}\n    fake: triton\n    version: [24.07]\n", "panelgate.yml:5:14: want a release"},
		"args in a line":       {"version: 1\ntargets:\n  - match: {job: a}\n    fake: node\n    args: --a\n", "panelgate.yml:5:11: args is a list"},
		"live and set up":      {"version: 1\ntargets:\n  - match: {job: a}\n    live: true\n    env: {A: b}\n", "panelgate.yml:5:10: env says how a fake is set up"},
		"no counters file":     {"version: 1\ntargets:\n  - match: {job: a}\n    fake: dcgm\n    collectors: a.csv\n", "panelgate.yml:5:17: a.csv is no file"},
		"counters of others":   {"version: 1\ntargets:\n  - match: {job: a}\n    fake: node\n    collectors: panelgate.yml\n", "collectors is the counters file of dcgm-exporter"},
		"one bound":            {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: {between: [0]}}\n", "panelgate.yml:3:44: between is a list of the lowest"},
		"bounds swapped":       {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: {between: [1, 0]}}\n", "the lowest value (1) is above the highest (0)"},
		"bounds of words":      {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: {between: [low, high]}}\n", "panelgate.yml:3:45: a bound is a number"},
		"bounds without":       {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: {above: 1}}\n", `unknown key "above"`},
		"between alone":        {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: between}\n", "data, empty or {between"},
		"nothing expected":     {"version: 1\nexpect:\n  - {dashboard: a, panel: b}\n", "panelgate.yml:3:5: an expectation is data"},
		"expected twice":       {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: data}\n  - {dashboard: a, panel: b, is: data}\n", "panelgate.yml:4:5: panel \"b\" is expected to be data twice: first at panelgate.yml:3:5"},
		"contradiction":        {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: data}\n  - {dashboard: a, panel: b, is: empty, why: c}\n", "expected to be empty here and data at"},
		"exclude no rule":      {"version: 1\nexclude:\n  - {rule: panel/nodata, dashboard: a, why: c}\n", `panelgate.yml:3:12: unknown rule "panel/nodata", nearest: panel/no-data`},
		"exclude no why":       {"version: 1\nexclude:\n  - {rule: panel/no-data, dashboard: a}\n", "panelgate.yml:3:5: an exclusion needs a why"},
		"exclude everywhere":   {"version: 1\nexclude:\n  - {rule: panel/no-data, why: c}\n", "names a dashboard"},
		"exclude a panel":      {"version: 1\nexclude:\n  - {rule: panel/no-data, panel: a, file: b, why: c}\n", "names its dashboard"},
		"exclude a query":      {"version: 1\nexclude:\n  - {rule: panel/no-data, dashboard: a, ref_id: A, why: c}\n", "names its panel"},
		"exclude no date":      {"version: 1\nexclude:\n  - {rule: panel/no-data, dashboard: a, why: c, until: soon}\n", "until is a date"},
		"exclude no need":      {"version: 1\nexclude:\n  - {rule: gate/exclusion-unused, dashboard: a, why: c}\n", "to be removed"},
		"no why":               {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: empty}\n", "needs a why"},
		"no panel":             {"version: 1\nexpect:\n  - {dashboard: a, is: empty, why: c}\n", "names a dashboard"},
		"neither":              {"version: 1\nexpect:\n  - {dashboard: a, panel: b, is: full}\n", "data, empty or"},
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
