package fakes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBuiltinScenariosParse(t *testing.T) {
	assert.Equal(t, []string{
		"burst", "diurnal", "failing", "idle", "llm", "nodelost", "ramp", "reload", "restarting", "saturation", "slowscrape", "steady",
		"throttling", "xid",
	}, BuiltinScenarios())
	for _, name := range BuiltinScenarios() {
		scenario, err := BuiltinScenario(name)
		require.NoError(t, err)
		assert.Equal(t, name, scenario.Name())
	}
	_, err := BuiltinScenario("hectic")
	assert.EqualError(t, err, `no built-in scenario "hectic"; there are burst, diurnal, failing, idle, llm, nodelost, ramp, reload, `+
		`restarting, saturation, slowscrape, steady, throttling, xid`)
}

func TestScenarioGivesItsTextBack(t *testing.T) {
	text := []byte("version: 1 # as written\nmodels: [{name: m}]\n")
	want := string(text)
	file := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	loaded, err := LoadScenario(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(loaded.YAML()))

	parsed, err := ParseScenario("s.yaml", text)
	require.NoError(t, err)
	text[0] = '#'
	parsed.YAML()[0] = '#'
	assert.Equal(t, want, string(parsed.YAML()), "neither the bytes given nor those handed out are the scenario's own")

	builtin, err := BuiltinScenario(DefaultScenario)
	require.NoError(t, err)
	again, err := ParseScenario(builtin.Name(), builtin.YAML())
	require.NoError(t, err)
	assert.Equal(t, builtin.Name(), again.Name())
}

func TestSteadyExplainsEveryKey(t *testing.T) {
	text, err := os.ReadFile("scenarios/steady.yaml")
	require.NoError(t, err)
	for _, key := range []string{
		"name", "version", "kind", "gpu", "loaded_after", "load_seconds", "steps", "requests_per_second", "batch_size", "requests_per_execution",
		"stages_us", "queue", "compute_input", "compute_infer", "compute_output", "overhead_us", "failures_per_second", "REJECTED", "CANCELED",
		"BACKEND", "OTHER", "response_cache", "hit_ratio", "hit_us", "miss_us", "count", "model", "load", "memory_mib", "total", "reserved", "idle",
		"busy", "power_watts", "limit", "temperature_celsius", "cpus", "cpu_load", "memory_used", "uptime", "mean", "waves", "swing", "period", "phase",
	} {
		assert.Contains(t, string(text), key)
	}
}

