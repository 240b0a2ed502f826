// Package need is for tests that use what not every machine has: a container engine, a
// browser, the material beside a checkout. Where it is not there they are skipped. CI
// lists in PANELGATE_REQUIRE what is to be there, as in "docker,material": then the test
// fails, so that a pass means that it ran.
package need

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Required says whether what is called name is to be there.
func Required(name string) bool {
	return slices.Contains(strings.Split(os.Getenv("PANELGATE_REQUIRE"), ","), name)
}

// Missing ends the test: why says what of name is not there.
func Missing(tb testing.TB, name string, why error) {
	tb.Helper()
	if Required(name) {
		tb.Fatalf("%s is required: %v", name, why)
		return
	}
	tb.Skipf("needs %s: %v", name, why)
}

// Program is the path of a program of this machine.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		Missing(tb, name, err)
	}
	return file
}
