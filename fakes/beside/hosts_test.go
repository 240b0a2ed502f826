//go:build unix

package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWriteHosts(t *testing.T) {
	const told = hostsBegin + "10.0.0.1\ta\n" + hostsEnd
	for name, tc := range map[string]struct{ old, lines, want string }{
		"nothing there":                   {"", "10.0.0.1\ta\n", told},
		"something there":                 {"127.0.0.1 localhost\n", "10.0.0.1\ta\n", "127.0.0.1 localhost\n" + told},
		"no end of line there, nor given": {"127.0.0.1 localhost", "10.0.0.1\ta", "127.0.0.1 localhost\n" + told},
		"told before":                     {"127.0.0.1 localhost\n" + hostsBegin + "10.0.0.9\tz\n" + hostsEnd, "10.0.0.1\ta\n", "127.0.0.1 localhost\n" + told},
		"others wrote after it":           {hostsBegin + "10.0.0.9\tz\n" + hostsEnd + "10.0.0.8\tother\n", "10.0.0.1\ta\n", told + "10.0.0.8\tother\n"},
		"written by halves before":        {"127.0.0.1 localhost\n" + hostsBegin + "10.0.0.9\tz\n", "10.0.0.1\ta\n", "127.0.0.1 localhost\n" + told},
		"none any more":                   {told, "", hostsBegin + hostsEnd},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "hosts")
			require.NoError(t, os.WriteFile(file, []byte(tc.old), 0o600))
			for range 2 { // the second time changes nothing
				require.NoError(t, writeHosts(file, tc.lines))
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.Equal(t, tc.want, string(data))
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "hosts")
		require.NoError(t, writeHosts(file, "10.0.0.1\ta\n"))
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, told, string(data))
	})
	t.Run("a directory", func(t *testing.T) {
		require.ErrorContains(t, writeHosts(t.TempDir(), ""), "read the hosts file: ")
	})
	t.Run("no directory", func(t *testing.T) {
		require.ErrorContains(t, writeHosts(filepath.Join(t.TempDir(), "gone", "hosts"), ""), "write the hosts file: ")
	})
}

func TestHostsBounded(t *testing.T) {
	c, dir := supervised(t)
	require.ErrorContains(t, c.Hosts(t.Context(), strings.Repeat("#", maxHosts+1)), "too large")
	assert.NoFileExists(t, filepath.Join(dir, "hosts"))
}