// The page about scenarios has all of them and every key, and its example is one.
func TestDocsExplainScenarios(t *testing.T) {
	page, err := os.ReadFile("../docs/scenarios.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found)
	example, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	_, err = ParseScenario("docs/scenarios.md", []byte(example))
	require.NoError(t, err)
	for _, name := range BuiltinScenarios() {
		assert.Contains(t, string(page), "| `"+name+"`")
	}
	for _, where := range []string{"models: [{name: m, no_key: 1}]", "gpus: [{no_key: 1}]", "host: {no_key: 1}", "events: [{no_key: 1}]",
		"models: [{name: m, stages_us: {no_key: 1}}]", "models: [{name: m, response_cache: {no_key: 1}}]", "models: [{name: m, llm: {no_key: 1}}]",
		"models: [{name: m, llm: {kv_cache: {no_key: 1}}}]", "gpus: [{memory_mib: {no_key: 1}}]",
		"gpus: [{power_watts: {no_key: 1}}]", "models: [{name: m, failures_per_second: {no_key: 1}}]", "no_key: 1"} {
		_, err := ParseScenario("s.yaml", []byte("version: 1\n"+where+"\n"))
		require.ErrorContains(t, err, "known are ")
		_, known, _ := strings.Cut(err.Error(), "known are ")
		for _, key := range strings.Split(known, ", ") {
			assert.Regexp(t, "`"+key+"[`:]", string(page))
		}
	}
}

func TestScenarioErrorsSayWhere(t *testing.T) {
	const model = "version: 1\nmodels:\n  - name: m\n"
	for _, tc := range []struct{ name, yaml, want string }{
		{"empty", "", "s.yaml:1:1: scenario is empty"},
		{"broken", "version: [", "s.yaml:1: did not find expected node content"},
		{"tab", "version: 1\nhost:\n\tcpus: 8\n", "s.yaml:3: found character that cannot start any token; YAML is indented by spaces, not by tabs"},
		{"no text", "version: 1\x01\n", "s.yaml: control characters are not allowed"},
		{"a GPU too far in an event", "version: 1\ngpus: [{count: 2}]\nevents: [{xid: 79, gpus: [2]}]\n", "an event of GPU 2, but there are 2 GPUs"},
		{"two documents", "version: 1\n---\nversion: 1\n", "want one YAML document"},
		{"not a mapping", "- 1\n", "s.yaml:1:1: the scenario: want keys and values, have a list"},
		{"no version", "models: []\n", "s.yaml:1:1: the scenario: version is missing"},
		{"later version", "version: 2\n", "s.yaml:1:10: version: 2 is none that this program reads; this is version 1 of the format"},
		{"unknown key", "version: 1\nmodel: []\n", `s.yaml:2:1: unknown key "model" in the scenario; known are events, gpus, host, models, version`},
		{"unknown key of a model", model + "    queue: 3\n", `s.yaml:4:5: unknown key "queue" in models[0]`},
		{"key twice", model + "    name: n\n", `s.yaml:4:5: key "name" stands twice in models[0]`},
		{"no name", "version: 1\nmodels:\n  - kind: python\n", "s.yaml:3:5: models[0]: name is missing"},
		{"name to escape", "version: 1\nmodels:\n  - name: 'a\"b'\n", "s.yaml:3:11: name:"},
		{"unknown kind", model + "    kind: pyton\n", `s.yaml:4:11: kind: "pyton" is none of`},
		{"not a number", model + "    requests_per_second: many\n", `s.yaml:4:26: requests_per_second: want a number, have "many"`},
		{"null", model + "    requests_per_second:\n", `s.yaml:4:25: requests_per_second: want a number, have ""`},
		{"NaN", model + "    requests_per_second: .nan\n", "NaN is not between"},
		{"negative", model + "    requests_per_second: -1\n", "s.yaml:4:26: requests_per_second: -1 is not between 0 and"},
		{"too rare", model + "    requests_per_second: 1e-9\n", "above zero but below"},
		{"swings too far", model + "    requests_per_second: {mean: 4, waves: [{swing: 0.6, period: 1m}, {swing: 0.6, period: 2m}]}\n", "s.yaml:4:26: requests_per_second: the swings add up to 1.2"},
		{"no period", model + "    requests_per_second: {mean: 4, waves: [{swing: 0.6}]}\n", "period is missing"},
		{"bad duration", model + "    loaded_after: soon\n", `s.yaml:4:19: loaded_after: want a duration such as 90s or 12h, have "soon"`},
		{"negative duration", model + "    loaded_after: -3s\n", "less than 0s"},
		{"fraction of a batch", model + "    batch_size: 1.5\n", "s.yaml:4:17: batch_size: want a whole number"},
		{"unknown reason", model + "    failures_per_second: {TIMEOUT: 1}\n", `unknown key "TIMEOUT" in failures_per_second; known are BACKEND, CANCELED, OTHER, REJECTED`},
		{"no such GPU", model + "    gpu: 1\ngpus: [{}]\n", `s.yaml:4:10: model "m" runs on GPU 1, but there is 1 GPU, number 0`},
		{"model twice", model + "  - name: m\n", `s.yaml:4:5: model "m" stands twice`},
		{"more failures than requests", model + "    requests_per_second: 1\n    failures_per_second: {OTHER: 2}\n", `model "m": its failures can outnumber its requests`},
		{"CPU too busy", model + "    requests_per_second: 100\n    stages_us: {compute_infer: 100000}\nhost: {cpus: 2}\n", "s.yaml:6:7: host: the CPUs would be"},
		{"GPU too busy", model + "    gpu: 0\n    requests_per_second: 100\n    stages_us: {compute_infer: 100000}\ngpus: [{}]\n", "s.yaml:7:8: GPU 0 would be 1000 % busy"},
		{"GPU memory", "version: 1\ngpus: [{memory_mib: {total: 100}}]\n", "s.yaml:2:8: memory_mib: in use and reserved exceed the total of 100"},
		{"GPU power", "version: 1\ngpus: [{power_watts: {limit: 20}}]\n", "busy is above the limit"},
		{"batches below one", model + "    requests_per_execution: {mean: 1.1, waves: [{swing: 0.5, period: 1m}]}\n", "requests_per_execution falls below 1"},
		{"steps without ensemble", model + "    steps: [m]\n", `model "m" has steps but is not of kind ensemble`},
		{"ensemble without steps", model + "    kind: ensemble\n", `ensemble "m" has no steps`},
		{"ensemble of nothing", model + "    kind: ensemble\n    steps: [n]\n", `no model "n" for a step`},
		{"ensemble of itself", model + "    kind: ensemble\n    steps: [m]\n", `step "m" is an ensemble itself`},
		{"ensemble that computes", model + "    kind: ensemble\n    steps: [n]\n    stages_us: {compute_infer: 1}\n  - name: n\n", "has compute times"},
		{"ensemble loaded apart", model + "    kind: ensemble\n    steps: [n]\n  - {name: n, loaded_after: 1m}\n", `ensemble "m" and its step "n" must be loaded together`},
		{"ensemble version", model + "    kind: ensemble\n    version: '3'\n    steps: [n]\n  - name: n\n", "version 1"},
		{"memory over", "version: 1\nhost: {memory_used: {mean: 0.9, waves: [{swing: 0.5, period: 1m}]}}\n", "s.yaml:2:7: host: memory_used reaches 1.35"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseScenario("s.yaml", []byte(tc.yaml))
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.want)
		})
	}
}

func TestLoadScenario(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.yaml")
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nmodels: &all [{name: m}]\n"), 0o600))
	scenario, err := LoadScenario(file)
	require.NoError(t, err)
	assert.Equal(t, file, scenario.Name())

	_, err = LoadScenario(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)

	huge := filepath.Join(dir, "huge.yaml")
	require.NoError(t, os.WriteFile(huge, []byte(strings.Repeat("#", maxScenarioBytes+1)), 0o600))
	_, err = LoadScenario(huge)
	require.ErrorContains(t, err, "more than the")
}

func TestModelsStandInLoadOrder(t *testing.T) {
	scenario, err := ParseScenario("s.yaml", []byte(`version: 1
models:
  - {name: late, loaded_after: 1m}
  - {name: whole, kind: ensemble, steps: [part]}
  - {name: part}
  - {name: soon, loaded_after: 1s}
`))
	require.NoError(t, err)
	var names []string
	for _, m := range scenario.models {
		names = append(names, m.name)
	}
	assert.Equal(t, []string{"part", "whole", "soon", "late"}, names)
}

func FuzzParseScenario(f *testing.F) {
	for _, name := range BuiltinScenarios() {
		data, err := os.ReadFile("scenarios/" + name + ".yaml")
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte("version: 1\nmodels: &a [*a]\n"))
	f.Add([]byte("version: 1\nhost: {cpu_load: {mean: 1e308}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		scenario, err := ParseScenario("f.yaml", data)
		if (err == nil) != (scenario != nil) {
			t.Fatalf("scenario %v, error %v", scenario, err)
		}
	})
}
