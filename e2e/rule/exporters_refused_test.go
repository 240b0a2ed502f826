package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

func TestExporterThatWouldNotStart(t *testing.T) {
	in := &Static{}
	pos := source.Pos{File: "docker-compose.yml", Line: 12, Column: 3}
	service := &stack.Service{Name: "gpu", Pos: pos}
	in.SetExporters([]exporter.Running{
		{Service: service, Name: "triton", Version: "26.06", Setup: fakes.Setup{Version: "26.06"}, Refused: errors.New("set up the fake of triton: args: no flag --metric-config")},
		{Service: service, Name: "node", Version: "1.12.1"},
	})
	found := stackServerFailed().Static(in)
	require.Len(t, found, 1)
	assert.Equal(t, pos, found[0].Pos)
	assert.Equal(t, `Triton of service "gpu" ends instead of coming up: args: no flag --metric-config`, found[0].Message)
	assert.Equal(t, []string{"release acted out: 26.06"}, found[0].Evidence)
	assert.NotEmpty(t, found[0].Fix)
}
