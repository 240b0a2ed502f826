package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnImageThatIsNotThereIsNamed(t *testing.T) {
	Require(t)
	err := missing(t.Context(), []string{"no-such-image:1"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "the image no-such-image:1 is not there")
}
