package rule

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

func TestGateNothingChecked(t *testing.T) {
	t.Run("no dashboard in the provider's folder", func(t *testing.T) {
		f := shipped(t).remove(boardFile)
		found := f.check(gateNothingChecked())
		require.Len(t, found, 1)
		assert.Equal(t, f.place(providerFile, "name: triton"), found[0].Pos)
		assert.Contains(t, found[0].Message, "no dashboard was checked")
		assert.Contains(t, found[0].Fix, "provider")
	})
	t.Run("no provider", func(t *testing.T) {
		f := shipped(t).remove(providerFile)
		found := f.check(gateNothingChecked())
		require.Len(t, found, 1)
		assert.Equal(t, source.Pos{File: composeFile}, found[0].Pos)
	})
	t.Run("an empty folder", func(t *testing.T) {
		f := &fixture{t: t, dir: t.TempDir()}
		found := f.check(gateNothingChecked())
		require.Len(t, found, 1)
		assert.Equal(t, source.Pos{File: "."}, found[0].Pos)
	})
	t.Run("none chosen", func(t *testing.T) {
		all := shipped(t).static()
		in := NewStatic(all.Stack, func(*stack.Board) bool { return false }, time.Unix(0, 0))
		found := gateNothingChecked().Static(in)
		require.Len(t, found, 1)
		assert.Contains(t, found[0].Message, "none of the 1 is chosen")
		assert.Contains(t, found[0].Fix, "--dashboard")
		assert.Empty(t, gateNothingChecked().Live(&Live{Static: in}), "it is said once")
	})
	t.Run("the shipped stack", func(t *testing.T) {
		assert.Empty(t, shipped(t).check(gateNothingChecked()))
	})
}

func TestGateNothingCheckedLive(t *testing.T) {
	in := &Live{Static: shipped(t).static()}
	questions := in.Boards[0].Questions
	require.NotEmpty(t, questions)
	check := func(asked ...*Asked) []Finding {
		in.Asked = asked
		return gateNothingChecked().Live(in)
	}
	found := check()
	require.Len(t, found, 1)
	assert.Equal(t, source.Pos{File: boardFile}, found[0].Pos)
	assert.Contains(t, found[0].Fix, "at least one panel")

	found = check(&Asked{Question: questions[0], Status: StatusUnchecked}, &Asked{Question: questions[0], Status: StatusSkipped})
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Fix, "at least one panel")

	found = check(&Asked{Question: questions[0], Status: StatusFailed, Err: errors.New("its datasource cannot be reached")})
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Message, "none could be asked")
	assert.Contains(t, found[0].Fix, "other findings")

	assert.Empty(t, check(&Asked{Question: questions[0], Status: StatusUnchecked}, &Asked{Question: questions[0], Sent: true, Status: StatusFailed}),
		"a query that was asked and failed has been checked")
}
