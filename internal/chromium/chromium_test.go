package chromium

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMissingBrowserIsAnErrorOnlyWhereItIsRequired(t *testing.T) {
	t.Setenv("PANELGATE_CHROMIUM", "/no/such/browser")
	t.Setenv("PANELGATE_REQUIRE", "")
	ok, err := Available()
	require.NoError(t, err)
	assert.False(t, ok)
	t.Setenv("PANELGATE_REQUIRE", "chromium")
	_, err = Available()
	require.ErrorContains(t, err, "chromium is required")
}
