// Package chromium lets tests use a browser where this machine has one. Where it has
// none, they are skipped; with PANELGATE_REQUIRE=chromium they fail.
package chromium

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/panelgate/panelgate/ci/browser"
)

// Require is the program of the browser.
func Require(tb testing.TB) string {
	tb.Helper()
	program, err := browser.Find()
	if err == nil {
		return program
	}
	report(tb, os.Getenv("PANELGATE_REQUIRE"), err)
	return ""
}

// report ends the test: as failed where chromium is in the list of what is required.
func report(tb testing.TB, list string, err error) {
	tb.Helper()
	if slices.Contains(strings.Split(list, ","), "chromium") {
		tb.Fatalf("chromium is required: %v", err)
		return
	}
	tb.Skipf("needs chromium: %v", err)
}

// Start is a browser that runs until the test ends.
func Start(tb testing.TB) *browser.Browser {
	tb.Helper()
	b, err := browser.Start(tb.Context(), Require(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}
