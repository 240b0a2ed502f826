package fakes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPartsOfAMachine(t *testing.T) {
	s, err := ParseScenario("parts.yaml", []byte(`version: 1
gpus:
  - memory_mib: {total: 40536, reserved: 100}
    nvlinks: 12
    mig:
      - {profile: 1g.5gb+me, id: 7}
      - {profile: 3g.20gb, id: 2, pod: {name: a, container: b, namespace: c, uid: d, labels: {x/y: "1", app: z}}}
  - {count: 2, vgpu: true, pod: {name: a, container: b}}
host: {cpus: 4, grace_cpus: 2, nvswitches: 3}
`))
	require.NoError(t, err)
	w := NewWorld(s, time.Unix(0, 0))
	require.Len(t, w.GPUs(), 3)
	first := w.GPUs()[0]
	assert.Equal(t, 12, first.NVLinks())
	instances := first.Instances()
	require.Len(t, instances, 2)
	assert.Equal(t, 2, instances[0].ID, "in the order of their numbers")
	assert.Equal(t, int64(20<<30), instances[0].Memory())
	assert.Equal(t, int64(5<<30), instances[1].Memory())
	pod, ok := instances[0].Pod()
	assert.True(t, ok)
	assert.Equal(t, Pod{Name: "a", Container: "b", Namespace: "c", UID: "d", Labels: []PodLabel{{"app", "z"}, {"x/y", "1"}}}, pod)
	_, ok = first.Pod()
	assert.False(t, ok)
	for _, gpu := range w.GPUs()[1:] {
		assert.True(t, gpu.Virtual())
		pod, ok := gpu.Pod()
		assert.True(t, ok)
		assert.Equal(t, "default", pod.Namespace)
	}
	assert.Equal(t, 2, w.Host().GraceCPUs())
	assert.Equal(t, 3, w.Host().NVSwitches())
}

func TestBrokenPartsAreToldWithTheirPlace(t *testing.T) {
	for _, tc := range []struct{ gpu, message string }{
		{"mig: [{profile: 1g10gb, id: 1}]", `parts.yaml:2:25: profile: "1g10gb" is no MIG profile`},
		{"mig: [{profile: 1g.10gb}]", "2:15: mig[0]: profile or id is missing"},
		{"mig: [{profile: 1g.5gb, id: 1}, {profile: 1g.5gb, id: 1}]", "mig[1]: id 1 stands twice"},
		{"mig: [{profile: 1g.5gb, id: 15}]", "15 is not between 0 and 14"},
		{"mig: [{profile: 4g.5gb, id: 1}, {profile: 4g.5gb, id: 2}]", "take 8 compute slices, of 7"},
		{"mig: [{profile: 7g.80gb, id: 0}]", "take 81920 MiB of memory, of 23034"},
		{"mig: [{profile: 1g.5gb, id: 0}], vgpu: true", "a vGPU has no instances"},
		{"mig: [{profile: 1g.5gb, id: 0}], pod: {name: a, container: b}", "give them a pod each"},
		{"vgpu: perhaps", "vgpu: want true or false"},
		{"nvlinks: 19", "19 is not between 0 and 18"},
		{"pod: {name: a}", "pod: name or container is missing"},
		{"pod: {name: a b, container: c}", `"a b" is not a name that Kubernetes takes`},
		{"pod: {name: a, container: c, labels: {x: 'a\"'}}", "is not a name that Kubernetes takes"},
		{"pod: {name: a, container: c, labels: {x: a, x: b}}", `key "x" stands twice`},
		{"pod: {name: a, container: c, labels: [x]}", "labels: want keys and values"},
	} {
		_, err := ParseScenario("parts.yaml", []byte("version: 1\ngpus: [{"+tc.gpu+"}]\n"))
		assert.ErrorContains(t, err, tc.message, tc.gpu)
	}
	_, err := ParseScenario("parts.yaml", []byte("version: 1\nhost: {grace_cpus: 9}\n"))
	assert.ErrorContains(t, err, "parts.yaml:2:20: grace_cpus: 9 is not between 0 and 8")
}
