package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unpack writes the files of a fixture below a fresh directory and returns that.
func unpack(tb testing.TB, file string) (dir string, a *txtar.Archive) {
	tb.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", filepath.FromSlash(file)))
	require.NoError(tb, err)
	dir = tb.TempDir()
	for _, f := range a.Files {
		write(tb, filepath.Join(dir, filepath.FromSlash(f.Name)), string(f.Data))
	}
	return dir, a
}

func write(tb testing.TB, path, content string) {
	tb.Helper()
	require.NoError(tb, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(tb, os.WriteFile(path, []byte(content), 0o644))
}

func load(tb testing.TB, dir string) *Stack {
	tb.Helper()
	s, err := Load(tb.Context(), dir)
	require.NoError(tb, err)
	return s
}

var areaNames = map[Area]string{
	AreaCompose: "compose", AreaPrometheus: "prometheus", AreaDatasource: "datasource",
	AreaProvider: "provider", AreaDashboard: "dashboard",
}

// TestBrokenStacks loads each fixture of testdata/broken and compares its
// problems with the "want" lines at its top: area, then how the problem begins
// up to the first space, then what it says.
func TestBrokenStacks(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			dir, a := unpack(t, "broken/"+filepath.Base(file))
			s := load(t, dir)
			var got []string
			for _, p := range s.Problems {
				got = append(got, areaNames[p.Area]+" "+p.Error())
			}
			want := strings.Split(strings.TrimSpace(strings.ReplaceAll("\n"+string(a.Comment), "\nwant ", "\n")), "\n")
			if !assert.Len(t, got, len(want)) {
				t.Fatalf("problems:\n%s", strings.Join(got, "\n"))
			}
			for i := range want {
				area, rest, _ := strings.Cut(want[i], " ")
				pos, text, _ := strings.Cut(rest, " ")
				assert.True(t, strings.HasPrefix(got[i], area+" "+pos), "want %s\ngot  %s", want[i], got[i])
				assert.Contains(t, got[i], text)
				assert.NotContains(t, got[i], dir, "paths of the machine stay out of messages")
			}
		})
	}
}
