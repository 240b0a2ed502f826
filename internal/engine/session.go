package engine

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/panelgate/panelgate/internal/need"
)

// Session lets the test go on in a Dagger session, as under `dagger run`. Without one it
// is skipped; with PANELGATE_REQUIRE=dagger it fails.
func Session(tb testing.TB) {
	tb.Helper()
	if os.Getenv("DAGGER_SESSION_PORT") != "" {
		return
	}
	need.Missing(tb, "dagger", errors.New("no Dagger session is here: run the tests under `dagger run`"))
}

// SessionEnviron is what of this process's environment a program needs that is to use
// the same session.
func SessionEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return !strings.HasPrefix(kv, "DAGGER_") && !strings.HasPrefix(kv, "TRACEPARENT=")
	})
}

// SessionGroup is the control group of the engine's containers, where
// PANELGATE_TEST_DAGGER_CGROUP names it; "" for an engine that is not this machine's.
func SessionGroup() string { return os.Getenv("PANELGATE_TEST_DAGGER_CGROUP") }
