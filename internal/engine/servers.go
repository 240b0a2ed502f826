package engine

import (
	"path"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Servers are the images of Prometheus and Grafana that tests run. It makes sure
// that they are there as Require does.
func Servers(tb testing.TB) (prometheus, grafana string) {
	tb.Helper()
	prometheus, grafana = TestImages()
	Require(tb, prometheus, grafana)
	return prometheus, grafana
}

// GrafanaVersion is the version of the Grafana that tests run, as its image's tag
// would say it.
func GrafanaVersion() string {
	_, grafana := TestImages()
	if _, tag, ok := strings.Cut(path.Base(grafana), ":"); ok {
		return tag
	}
	return "" // the newest
}

// Leaks are the goroutines that testcontainers keeps for as long as the process
// lives: its connection to the reaper, which removes what a killed test leaves.
func Leaks() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
	}
}
