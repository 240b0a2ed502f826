package standard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

func TestExportersAreKnownByNameAndPort(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
	assert.Equal(t, []string{"triton", "dcgm", "node"}, Names())
	for name, port := range map[string]int{"triton": 8002, "dcgm": 9400, "node": 9100} {
		byName, err := ByName(name, "box:1", w)
		require.NoError(t, err)
		assert.Equal(t, name, byName.Name())
		byPort, ok := ByPort(port, "box:2", w)
		require.True(t, ok)
		assert.Equal(t, byName.AppendScrape(nil, w.Start()), byPort.AppendScrape(nil, w.Start()), "the host alone is the identity")
		known, ok := Port(name)
		assert.True(t, ok)
		assert.Equal(t, port, known)
	}
	_, err = ByName("tritn", "box", w)
	require.EqualError(t, err, `no fake exporter "tritn"; there are triton, dcgm, node`)
	_, ok := ByPort(8003, "box", w)
	assert.False(t, ok)
	_, ok = Port("tritn")
	assert.False(t, ok)
}
