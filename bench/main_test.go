package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrint(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printTable(&out, []row{
		{name: "one", usage: usage{1500 * time.Millisecond, 2 * time.Second, 64_000_000}, asked: "20", verdict: "pass, exit code 0"},
		{name: "another", note: "could not be installed: 403 | gone"},
	}))
	assert.Equal(t, `| | wall time | CPU time | peak memory | queries asked | verdict |
| --- | --- | --- | --- | --- | --- |
| one | 1.50 s | 2.00 s | 64 MB | 20 | pass, exit code 0 |
| another |  |  |  |  | could not be installed: 403 \| gone |
`, out.String())
}

func TestProcess(t *testing.T) {
	if os.Getenv("BENCH_TEST_CHILD") == "1" {
		os.Stderr.WriteString("first\nlast\n\n") //nolint:errcheck // the parent sees whether it came
		os.Exit(3)
	}
	child := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestProcess$")
		cmd.Env = append(os.Environ(), "BENCH_TEST_CHILD=1")
		return cmd
	}
	used, code, said, err := process(t.Context(), child(t.Context()))
	require.NoError(t, err, "an exit code is an answer")
	assert.Equal(t, 3, code)
	assert.Equal(t, "last", lastLine(said))
	assert.Positive(t, used.wall)
	assert.Positive(t, used.cpu)
	assert.Greater(t, used.peak, int64(1e6))

	_, _, _, err = process(t.Context(), exec.Command(filepath.Join(t.TempDir(), "none")))
	require.Error(t, err)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, err = process(ended, child(ended))
	require.Error(t, err, "that it was stopped is no exit code")
}

func TestRefusesArguments(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"--dashboards", "3", "stack"}), `"stack" is not understood`)
	require.ErrorContains(t, run(t.Context(), []string{"--dashboards", "3", "--targets", "2"}), "not enough")
	require.Error(t, run(t.Context(), []string{"sweep", "dir", "url", "long"}))
}
