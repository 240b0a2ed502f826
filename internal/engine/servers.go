package engine

import (
	"path"
	"strings"
	"testing"
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
