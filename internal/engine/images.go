package engine

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/internal/need"
)

// The images of the shipped compose file.
const (
	shippedPrometheus = "prom/prometheus:v3.15.0"
	shippedGrafana    = "grafana/grafana:13.2.3"
)

// TestImages are the images of Prometheus and Grafana that tests run: those that
// PANELGATE_TEST_IMAGES names, as in "prometheus=IMAGE,grafana=IMAGE", else those of
// the shipped compose file. They are never pulled.
func TestImages() (prometheus, grafana string) {
	named := map[string]string{}
	for _, one := range strings.Split(os.Getenv("PANELGATE_TEST_IMAGES"), ",") {
		role, image, _ := strings.Cut(strings.TrimSpace(one), "=")
		named[role] = image
	}
	return cmp.Or(named["prometheus"], shippedPrometheus), cmp.Or(named["grafana"], shippedGrafana)
}

// available is asked once: every script asks it.
var available = sync.OnceValue(func() error { //nolint:gochecknoglobals // the engine does not come and go while tests run
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	prometheus, grafana := TestImages()
	return missing(ctx, []string{prometheus, grafana})
})

// Available says whether an engine answers that has the test images, for tests that
// are no functions. It is an error where none does and PANELGATE_REQUIRE=docker.
func Available() (bool, error) {
	err := available()
	if err != nil && need.Required(name) {
		return false, err
	}
	return err == nil, nil
}

// Environ is what of this process's environment a program needs that is to find the
// same engine, and to build the fakes for it. It is to be a session of its own: the
// reaper of one that is shared goes when its last run has ended, and another that is
// just beginning would find it on its way out.
func Environ() []string {
	prefixes := []string{"HOME=", "DOCKER_", "TESTCONTAINERS_", "XDG_", "GOCACHE=", "GOPATH=", "GOMODCACHE=", "GOPROXY=", "GOTOOLCHAIN=", "GOENV="}
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "TESTCONTAINERS_SESSION_ID=") || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(kv, p) })
	})
}
