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

// What file_sd reads is JSON or YAML of target groups, and nothing else.
func TestDiscoveryFiles(t *testing.T) {
	for name, tc := range map[string]struct{ file, content, want string }{
		"good":           {"t.json", `[{"targets": ["a:1"], "labels": {"env": "x"}}]`, ""},
		"good YAML":      {"t.yml", "- targets: [a:1]\n  labels: {n: 3}\n", ""},
		"trailing comma": {"t.json", `[{"targets": ["a:1"],}]`, "t.json:1:21: not valid JSON"},
		"unknown key":    {"t.json", `[{"targets": ["a:1"], "label": {}}]`, `t.json:1:23: Prometheus passes the whole file over: a target group has targets and labels, not "label"`},
		"number":         {"t.json", `[{"targets": ["a:1"], "labels": {"n": 3}}]`, `t.json:1:39: Prometheus passes the whole file over: label "n" is a number`},
		"no list":        {"t.json", `{"targets": ["a:1"]}`, "want a list of target groups"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"),
				[]byte("scrape_configs:\n  - job_name: a\n    file_sd_configs: [{files: ["+tc.file+"]}]\n"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.content), 0o644))
			s, err := Load(t.Context(), dir)
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, s.Problems)
				require.Len(t, s.Prometheus.Jobs, 1)
				assert.Len(t, s.Prometheus.Jobs[0].Targets, 1)
				return
			}
			require.Len(t, s.Problems, 1)
			assert.Contains(t, s.Problems[0].Error(), tc.want)
		})
	}
}
