package fakes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAModelMayStandSeveralTimes(t *testing.T) {
	const two = "version: 1\ngpus: [{count: 2}]\nmodels:\n  - {name: m, gpu: 0}\n"
	for _, tc := range []struct{ more, err string }{
		{"  - {name: m, gpu: 1}\n  - {name: m, version: 2, gpu: 0}\n", ""},
		{"  - {name: m, gpu: 0}\n", `model "m" stands twice, with one version and one GPU`},
		{"  - {name: m, version: 2}\n  - {name: e, kind: ensemble, steps: [m]}\n", `step "m" stands several times`},
	} {
		_, err := ParseScenario("s.yaml", []byte(two+tc.more))
		if tc.err == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tc.err)
	}
}

func TestAGPUHasTheUUIDThatTheScenarioSays(t *testing.T) {
	s, err := ParseScenario("s.yaml", []byte("version: 1\ngpus: [{uuid: GPU-5fd4f087-86f3-7a43-b711-4771313afc50}, {}]\n"))
	require.NoError(t, err)
	gpus, id := NewWorld(s, time.Unix(1_800_000_000, 0)).GPUs(), IdentityOf("box:1")
	assert.Equal(t, "GPU-5fd4f087-86f3-7a43-b711-4771313afc50", gpus[0].UUID(id))
	assert.Equal(t, id.GPUUUID(1), gpus[1].UUID(id))
	for yaml, want := range map[string]string{
		"gpus: [{uuid: GPU-1, count: 2}]\n":         "uuid GPU-1 stands twice",
		"gpus: [{uuid: GPU-1}, {uuid: GPU-1}]\n":    "uuid GPU-1 stands twice",
		"gpus: [{uuid: 'GPU \"1\"'}]\n":             "characters that no UUID has",
		"models: [{name: m, decoupled: perhaps}]\n": "want true or false",
	} {
		_, err := ParseScenario("s.yaml", []byte("version: 1\n"+yaml))
		require.ErrorContains(t, err, want, yaml)
	}
}

func TestModelsThatStreamAreDecoupled(t *testing.T) {
	s, err := ParseScenario("s.yaml", []byte("version: 1\nmodels: [{name: a}, {name: b, decoupled: true}, {name: c, kind: vllm}]\n"))
	require.NoError(t, err)
	var got []bool
	for _, m := range NewWorld(s, time.Unix(1_800_000_000, 0)).Models() {
		got = append(got, m.Decoupled())
	}
	assert.Equal(t, []bool{false, true, true}, got)
}
