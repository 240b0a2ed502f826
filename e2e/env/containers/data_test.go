package containers

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

func TestVolumeNamesTellKeysApart(t *testing.T) {
	assert.Equal(t, "grafana-data", volumeName("grafana-data"))
	seen := map[string]string{}
	for _, key := range []string{"data", "Data", "./data", "../data", "/data", "data/a", "data-a", "grafana:/data", "grafana/data", "-", "ä"} {
		name := volumeName(key)
		assert.NotContains(t, seen, name, "%q and %q", key, seen[name])
		assert.Regexp(t, `^[a-zA-Z0-9_.-]+$`, name)
		seen[name] = key
	}
}

func TestImagesOfTwoRevisions(t *testing.T) {
	revision := func(prometheus string) *stack.Stack {
		return &stack.Stack{Prometheus: &stack.Prometheus{Service: &stack.Service{Name: prometheus}}, Grafana: &stack.Grafana{Service: &stack.Service{Name: "web"}}}
	}
	older, newer := revision("metrics"), revision("prom")
	before, after, err := Images{Prefix: "mirror", Override: map[string]string{
		"grafana": "g:2", "old.grafana": "g:1", "metrics": "p:1", "prom": "p:2", "fakes": "f"}}.split(older, newer)
	require.NoError(t, err)
	assert.Equal(t, Images{Prefix: "mirror", Override: map[string]string{"grafana": "g:1", "metrics": "p:1", "fakes": "f"}}, before)
	assert.Equal(t, Images{Prefix: "mirror", Override: map[string]string{"grafana": "g:2", "prom": "p:2", "fakes": "f"}}, after)
	for _, name := range []string{"loki", "old.loki"} {
		_, _, err := Images{Override: map[string]string{name: "x"}}.split(older, newer)
		require.ErrorContains(t, err, "no container of that name")
	}
}
