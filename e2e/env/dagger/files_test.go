package dagger

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

// What goes into the pipeline is what the gate reads there, and no more.
func TestFiles(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "stack")
	write := func(name, text string) string {
		file := filepath.Join(top, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	write("stack/docker-compose.yml", `
services:
  prometheus:
    image: prom/prometheus:v3.15.0
    volumes:
      - ./prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - ./data/prometheus:/prometheus
  grafana:
    image: grafana/grafana:13.2.3
    volumes:
      - ./data/grafana:/var/lib/grafana
      - ./provisioning:/etc/grafana/provisioning
      - ../shared:/var/lib/shared
      - `+filepath.Join(top, "elsewhere/one.pem")+`:/etc/one.pem
      - `+filepath.Join(top, "elsewhere/much")+`:/much
      - /sys:/host/sys:ro
`)
	write("stack/prometheus.yml", "global: {}\n")
	write("stack/data/prometheus/wal", "data")
	write("stack/data/grafana/grafana.db", "data")
	write("stack/provisioning/datasources/ds.yml", "apiVersion: 1\n")
	write("stack/.git/config", "")
	write("shared/board.json", "{}")
	write("elsewhere/one.pem", "pem")
	write("elsewhere/much/data", "data")
	scenario := write("scenario.yml", "name: mine\n")
	require.NoError(t, os.Symlink(write("linked.yml", "x: y\n"), filepath.Join(dir, "link.yml")))
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)

	files, err := Files(s, scenario, "", filepath.Join(top, "missing.yml"))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, files.Write(&out))
	names := map[string]string{}
	for in := tar.NewReader(&out); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		names["/"+strings.TrimSuffix(h.Name, "/")] = string(content)
	}
	has := func(name string) bool {
		_, ok := names[filepath.Join(top, name)]
		return ok
	}
	for _, wanted := range []string{
		"stack/docker-compose.yml", "stack/prometheus.yml", "stack/provisioning/datasources/ds.yml", "stack/data/prometheus", "stack/data/grafana",
		"stack/link.yml", "shared/board.json", "elsewhere/one.pem", "elsewhere/much", "scenario.yml", "linked.yml",
	} {
		assert.True(t, has(wanted), wanted)
	}
	for _, unwanted := range []string{"stack/data/prometheus/wal", "stack/data/grafana/grafana.db", "stack/.git", "stack/.git/config", "elsewhere/much/data", "missing.yml"} {
		assert.False(t, has(unwanted), unwanted)
	}
	assert.Equal(t, "pem", names[filepath.Join(top, "elsewhere/one.pem")])
	var all []string
	for n := range names {
		all = append(all, n)
	}
	assert.False(t, slices.ContainsFunc(all, func(n string) bool { return !strings.HasPrefix(n, top) }), "%s", all)
}

func TestFilesThatAreTooMany(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "huge"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(300<<20))
	require.NoError(t, f.Close())
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	_, err = Files(s)
	require.ErrorContains(t, err, "holds more than 256 MiB")
}
