package kept

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("KEPT_TEST_WRITER"); dir != "" {
		if err := writeAndRead(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(leak.Checked{M: m}.Run())
}

func keyOf(t testing.TB, of any) Key {
	t.Helper()
	part, err := PartOf("test", "", of)
	require.NoError(t, err)
	return KeyOf("test", []Part{part})
}

func opening(t testing.TB, dir string, most int64) *Store {
	t.Helper()
	s, err := Open(dir, most)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "cache")
	s := opening(t, dir, 0)
	a, b := keyOf(t, "a"), keyOf(t, "b")
	_, _, err := s.Get(a)
	assert.True(t, Absent(err), err)
	for _, data := range []string{"first\nwith lines\n\n", "", "second"} {
		require.NoError(t, s.Put(a, []byte(data)))
		got, written, err := s.Get(a)
		require.NoError(t, err)
		assert.Equal(t, data, string(got))
		assert.WithinDuration(t, time.Now(), written, time.Minute)
	}
	_, _, err = s.Get(b)
	assert.True(t, Absent(err), err)
	if runtime.GOOS == "windows" {
		return
	}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, name)
		return nil
	}))
}

// Whatever is wrong with an entry, it is none, and what is wrong is told.
func TestStoreDistrusts(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, file string)
		want string
	}{
		{"nothing left", func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 0)) }, "cut short"},
		{"head cut", func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, 40)) }, "cut short"},
		{"cut by a byte", func(t *testing.T, file string) {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(file, info.Size()-1))
		}, "not as it was written"},
		{"a byte of it", func(t *testing.T, file string) { rewrite(t, file, "passed", "Passed") }, "not as it was written"},
		{"its age", func(t *testing.T, file string) { rewrite(t, file, "20", "30") }, ""},
		{"more behind it", func(t *testing.T, file string) { rewrite(t, file, "passed", "passed again") }, "not as it was written"},
		{"another version", func(t *testing.T, file string) { rewrite(t, file, "version 1", "version 2") }, "another version"},
		{"another entry", func(t *testing.T, file string) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			other := filepath.Join(filepath.Dir(filepath.Dir(file)), "ff", "other")
			require.NoError(t, os.MkdirAll(filepath.Dir(other), 0o700))
			require.NoError(t, os.WriteFile(other, text, 0o600))
			mine, theirs := keyOf(t, "it").String(), keyOf(t, "other").String()
			rewrite(t, file, mine, theirs)
		}, "of something else"},
		{"a link out", func(t *testing.T, file string) {
			out := filepath.Join(t.TempDir(), "out")
			require.NoError(t, os.Rename(file, out))
			require.NoError(t, os.Symlink(out, file))
		}, "no regular file"},
		{"a link to a directory out", func(t *testing.T, file string) {
			out := filepath.Join(t.TempDir(), "out")
			require.NoError(t, os.Rename(filepath.Dir(file), out))
			require.NoError(t, os.Symlink(out, filepath.Dir(file)))
		}, "escapes"},
		{"a directory", func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Mkdir(file, 0o700))
		}, "no regular file"},
		{"too large", func(t *testing.T, file string) { require.NoError(t, os.Truncate(file, mostEntry+1)) }, "more than any"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			s := opening(t, dir, 0)
			require.NoError(t, s.Put(keyOf(t, "it"), []byte("passed")))
			tc.do(t, filepath.Join(dir, file(keyOf(t, "it"))))
			data, _, err := s.Get(keyOf(t, "it"))
			require.ErrorContains(t, err, tc.want)
			assert.False(t, Absent(err))
			assert.Nil(t, data)
		})
	}
}

func rewrite(t *testing.T, file, old, now string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, now, 1)), 0o600))
}

// An entry that is of no use is written anew.
func TestStoreWritesOverWhatIsBroken(t *testing.T) {
	dir := t.TempDir()
	s := opening(t, dir, 0)
	require.NoError(t, s.Put(keyOf(t, "it"), []byte("passed")))
	require.NoError(t, os.Truncate(filepath.Join(dir, file(keyOf(t, "it"))), 3))
	require.NoError(t, s.Put(keyOf(t, "it"), []byte("passed")))
	data, _, err := s.Get(keyOf(t, "it"))
	require.NoError(t, err)
	assert.Equal(t, "passed", string(data))
}

