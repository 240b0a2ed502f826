package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
)

// Where nobody says otherwise, tests run what is shipped.
func TestShippedImagesAreThoseOfTheComposeFile(t *testing.T) {
	compose, err := os.ReadFile(filepath.Join(material.ModuleRoot(t), "stack", "docker-compose.yml"))
	require.NoError(t, err)
	t.Setenv("PANELGATE_TEST_IMAGES", "")
	prometheus, grafana := TestImages()
	assert.Contains(t, string(compose), "image: "+prometheus)
	assert.Contains(t, string(compose), "image: "+grafana)
	assert.Equal(t, "13.2.3", GrafanaVersion())

	t.Setenv("PANELGATE_TEST_IMAGES", "grafana=somewhere/grafana:10.1-dev")
	same, other := TestImages()
	assert.Equal(t, prometheus, same)
	assert.Equal(t, "somewhere/grafana:10.1-dev", other)
	assert.Equal(t, "10.1-dev", GrafanaVersion())
}
