// Package material finds the test material that lies beside a checkout rather
// than in it: captured scrapes, other people's dashboards, recorded answers of
// Grafana. Where it is not there, the tests that need it are skipped; with
// PANELGATE_REQUIRE=material, as in the project's CI, they fail.
package material

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/panelgate/panelgate/internal/need"
)

// Path is the path of a file or directory of the material, named by its elements
// below ../shared.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	name := filepath.Join(append([]string{ModuleRoot(tb), "..", "shared"}, elem...)...)
	if _, err := os.Stat(name); err != nil {
		need.Missing(tb, "material", err)
	}
	return name
}

// ModuleRoot is the directory of go.mod, above that of the running test.
func ModuleRoot(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("find the module: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
