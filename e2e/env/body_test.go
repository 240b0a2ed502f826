package env

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endless is a body that has no end.
type endless struct{ read int64 }

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

func TestAnAnswerIsNotReadWithoutEnd(t *testing.T) {
	const most = 1 << 20
	body := &endless{}
	_, err := ReadAtMost(body, most)
	require.ErrorContains(t, err, "the answer is over 1 MiB")
	assert.LessOrEqual(t, body.read, int64(4*most))

	whole, err := ReadAtMost(io.LimitReader(&endless{}, most), most)
	require.NoError(t, err)
	assert.Len(t, whole, most)
}
