package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

// A second load shares what has not changed with the first, and tells what has.
func TestWithFormer(t *testing.T) {
	t.Parallel()
	const board = "grafana/provisioning/dashboards/boards/triton.json"
	for _, c := range []struct {
		name, file, old, now string
		shared, same         bool
	}{
		{"nothing", board, "Triton", "Triton", true, true},
		{"a dashboard", board, `"refId": "A"`, `"refId": "Q"`, false, true},
		{"prometheus.yml", "prometheus/prometheus.yml", "scrape_interval: ", "scrape_interval:  ", true, false},
		{"the datasource", "grafana/provisioning/datasources/prometheus.yaml", "uid: prometheus", "uid: metrics", true, false},
		{"a comment in the compose file", "docker-compose.yml", "services:", "# what runs\nservices:", true, false},
		{"a dashboard that breaks", board, "{", "[", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, part := range []string{"grafana", "prometheus"} {
				require.NoError(t, os.CopyFS(filepath.Join(dir, part), os.DirFS(part)))
			}
			compose, err := os.ReadFile("docker-compose.yml")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "docker-compose.yml"), compose, 0o600))
			former, err := stack.Load(t.Context(), dir)
			require.NoError(t, err)

			file := filepath.Join(dir, filepath.FromSlash(c.file))
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.True(t, strings.Contains(string(text), c.old))
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), c.old, c.now, 1)), 0o600))
			again, err := stack.Load(t.Context(), dir, stack.WithFormer(former))
			require.NoError(t, err)
			shared := len(again.Dashboards) == 1 && again.Dashboards[0].Dashboard == former.Dashboards[0].Dashboard
			assert.Equal(t, c.shared, shared)
			assert.Equal(t, c.same, again.SameBesides(former))
		})
	}
}
