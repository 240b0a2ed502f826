//go:build unix

package fix

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOddFiles mends files as editors and other systems leave them: nothing changes but what is mended.
func TestOddFiles(t *testing.T) {
	plain := board(`"id": 5`, cleanPanel)
	for name, text := range map[string]string{
		"CRLF":                  strings.ReplaceAll(plain, "\n", "\r\n"),
		"no line's end":         strings.TrimSuffix(plain, "\n"),
		"many lines at the end": plain + "\n\n \t\n",
		"one line":              strings.ReplaceAll(plain, "\n", ""),
		"tabs":                  strings.ReplaceAll(plain, "  ", "\t"),
		"blanks within":         strings.Replace(plain, `"id": 5`, "\"id\" \t:\n\n 5 ", 1),
		"escapes":               strings.Replace(plain, `"Board"`, `"B\u006fard \ud83d\ude00\/"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := stackWith(t, map[string]string{boardFile: text})
			file := filepath.Join(dir, filepath.FromSlash(boardFile))
			require.NoError(t, os.Chmod(file, 0o440))
			r := run(t, dir, Options{Rules: []string{"dashboard/id-set"}})
			require.Len(t, r.Changed, 1, "%v", r.Left)
			require.NoError(t, r.Changed[0].Write())
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, strings.Replace(text, "5", "null", 1), string(got))
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o440), info.Mode())
		})
	}
}

// TestByteOrderMark: what Grafana does not read is no dashboard to mend, and stays as it is.
func TestByteOrderMark(t *testing.T) {
	text := "\ufeff" + board(`"id": 5`, cleanPanel)
	dir := stackWith(t, map[string]string{boardFile: text})
	for _, changed := range run(t, dir, Options{}).Changed {
		require.NoError(t, changed.Write())
		text = strings.Replace(text, "5", "null", 1)
	}
	got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(boardFile)))
	require.NoError(t, err)
	assert.Equal(t, text, string(got))
}

// TestWriteKeepsOwners: root mends a stack of somebody else, as a container of a pipeline does.
func TestWriteKeepsOwners(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root makes files of others")
	}
	file := filepath.Join(t.TempDir(), "board.json")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o640))
	require.NoError(t, os.Chown(file, 1234, 2345))
	require.NoError(t, Changed{Name: "board.json", Path: file, Before: []byte("old"), After: []byte("new")}.Write())
	info, err := os.Stat(file)
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	assert.Equal(t, []uint32{1234, 2345}, []uint32{stat.Uid, stat.Gid})
	assert.Equal(t, os.FileMode(0o640), info.Mode(), "a new owner takes no permission away")
}

// TestWhatIsNoFileAnyMore: between reading and writing it has become something else.
func TestWhatIsNoFileAnyMore(t *testing.T) {
	for name, make := range map[string]func(file string) error{
		"a directory": func(file string) error { return os.Mkdir(file, 0o755) },
		"a pipe":      func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"a link":      func(file string) error { return os.Symlink(filepath.Join("..", "elsewhere"), file) },
		"gone":        func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			elsewhere := filepath.Join(top, "elsewhere")
			require.NoError(t, os.WriteFile(elsewhere, []byte("old"), 0o600))
			dir := filepath.Join(top, "stack")
			require.NoError(t, os.Mkdir(dir, 0o755))
			file := filepath.Join(dir, "board.json")
			require.NoError(t, make(file))
			before, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.ErrorContains(t, Changed{Name: "board.json", Path: file, Before: []byte("old"), After: []byte("new")}.Write(), "write board.json: ")
			after, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, after, len(before), "nothing is left beside it")
			for i := range after {
				assert.Equal(t, before[i].Type(), after[i].Type(), "what is there now stays what it is")
			}
			kept, err := os.ReadFile(elsewhere)
			require.NoError(t, err)
			assert.Equal(t, "old", string(kept))
		})
	}
}
