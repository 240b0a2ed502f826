package embedded_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/stack"
)

// TestUnmountedFileIsNamedAsInTheContainer holds that an error names no path of
// this machine for a file that no mount brings into the container.
func TestUnmountedFileIsNamedAsInTheContainer(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/with a space/prometheus", 0o755))
	dir += "/with a space"
	require.NoError(t, os.WriteFile(dir+"/docker-compose.yml", []byte(`services:
  prometheus:
    image: prom/prometheus:v3.15.0
    volumes: ["./prometheus:/etc/prometheus"]
`), 0o644))
	require.NoError(t, os.WriteFile(dir+"/prometheus/prometheus.yml", []byte(`scrape_configs:
  - job_name: triton
    basic_auth: {username: u, password_file: /run/secrets/x}
    static_configs: [{targets: ["triton:8002"]}]
  - job_name: dcgm
    tls_config: {ca_file: /run/secrets/ca}
    scheme: https
    static_configs: [{targets: ["dcgm:9400"]}]
`), 0o644))
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	e, err := embedded.Start(t.Context(), s.Prometheus, embedded.Options{Scenario: steady(t)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	targets := e.Instance().Targets
	require.Len(t, targets, 2)
	for i, file := range []string{"/run/secrets/ca", "/run/secrets/x"} {
		assert.False(t, targets[i].Up)
		assert.Contains(t, targets[i].Error, " "+file+":")
		assert.Contains(t, targets[i].Error, "no mount brings it into the container")
		assert.NotContains(t, targets[i].Error, dir)
		assert.NotContains(t, targets[i].Error, "not-mounted")
	}
}
