package containers

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

func TestStoragePath(t *testing.T) {
	official := Image{Entrypoint: []string{"/bin/prometheus"}, WorkingDir: "/prometheus",
		Command: []string{"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"}}
	tests := map[string]struct {
		service stack.Service
		image   Image
		want    string
	}{
		"the image's own command":          {image: official, want: "/prometheus"},
		"a command that names it":          {image: official, service: stack.Service{Command: []string{"--storage.tsdb.path=/data/tsdb/"}}, want: "/data/tsdb"},
		"a command that does not":          {image: official, service: stack.Service{Command: []string{"--config.file=/x.yml"}}, want: "/prometheus/data"},
		"a relative one":                   {image: official, service: stack.Service{Command: []string{"--storage.tsdb.path", "here"}, WorkingDir: "/work"}, want: "/work/here"},
		"an image that says nothing of it": {want: "/data"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, storagePath(&tt.service, tt.image)) })
	}
}

func TestPlainFlags(t *testing.T) {
	flags := []string{"--config.file=/x.yml"}
	assert.True(t, plainFlags(nil, flags))
	assert.True(t, plainFlags([]string{"/bin/prometheus"}, flags))
	assert.False(t, plainFlags([]string{"sh", "-c"}, flags))
	assert.False(t, plainFlags(nil, []string{"sh", "-c", "prometheus"}))
	assert.False(t, plainFlags(nil, nil))
}

func TestVolumeName(t *testing.T) {
	assert.Equal(t, "var-lib-grafana-2ee16d56", volumeName("/var/lib/grafana"))
	assert.Equal(t, "grafana-data", volumeName("grafana-data"))
}

func TestGrafanaURL(t *testing.T) {
	assert.Equal(t, "http://127.0.0.1:1", grafanaURL(&stack.Service{}, "127.0.0.1:1"))
}

// The past is put into the container before it starts, where memory is not mounted yet.
func TestDataInMemoryIsAVolume(t *testing.T) {
	prometheus := &stack.Service{Name: "prometheus", Command: []string{"--storage.tsdb.path=/prometheus"}, Tmpfs: []string{"/tmp:size=1m", "/prometheus"}}
	r := &run{stack: &stack.Stack{Prometheus: &stack.Prometheus{Service: prometheus}}}
	for _, mounts := range [][]stack.Mount{nil, {{Type: "tmpfs", Target: "/prometheus"}}} {
		prometheus.Mounts = mounts
		sp, err := r.service(prometheus, rolePrometheus, Image{Name: "image"})
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"/tmp": "size=1m"}, sp.Tmpfs)
		assert.Equal(t, map[string]string{"/prometheus": ""}, sp.Volumes)
		prometheus.Tmpfs = prometheus.Tmpfs[:1]
	}
}
