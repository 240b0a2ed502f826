package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
)

// TestShortageIsNoFinding: what this process lacks is not to be told of the stack.
func TestShortageIsNoFinding(t *testing.T) {
	lacking := fmt.Errorf("ask: %w", &url.Error{Op: "Post", URL: "http://127.0.0.1/", Err: os.NewSyscallError("socket", syscall.EMFILE)})
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	for name, live := range map[string]*rule.Live{
		"panel":      {Asked: []*rule.Asked{{}, {Err: lacking}}},
		"variable":   {Variables: []rule.Variable{{Resolution: query.Resolution{Err: lacking}}}},
		"datasource": {Health: map[string]error{"prometheus": lacking}},
	} {
		require.ErrorIs(t, shortage(live), syscall.EMFILE, name)
		assert.ErrorContains(t, shortage(live), "ulimit -n", name)
	}
	for _, other := range []error{nil, refused, errors.New("bad_data: parse error")} {
		assert.NoError(t, shortage(&rule.Live{Asked: []*rule.Asked{{Err: other}}}))
	}
}
