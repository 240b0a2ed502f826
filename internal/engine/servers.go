package engine

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Servers are the images of Prometheus and Grafana that tests run, and makes sure
// that they are there as Require does. PANELGATE_TEST_PROMETHEUS and
// PANELGATE_TEST_GRAFANA name others than those that the project's CI builds.
func Servers(tb testing.TB) (prometheus, grafana string) {
	tb.Helper()
	prometheus = orElse(os.Getenv("PANELGATE_TEST_PROMETHEUS"), "panelgate.local/prometheus:3.15.0")
	grafana = orElse(os.Getenv("PANELGATE_TEST_GRAFANA"), "panelgate.local/grafana:10.1-dev")
	Require(tb, prometheus, grafana)
	return prometheus, grafana
}

// GrafanaVersion is the version of the Grafana that tests run, as its image's tag
// would say it.
func GrafanaVersion() string { return orElse(os.Getenv("PANELGATE_TEST_GRAFANA_VERSION"), "10.1.0") }

func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// Leaks are the goroutines that testcontainers keeps for as long as the process
// lives: its connection to the reaper, which removes what a killed test leaves.
func Leaks() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
	}
}
