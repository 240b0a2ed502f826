package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program writes a shell script.
func program(t *testing.T, dir, name, script string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o700)) //nolint:gosec // it is to be run
	return file
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	usual := usualPrograms("linux")

	_, err := find("", usual)
	require.ErrorIs(t, err, ErrNone)
	require.ErrorContains(t, err, "apt-get install chromium")

	chrome := program(t, dir, "google-chrome", "")
	found, err := find("", usual)
	require.NoError(t, err)
	assert.Equal(t, chrome, found)

	chromium := program(t, dir, "chromium", "")
	found, err = find("", usual)
	require.NoError(t, err)
	assert.Equal(t, chromium, found, "the first of the names")

	mine := program(t, t.TempDir(), "mine", "")
	found, err = find(mine, usual)
	require.NoError(t, err)
	assert.Equal(t, mine, found)

	_, err = find(filepath.Join(dir, "gone"), usual)
	require.ErrorContains(t, err, "PANELGATE_CHROMIUM names no browser")
}

func TestWhyABrowserDoesNotStartIsSaid(t *testing.T) {
	tmp, err := os.MkdirTemp("", "")
	require.NoError(t, err)
	defer func() { assert.NoError(t, os.Remove(tmp), "something was left behind") }()
	dir := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	_, err = Start(t.Context(), program(t, dir, "broken", "echo one >&2; echo libnss3.so is missing >&2; exit 127"))
	require.ErrorContains(t, err, "does not start: libnss3.so is missing")
	_, err = Start(t.Context(), program(t, dir, "jailed", "echo No usable sandbox! >&2; exit 1"))
	require.ErrorContains(t, err, "set PANELGATE_CHROMIUM_NO_SANDBOX=1")
	_, err = Start(t.Context(), filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("time is up"))
	_, err = Start(ctx, program(t, dir, "slow", "exec sleep 60"))
	require.ErrorContains(t, err, "time is up")
}

func TestTheSocketOfABrowserHasAShortPath(t *testing.T) {
	assert.Equal(t, "/var/tmp", temporary("/var/tmp"))
	assert.Equal(t, "/tmp", temporary("/"+strings.Repeat("long/", 20)))
}
