//go:build unix

package binary

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands for a compiler does not heed the interrupt, which go itself does.
func TestAnInterruptedBuildLeavesNoCompiler(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	require.NoError(t, syscall.Mkfifo(started, 0o600))
	script := "#!/bin/sh\n(trap '' INT; echo $$; exec sleep 600) >" + started + "; :\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o700)) //nolint:gosec // it is to be run
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	running := make(chan *os.File, 1)
	go func() {
		defer close(running)
		held, err := os.Open(started) //nolint:gosec // of this test
		if assert.NoError(t, err) {
			_, err = held.Read(make([]byte, 1))
			assert.NoError(t, err)
			running <- held
			cancel(errors.New("enough"))
		}
	}()
	require.ErrorContains(t, Build(ctx, Fakes, filepath.Join(dir, "fakes"), "linux", "amd64"), "enough")
	held := <-running
	require.NotNil(t, held)
	_, err := io.Copy(io.Discard, held) // it ends when nobody holds the pipe open
	require.NoError(t, err)
	require.NoError(t, held.Close())
	left, err := filepath.Glob(filepath.Join(dir, "build-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}
