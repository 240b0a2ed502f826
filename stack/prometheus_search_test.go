package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A datasource's provisioning file is often called prometheus.yaml as well.
func TestSearchPassesOverProvisioning(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"grafana/provisioning/datasources/prometheus.yaml": "apiVersion: 1\ndatasources: []\n",
		"monitoring/conf/prometheus.yml":                   "scrape_configs: []\n",
		"grafana/datasources/prometheus.yml":               "apiVersion: 1\ndatasources: []\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	s, err := Load(t.Context(), dir)
	require.NoError(t, err)
	assert.Empty(t, s.Problems)
	require.NotNil(t, s.Prometheus)
	assert.Equal(t, "monitoring/conf/prometheus.yml", s.Prometheus.File)
}
