package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reader that has stopped reading does not hold a run past an interrupt: it ends with
// the exit code of a run that could not be, and says both why.
func TestAReaderThatStoppedReadingIsNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	if _, err := os.ReadFile("/proc/self/syscall"); err != nil {
		t.Skip("this kernel does not tell what a process waits for:", err)
	}
	dir := panelsThatDiffer(t, 400) // with more events than a pipe holds
	cmd := exec.CommandContext(t.Context(), "panelgate", "--stack", dir, "--no-cache", "--history", "10m", "--ndjson", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, in, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = in
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	events := bufio.NewReaderSize(out, 16)
	for line := ""; !strings.HasPrefix(line, `{"event":"query"`); {
		line, err = events.ReadString('\n')
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return isWriting(t, cmd.Process.Pid, 1) }, time.Minute, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.NoError(t, out.Close())
	assert.Equal(t, exitNotRun, exit.ExitCode())
	assert.Contains(t, stderr.String(), "interrupted while")
	assert.Contains(t, stderr.String(), "write the event stream: whoever reads it has stopped reading")
}

// isWriting says whether a process waits for what it writes to a descriptor to be taken:
// one that is looked at while it writes and need not wait is seen twice in the same call
// by chance alone, so it is looked at for a while.
func isWriting(t *testing.T, pid, descriptor int) bool {
	t.Helper()
	call := fmt.Sprintf("%d %#x ", syscall.SYS_WRITE, descriptor)
	for range 100 {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
		require.NoError(t, err)
		if !slices.ContainsFunc(threads, func(file string) bool {
			text, err := os.ReadFile(file) //nolint:gosec // the kernel's
			return err == nil && strings.HasPrefix(string(text), call)
		}) {
			return false
		}
	}
	return true
}
