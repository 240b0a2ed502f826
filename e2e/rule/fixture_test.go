package rule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

// The files of the shipped stack that tests break.
const (
	composeFile    = "docker-compose.yml"
	prometheusFile = "prometheus/prometheus.yml"
	datasourceFile = "grafana/provisioning/datasources/prometheus.yaml"
	providerFile   = "grafana/provisioning/dashboards/dashboards.yaml"
	boardFile      = "grafana/provisioning/dashboards/boards/triton.json"
)

// fixture is a copy of the shipped stack that a test may break.
type fixture struct {
	t   *testing.T
	dir string
}

// shipped copies the stack that the project ships to a directory of the test.
func shipped(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir()}
	from := filepath.Join("..", "..", "stack")
	for _, name := range []string{composeFile, ".env.example", prometheusFile, datasourceFile, providerFile, boardFile} {
		data, err := os.ReadFile(filepath.Join(from, name))
		require.NoError(t, err)
		f.write(name, string(data))
	}
	return f
}

// write puts a file into the stack.
func (f *fixture) write(name, content string) *fixture {
	f.t.Helper()
	file := filepath.Join(f.dir, filepath.FromSlash(name))
	require.NoError(f.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(f.t, os.WriteFile(file, []byte(content), 0o644))
	return f
}

// replace edits a file of the stack: the first occurrence of old, which must be there.
func (f *fixture) replace(name, old, with string) *fixture {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	require.NoError(f.t, err)
	require.Contains(f.t, string(data), old, "the edit of %s finds nothing to replace", name)
	return f.write(name, strings.Replace(string(data), old, with, 1))
}

// remove deletes a file of the stack.
func (f *fixture) remove(name string) *fixture {
	f.t.Helper()
	require.NoError(f.t, os.Remove(filepath.Join(f.dir, name)))
	return f
}

// static loads the stack as the static rules see it.
func (f *fixture) static() *Static {
	f.t.Helper()
	s, err := stack.Load(f.t.Context(), f.dir)
	require.NoError(f.t, err)
	return NewStatic(s, nil, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
}

// check runs one rule's static side.
func (f *fixture) check(r Rule) []Finding {
	f.t.Helper()
	require.NotNil(f.t, r.Static, "%s has no static side", r.ID)
	return r.Static(f.static())
}
