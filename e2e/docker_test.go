package e2e

import (
	"testing"

	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/internal/engine"
)

// inDocker are the options of a run in containers. It skips the test where there is
// no engine, or with -short.
func inDocker(t *testing.T) Options {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	prometheus, grafana := engine.Servers(t)
	return Options{Env: docker.Name, Docker: docker.Options{
		Images: docker.Images{Override: map[string]string{"prometheus": prometheus, "grafana": grafana}},
	}}
}
