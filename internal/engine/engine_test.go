package engine

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

func TestMissingDockerIsAFailureOnlyWhereItIsRequired(t *testing.T) {
	for required, want := range map[string]string{
		"":                "skipped: needs docker: no engine",
		"material":        "skipped: needs docker: no engine",
		"docker":          "failed: docker is required: no engine",
		"material,docker": "failed: docker is required: no engine",
		"dockerless":      "skipped: needs docker: no engine",
	} {
		e := &ending{}
		report(e, required, errors.New("no engine"))
		assert.Equal(t, want, e.how, required)
	}
}

func TestAnImageThatIsNotThereIsNamed(t *testing.T) {
	Require(t)
	err := missing(t.Context(), []string{"no-such-image:1"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "the image no-such-image:1 is not there")
}
