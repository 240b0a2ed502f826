package browser

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAnswerIsNotRelayedWithoutEnd(t *testing.T) {
	const most = 1 << 20
	long := strings.NewReader(strings.Repeat("x", 4*most))
	_, err := atMost(long, most)
	require.ErrorContains(t, err, "it is over 1 MiB")
	assert.Positive(t, long.Len(), "the rest is left where it is")

	whole, err := atMost(io.LimitReader(strings.NewReader(strings.Repeat("x", 4*most)), most), most)
	require.NoError(t, err)
	assert.Len(t, whole, most)
}
