package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/fakes"
)

func TestTargetsAreSetUp(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"counters.csv": "DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n",
		"panelgate.yml": `version: 1
targets:
  - match: {job: triton}
    fake: triton
    version: ` + exporter.Newest("triton") + `
    args: ["--metrics-config", "summary_latencies=true"]
  - match: {job: dcgm}
    fake: dcgm
    hostname: gpu-01
    env: {DCGM_EXPORTER_INTERVAL: 10000}
    collectors: counters.csv
  - match: {job: node}
    fake: node
`} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	c, err := Load(filepath.Join(dir, FileName))
	require.NoError(t, err)
	require.Len(t, c.Targets, 3)
	assert.Equal(t, fakes.Setup{Version: exporter.Newest("triton"), Args: []string{"--metrics-config", "summary_latencies=true"}}, c.Targets[0].Setup)
	assert.Equal(t, fakes.Setup{
		Hostname: "gpu-01", Env: map[string]string{"DCGM_EXPORTER_INTERVAL": "10000"}, Args: []string{"--collectors", "/etc/dcgm-exporter/counters.csv"},
		Files: map[string]string{"/etc/dcgm-exporter/counters.csv": "DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n"},
	}, c.Targets[1].Setup)
	assert.Equal(t, fakes.Setup{}, c.Targets[2].Setup)
	assert.Equal(t, []string{filepath.Join(dir, "counters.csv")}, c.Files)
}

// What cannot be played back is refused where it is named.
func TestBrokenRecording(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, FileName)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.rec"), []byte("this is no recording"), 0o644))
	require.NoError(t, os.WriteFile(file, []byte("version: 1\ntargets:\n  - match: {job: a}\n    replay: broken.rec\n"), 0o644))
	_, err := Load(file)
	assert.ErrorContains(t, err, "panelgate.yml:4:13: broken.rec cannot be played back: ")
}
