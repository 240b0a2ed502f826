package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// small is a plan that is valid.
func small() *Plan {
	return &Plan{
		Version:      Version,
		Start:        time.Date(2026, 1, 31, 15, 4, 5, 600_000_007, time.UTC),
		ScenarioName: "quiet",
		Scenario:     "version: 1 # <quiet>\nmodels: [{name: m, requests_per_second: 4}]\n",
		Listeners: []Listener{{Listen: "127.0.0.1:0", Routes: []Route{
			{Host: "triton:8002", Exporter: "triton", Instance: "triton:8002"},
			{Host: "node", Exporter: "node", Instance: "node:80"},
		}}},
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	certificate, key := certificate(t)
	p := small()
	p.Listeners = append(p.Listeners, Listener{Listen: ":9401", Routes: []Route{{Exporter: "dcgm", Instance: "gpu:9401", Setup: fakes.Setup{
		Version: "4.8.2", Args: []string{"-f", "/etc/my.csv"}, Env: map[string]string{"NODE_NAME": "gpu-1", "DCGM_EXPORTER_KUBERNETES": "true"},
		Files: map[string]string{"/etc/my.csv": "DCGM_FI_DEV_GPU_TEMP, gauge, GPU \"temperature\".\n"}, Hostname: "gpu",
	}}, {Host: "kept", Exporter: "replay", Instance: "kept:9401", Setup: fakes.Setup{Recording: []byte{0, 1, 0xff, '"'}}}}})
	p.Start = p.Start.In(time.FixedZone("somewhere", 3600))
	p.ScenarioName, p.Scenario = scenario.Name(), string(scenario.YAML())
	p.Addresses = []string{"10.0.0.7", "fd00::7"}
	p.Listeners = append(p.Listeners,
		Listener{Listen: ":9400", Forward: "dcgm-exporter:9400"},
		Listener{Listen: "10.0.0.7:443", Routes: []Route{{Exporter: "dcgm", Instance: "10.0.0.7:443"}}, Certificate: certificate, Key: key})
	text, err := p.JSON()
	require.NoError(t, err)
	again, err := Read("plan.json", strings.NewReader(string(text)))
	require.NoError(t, err)
	p.Start = p.Start.UTC()
	assert.Equal(t, p, again)
}

func TestReadSaysWhere(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "p.json:1:1: the plan: the file ends early"},
		{"cut off", `{"version": 1, "listeners": [`, "listeners: the file ends early"},
		{"no JSON", "version: 1\n", "p.json:1:1: the plan: no JSON: invalid character 'v'"},
		{"a list", "[]", "p.json:1:1: the plan: want an object, have a list"},
		{"null", "null", "p.json:1:1: the plan: want an object, have null"},
		{"two", `{"version": 1} {}`, "p.json:1:16: something follows the plan"},
		{"later version", `{"version": 2, "news": []}`, "p.json:1:13: version is 2; this is version 1 of the format"},
		{"half a version", `{"version": 1.5}`, "p.json:1:13: version is 1.5;"},
		{"version as text", `{"version": "1"}`, "p.json:1:13: version: want a whole number, have a text"},
		{"unknown key", "{\n  \"listner\": []}", `p.json:2:3: unknown key "listner" in the plan; known are addresses, listeners, scenario, scenario_name, start, version`},
		{"key in capitals", `{"Version": 1}`, `p.json:1:2: unknown key "Version"`},
		{"key twice", `{"scenario": "a", "scenario": "b"}`, `p.json:1:19: key "scenario" stands twice in the plan`},
		{"no comma", `{"version": 1 "scenario": ""}`, "no JSON"},
		{"comma too many", `{"version": 1,}`, "no JSON"},
		{"wrong bracket", `{"addresses": ["a"}`, "no JSON"},
		{"unknown key below", "{\"listeners\": [\n{\"listen\": \":1\"},\n  {\"port\": 3}]}", `p.json:3:4: unknown key "port" in listeners[1]; known are certificate, forward, key, listen, routes`},
		{"unknown key of a route", `{"listeners": [{"routes": [{"fake": "triton"}]}]}`, `p.json:1:29: unknown key "fake" in routes[0]; known are exporter, host, instance, setup`},
		{"unknown key of a setup", `{"listeners": [{"routes": [{"setup": {"flags": []}}]}]}`, `unknown key "flags" in setup; known are args, env, files, hostname, recording, version`},
		{"variable twice", `{"listeners": [{"routes": [{"setup": {"env": {"A": "1", "A": "2"}}}]}]}`, `p.json:1:57: key "A" stands twice in env`},
		{"number for a variable", `{"listeners": [{"routes": [{"setup": {"env": {"A": 1}}}]}]}`, "p.json:1:52: A: want a text, have 1"},
		{"no base64", `{"listeners": [{"routes": [{"setup": {"recording": "*"}}]}]}`, "p.json:1:52: recording: want bytes in base64"},
		{"number for text", `{"addresses": [7]}`, "p.json:1:16: addresses[0]: want a text, have 7"},
		{"text for list", `{"addresses": "a"}`, "p.json:1:15: addresses: want a list, have a text"},
		{"object for list", `{"addresses": {}}`, "p.json:1:15: addresses: want a list, have an object"},
		{"null for list", `{"listeners": null}`, "p.json:1:15: listeners: want a list, have null"},
		{"not a time", `{"start": "yesterday"}`, `p.json:1:11: start: want a time such as 2026-01-31T15:04:05Z, have "yesterday"`},
		{"invalid", `{"version": 1}`, "p.json: start is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Read("p.json", strings.NewReader(tc.text))
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.want)
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReadBoundsAndPassesOn(t *testing.T) {
	_, err := Read("p.json", strings.NewReader(strings.Repeat(" ", MaxBytes+1)))
	require.ErrorContains(t, err, "p.json: more than the 16777216 bytes that a plan may have")
	broken := errors.New("cable cut")
	_, err = Read("p.json", failing{broken})
	require.ErrorIs(t, err, broken)

	p := small()
	p.ScenarioName = strings.Repeat("x", MaxBytes)
	_, err = p.JSON()
	require.ErrorContains(t, err, "more than the 16777216 it may have")

	p = small()
	p.Scenario += "#" + strings.Repeat("x", 1<<20)
	_, err = p.JSON()
	assert.ErrorContains(t, err, "more than the 1048576 a scenario may have")
}

func FuzzRead(f *testing.F) {
	text, err := small().JSON()
	require.NoError(f, err)
	f.Add(string(text))
	f.Add(`{"version": 1, "start": "2026-01-31T15:04:05+01:00", "scenario": "version: 1", "listeners": [{"listen": ":0", "forward": "a:1"}]}`)
	f.Add(`{"version": 1, "listeners": [{"routes": [{"host": "[::1]"}]}]}`)
	f.Add("[[[[{")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read("p.json", strings.NewReader(text))
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), "p.json:"), err)
			return
		}
		written, err := p.JSON()
		require.NoError(t, err)
		again, err := Read("p.json", strings.NewReader(string(written)))
		require.NoError(t, err)
		assert.Equal(t, p, again)
	})
}
