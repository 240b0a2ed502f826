// Package chromium lets tests use a browser where this machine has one. Where it has
// none, they are skipped; with PANELGATE_REQUIRE=chromium they fail.
package chromium

import (
	"fmt"
	"testing"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/internal/need"
)

// name is what PANELGATE_REQUIRE calls it.
const name = "chromium"

// Require is the program of the browser.
func Require(tb testing.TB) string {
	tb.Helper()
	program, err := browser.Find()
	if err == nil {
		return program
	}
	need.Missing(tb, name, err)
	return ""
}

// Available says whether there is a browser, for scripts, which skip themselves. It is
// an error where there is none and PANELGATE_REQUIRE=chromium.
func Available() (bool, error) {
	_, err := browser.Find()
	if err != nil && need.Required(name) {
		return false, fmt.Errorf("chromium is required: %w", err)
	}
	return err == nil, nil
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
