package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// Who serves a plan has no cache where its Tritons have none, as who lays down the past.
func TestWorldOfAPlanWithoutACache(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	p := Plan{Version: Version, Start: time.Unix(1_800_000_000, 0), Scenario: string(scenario.YAML()), Listeners: []Listener{
		{Listen: ":9400", Routes: []Route{{Exporter: "dcgm", Instance: "box:9400"}}},
		{Listen: ":8002", Routes: []Route{{Exporter: "triton", Instance: "box:8002", Setup: fakes.Setup{Args: []string{"tritonserver"}}}}},
	}}
	cached := func() bool {
		w, err := p.world()
		require.NoError(t, err)
		m, ok := w.Model("preprocessing")
		require.True(t, ok)
		return m.Cached()
	}
	assert.False(t, cached())
	p.Listeners[1].Routes[0].Setup = fakes.Setup{}
	assert.True(t, cached())
}
