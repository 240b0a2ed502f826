package chromium

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ending is a test that notes how it ended.
type ending struct {
	testing.TB
	how string
}

func (*ending) Helper() {}

func (e *ending) Fatalf(format string, args ...any) {
	e.how = "failed: " + fmt.Sprintf(format, args...)
}

func (e *ending) Skipf(format string, args ...any) {
	e.how = "skipped: " + fmt.Sprintf(format, args...)
}

func TestAMissingBrowserIsAFailureOnlyWhereItIsRequired(t *testing.T) {
	for required, want := range map[string]string{
		"":                "skipped: needs chromium: none",
		"docker":          "skipped: needs chromium: none",
		"docker,chromium": "failed: chromium is required: none",
		"chromiumless":    "skipped: needs chromium: none",
	} {
		e := &ending{}
		report(e, required, errors.New("none"))
		assert.Equal(t, want, e.how, required)
	}
	t.Setenv("PANELGATE_CHROMIUM", "/no/such/browser")
	t.Setenv("PANELGATE_REQUIRE", "")
	ok, err := Available()
	require.NoError(t, err)
	assert.False(t, ok)
	t.Setenv("PANELGATE_REQUIRE", "chromium")
	_, err = Available()
	require.ErrorContains(t, err, "chromium is required")
}
