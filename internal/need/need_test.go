package need

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
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

func TestWhatIsMissingIsAFailureOnlyWhereItIsRequired(t *testing.T) {
	for required, want := range map[string]string{
		"":                "skipped: needs docker: no engine",
		"material":        "skipped: needs docker: no engine",
		"docker":          "failed: docker is required: no engine",
		"material,docker": "failed: docker is required: no engine",
		"dockerless":      "skipped: needs docker: no engine",
	} {
		t.Setenv("PANELGATE_REQUIRE", required)
		e := &ending{}
		Missing(e, "docker", errors.New("no engine"))
		assert.Equal(t, want, e.how, required)
	}
}

func TestProgram(t *testing.T) {
	assert.NotEmpty(t, Program(t, "go"))
	t.Setenv("PANELGATE_REQUIRE", "no-such-program")
	e := &ending{}
	Program(e, "no-such-program")
	assert.Contains(t, e.how, "failed: no-such-program is required: ")
}
