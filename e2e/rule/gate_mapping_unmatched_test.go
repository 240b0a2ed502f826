package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

func TestGateMappingUnmatched(t *testing.T) {
	in := shipped(t).live()
	assert.Empty(t, gateMappingUnmatched().Live(in))

	pos := source.Pos{File: "panelgate.yml", Line: 3, Column: 5}
	in.Instance.Targets = []env.Target{
		{Job: "triton", Instance: "gpu:8002", Address: "10.0.0.1:8002"}, {Job: "node", Instance: "host:9100", Address: "host:9100"},
	}
	in.Unmatched = []Mapping{{Pos: pos, Text: "{job: tritn}", Match: map[string]string{"job": "tritn"}}}
	found := gateMappingUnmatched().Live(in)
	require.Len(t, found, 1)
	assert.Equal(t, pos, found[0].Pos)
	assert.Contains(t, found[0].Message, "{job: tritn} matches no target")
	assert.Contains(t, found[0].Evidence, "targets: job triton at gpu:8002, job node at host:9100")
	assert.Contains(t, found[0].Fix, `"triton"`)

	in.Instance.Targets = nil
	found = gateMappingUnmatched().Live(in)
	require.Len(t, found, 1)
	assert.Equal(t, []string{"there is no target at all"}, found[0].Evidence)
}
