//go:build unix

package beside

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func link(name, to string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Uid: os.Getuid(), Gid: os.Getgid()}
}

func directory(name string, mode int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, Uid: os.Getuid(), Gid: os.Getgid()}
}

// nested is a directory to unpack into, and one beside it that nothing may get into.
func nested(t *testing.T) (root, outside string) {
	t.Helper()
	outer := t.TempDir()
	root, outside = filepath.Join(outer, "root"), filepath.Join(outer, "outside")
	require.NoError(t, os.Mkdir(root, 0o700))
	require.NoError(t, os.Mkdir(outside, 0o700))
	return root, outside
}

// isUntouched says that a directory that nested made is as it was.
func isUntouched(t *testing.T, outside string) {
	t.Helper()
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing is written outside")
	info, err := os.Stat(outside)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "its mode is its own")
	siblings, err := os.ReadDir(filepath.Dir(outside))
	require.NoError(t, err)
	require.Len(t, siblings, 2)
}

func TestUnpackStaysInside(t *testing.T) {
	for name, headers := range map[string][]*tar.Header{
		"up":                                {file("../outside/x", "x", 0o644)},
		"up, after down":                    {file("a/../../outside/x", "x", 0o644)},
		"a file by a link":                  {link("l", "../outside"), file("l/x", "x", 0o644)},
		"a file by a link to nowhere":       {link("l", "../outside/new"), file("l/x", "x", 0o644)},
		"a directory by a link":             {link("l", "../outside"), directory("l/d", 0o755)},
		"a directory that is a link":        {link("l", "../outside"), directory("l", 0o777)},
		"a link by a link":                  {link("l", "../outside"), link("l/x", "y")},
		"by two links":                      {link("l", ".."), link("m", "l/outside"), file("m/x", "x", 0o644)},
		"the directory itself for a link":   {link(".", "../outside")},
		"the directory itself for a file":   {file(".", "x", 0o644)},
		"an absolute name, as tar has none": {file("/../outside/x", "x", 0o644)},
	} {
		t.Run(name, func(t *testing.T) {
			root, outside := nested(t)
			require.Error(t, Unpack(bytes.NewReader(archive(t, headers...)), root))
			isUntouched(t, outside)
			info, err := os.Lstat(root)
			require.NoError(t, err)
			assert.True(t, info.IsDir())
		})
	}
}

func TestUnpackByLinksInside(t *testing.T) {
	root, outside := nested(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "run"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(root, "run"), filepath.Join(root, "var")))
	require.NoError(t, Unpack(bytes.NewReader(archive(t,
		directory("./", 0o755), directory("var", 0o750), file("var/deep/pid", "7", 0o600), link("away", "../outside"))), root))
	data, err := os.ReadFile(filepath.Join(root, "run", "deep", "pid"))
	require.NoError(t, err)
	assert.Equal(t, "7", string(data))
	info, err := os.Stat(filepath.Join(root, "run"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o750), info.Mode().Perm())
	isUntouched(t, outside) // a link may lead there: it is only never followed
}

func TestUnpackMakesItsDirectory(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not", "there")
	require.NoError(t, Unpack(bytes.NewReader(archive(t, file("x", "x", 0o600))), root))
	assert.FileExists(t, filepath.Join(root, "x"))
}

func TestUnpackGivesFilesAway(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	root := t.TempDir()
	owned := file("x", "x", 0o640)
	owned.Uid, owned.Gid = 472, 50
	require.NoError(t, Unpack(bytes.NewReader(archive(t, owned)), root))
	uid, gid := owners(t, filepath.Join(root, "x"))
	assert.Equal(t, []uint32{472, 50}, []uint32{uid, gid})
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("no archive"))
	f.Add(bytes.Repeat([]byte{0}, 1024))
	f.Add(archive(f, file("../outside/x", "x", 0o644)))
	f.Add(archive(f, link("l", "../outside"), file("l/x", "x", 0o644)))
	f.Add(archive(f, link("l", "../outside"), directory("l", 0o777), link(".", "x")))
	f.Add(archive(f, directory("d/", 0o755), file("d/x", "x", 0o600), file("d/x/y", "y", 0o600)))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, outside := nested(t)
		_ = Unpack(bytes.NewReader(data), root) // whether it can be read is not the question
		isUntouched(t, outside)
	})
}