func TestStoreRefusesDirectories(t *testing.T) {
	notDir := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(notDir, nil, 0o600))
	_, err := Open(notDir, 0)
	require.Error(t, err)
	if runtime.GOOS == "windows" {
		return
	}
	open := t.TempDir()
	require.NoError(t, os.Chmod(open, 0o777)) //nolint:gosec // that is what is refused
	_, err = Open(open, 0)
	require.ErrorContains(t, err, "everybody may write there")
}

// What has been of use last stays; what is none of the store's is let be.
func TestTrim(t *testing.T) {
	dir := t.TempDir()
	size := int64(len(sealed(Key{}, time.Now().Truncate(time.Second).Add(123456789), make([]byte, 1000)))) + 16
	s := opening(t, dir, 3*size)
	require.NoError(t, s.Trim(), "of nothing")
	var names []string
	for i := range 5 {
		k := keyOf(t, i)
		require.NoError(t, s.Put(k, make([]byte, 1000)))
		names = append(names, filepath.Join(dir, file(k)))
		ago := time.Now().Add(time.Duration(i-10) * time.Hour)
		require.NoError(t, os.Chtimes(names[i], ago, ago))
	}
	_, _, err := s.Get(keyOf(t, 0)) // the oldest is the one that was of use last
	require.NoError(t, err)
	foreign := []string{filepath.Join(dir, "mine.txt"), filepath.Join(dir, "v1", "notes"), filepath.Join(filepath.Dir(names[0]), "notes")}
	for _, name := range foreign {
		require.NoError(t, os.WriteFile(name, make([]byte, 5000), 0o600))
	}
	old, young := filepath.Join(filepath.Dir(names[0]), temporary+"OLD"), filepath.Join(filepath.Dir(names[0]), temporary+"NEW")
	for _, name := range []string{old, young} {
		require.NoError(t, os.WriteFile(name, []byte("half"), 0o600))
	}
	longAgo := time.Now().Add(-2 * abandoned)
	require.NoError(t, os.Chtimes(old, longAgo, longAgo))
	require.NoError(t, s.Trim())
	assert.NoFileExists(t, old)
	assert.FileExists(t, young)
	for _, name := range foreign {
		assert.FileExists(t, name)
	}
	for i, stays := range []bool{true, false, false, true, true} {
		_, err := os.Stat(names[i])
		assert.Equal(t, stays, err == nil, i)
	}
}

// writeAndRead does what a run does, over the entries that all others write as well.
func writeAndRead(dir string) error {
	s, err := Open(dir, 20_000)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // a test's
	var all errgroup.Group
	for g := range 4 {
		all.Go(func() error {
			for i := range 50 {
				part, err := PartOf("n", "", (i+g)%10)
				if err != nil {
					return err
				}
				k := KeyOf("shared", []Part{part})
				want := strings.Repeat(k.String(), 20)
				if err := s.Put(k, []byte(want)); err != nil {
					return err
				}
				data, _, err := s.Get(k)
				if err != nil && !Absent(err) || err == nil && string(data) != want {
					return fmt.Errorf("entry %d: %q, %w", i, data, err)
				}
				if i%10 == 0 {
					if err := s.Trim(); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// Several processes write, read and drop the same entries at once, and none reads half
// of one.
func TestSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	require.NoError(t, err)
	var all errgroup.Group
	for range 4 {
		all.Go(func() error {
			cmd := exec.CommandContext(t.Context(), exe)
			cmd.Env = append(os.Environ(), "KEPT_TEST_WRITER="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
	}
	require.NoError(t, all.Wait())
	left, err := filepath.Glob(filepath.Join(dir, "v1", "*", temporary+"*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// An entry that somebody has made up is a miss or comes back whole; nothing ends the
// process.
func FuzzOpened(f *testing.F) {
	k := Key{1, 2, 3}
	whole := sealed(k, time.Unix(1, 2), []byte("data"))
	f.Add(whole)
	f.Add(whole[:len(whole)-2])
	f.Add([]byte("\n\n\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		data, written, err := opened(k, text)
		if err == nil {
			assert.Equal(t, string(text), string(sealed(k, written, data)))
		}
	})
}
