package containers

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unpacked is what a tar stream holds, by path.
func unpacked(t *testing.T, a Archive) map[string]*tar.Header {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, a.Write(&buf))
	out := map[string]*tar.Header{}
	for in := tar.NewReader(&buf); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		data, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Len(t, data, int(h.Size))
		out[h.Name] = h
	}
}

func TestTreeIsWhatAMountWouldShow(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "rules"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules", "a.yml"), []byte("groups: []\n"), 0o600))
	require.NoError(t, os.Symlink("rules/a.yml", filepath.Join(dir, "link.yml")))
	var a Archive
	require.NoError(t, a.Tree(dir, "/etc/prometheus"))
	got := unpacked(t, a)
	require.Contains(t, got, "etc/prometheus/rules/a.yml")
	assert.EqualValues(t, 0o600, got["etc/prometheus/rules/a.yml"].Mode, "what the container's user could not read in production it cannot read here")
	assert.EqualValues(t, 0o750, got["etc/prometheus/rules/"].Mode)
	assert.Equal(t, "rules/a.yml", got["etc/prometheus/link.yml"].Linkname)
	assert.Equal(t, os.Getuid(), got["etc/prometheus/rules/a.yml"].Uid)

	t.Run("a link that is mounted itself is followed", func(t *testing.T) {
		var a Archive
		require.NoError(t, a.Tree(filepath.Join(dir, "link.yml"), "/x.yml"))
		assert.Equal(t, byte(tar.TypeReg), unpacked(t, a)["x.yml"].Typeflag)
	})
	t.Run("to a directory too", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "current")
		require.NoError(t, os.Symlink(dir, link))
		var a Archive
		require.NoError(t, a.Tree(link, "/etc/prometheus"))
		assert.Contains(t, unpacked(t, a), "etc/prometheus/rules/a.yml")
	})
	t.Run("what is missing", func(t *testing.T) {
		var a Archive
		require.ErrorIs(t, a.Tree(filepath.Join(dir, "none"), "/x"), fs.ErrNotExist)
	})
	t.Run("a file that shrinks", func(t *testing.T) {
		var a Archive
		file := filepath.Join(dir, "rules", "a.yml")
		require.NoError(t, a.Tree(file, "/a.yml"))
		require.NoError(t, os.Truncate(file, 1))
		require.ErrorContains(t, a.Write(io.Discard), "shrank")
	})
}

func TestTreeRefusesData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "big")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(maxMounted+1)) // a hole: no disk is taken
	require.NoError(t, f.Close())
	var a Archive
	require.ErrorContains(t, a.Tree(file, "/big"), "more than 256 MiB")
}

func TestReplace(t *testing.T) {
	var a Archive
	a.Add("/etc/prometheus/prometheus.yml", []byte("one"), 0o644)
	assert.True(t, a.replace("/etc/prometheus/prometheus.yml", []byte("other")))
	assert.Equal(t, "other", string(a[0].content))
	assert.False(t, a.replace("/elsewhere", nil))
}

func TestBlocksMayBeWrittenByAnybody(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "01BLOCK", "chunks"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "01BLOCK", "chunks", "000001"), []byte("x"), 0o600))
	var a Archive
	require.NoError(t, a.blocks(dir, "/prometheus"))
	got := unpacked(t, a)
	assert.EqualValues(t, 0o777, got["prometheus/"].Mode)
	assert.EqualValues(t, 0o777, got["prometheus/01BLOCK/chunks/"].Mode)
	assert.EqualValues(t, 0o666, got["prometheus/01BLOCK/chunks/000001"].Mode)
}
