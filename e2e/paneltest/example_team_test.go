package paneltest_test

import (
	"testing"

	"github.com/panelgate/panelgate/e2e/paneltest"
)

// What a team adds to a test file of its own.
func TestDashboards(t *testing.T) {
	paneltest.Run(t, "testdata/whole")
}
