package e2e

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/shard"
)

// A shard may have no dashboard. Its run ends like any other, with what the files say.
func TestAShardWithoutDashboards(t *testing.T) {
	loaded, err := Load(t.Context(), Source{Dir: tiny})
	require.NoError(t, err)
	loaded.Options.Shard = shard.Shard{Number: 2, Of: 2}
	r, err := Verify(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	assert.Empty(t, r.Boards)
	assert.NotEmpty(t, r.Targets)
	assert.False(t, r.Checked())
	assert.False(t, r.Fails(rule.Error), "others have something to check")
	require.NotNil(t, r.Part)
	assert.Equal(t, []Dealt{{File: loaded.Stack.Dashboards[0].File, Shard: 1}}, r.Part.Dealt)
	require.Len(t, r.Part.Open, 1)
	assert.Equal(t, nothingChecked, r.Part.Open[0].Rule)
	assert.Contains(t, r.Part.Open[0].Message, "of 1 dashboard(s)", "it is said of the whole")

	r = Lint(loaded.Stack, loaded.Options)
	assert.False(t, r.Fails(rule.Error))

	// What is asked beside the panels is waited for where there are none.
	assert.Len(t, chunks(&rule.Live{Static: &rule.Static{}}, true), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Verify(ctx, loaded.Stack, loaded.Options)
	require.ErrorIs(t, err, context.Canceled)
}
