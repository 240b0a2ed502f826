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
	assert.Equal(t, []string{"triton", "dcgm", "node", "vllm"}, Names())
	for name, port := range map[string]int{"triton": 8002, "dcgm": 9400, "node": 9100, "vllm": 8000} {
		one, err := ByName(name, "box:1", w, fakes.Setup{})
		require.NoError(t, err)
		assert.Equal(t, name, one.Name())
		two, err := ByName(name, "box:2", w, fakes.Setup{})
		require.NoError(t, err)
		assert.Equal(t, one.AppendScrape(nil, w.Start()), two.AppendScrape(nil, w.Start()), "the host alone is the identity")
		_, err = ByName(name, "box", w, fakes.Setup{Version: "latest"})
		require.ErrorContains(t, err, "set up the fake of "+name+": version: ")
		of, ok := OfPort(port)
		assert.Equal(t, name != "vllm", ok, "port 8000 is many others' too")
		if ok {
			assert.Equal(t, name, of)
		}
		known, ok := Port(name)
		assert.True(t, ok)
		assert.Equal(t, port, known)
	}
	_, err = ByName("tritn", "box", w, fakes.Setup{})
	require.EqualError(t, err, `no fake exporter "tritn"; there are triton, dcgm, node, vllm`)
	_, ok := OfPort(8003)
	assert.False(t, ok)
	_, ok = Port("tritn")
	assert.False(t, ok)
}

func TestARecordingIsPlayedBackByName(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
	assert.True(t, Known("replay"))
	assert.False(t, Known("tritn"))
	assert.NotContains(t, Names(), "replay")
	_, ok := Port("replay")
	assert.False(t, ok)
	_, ok = OfPort(0)
	assert.False(t, ok)
	_, err = ByName("replay", "box", w, fakes.Setup{})
	require.EqualError(t, err, "set up the fake of replay: recording: there is none to play back")
	e, err := ByName("replay", "box", w, fakes.Setup{Recording: []byte("a 1\n")})
	require.NoError(t, err)
	assert.Equal(t, "a 1\n", string(e.AppendScrape(nil, w.Start())))
}

// A Triton without a response cache acts in a world without one, and all others with it where no Triton has one.
func TestWorldsWithoutACache(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
	bare := w.WithoutCache()
	old, usual := fakes.Setup{Version: "20.06"}, fakes.Setup{}
	assert.Same(t, bare, World("triton", w, old))
	assert.Same(t, w, World("triton", w, usual))
	assert.Same(t, w, World("dcgm", w, fakes.Setup{Version: "2.1.8-2.4.0-rc.2"}))
	type exporter struct {
		name  string
		setup fakes.Setup
	}
	for _, tc := range []struct {
		exporters []exporter
		want      *fakes.World
	}{
		{nil, w},
		{[]exporter{{"dcgm", usual}, {"node", usual}}, w},
		{[]exporter{{"dcgm", usual}, {"triton", old}, {"triton", old}}, bare},
		{[]exporter{{"triton", old}, {"triton", usual}}, w},
		{[]exporter{{"triton", usual}, {"node", usual}}, w},
	} {
		for _, from := range []*fakes.World{w, bare} {
			assert.Same(t, tc.want, Together(from, func(yield func(string, fakes.Setup) bool) {
				for _, e := range tc.exporters {
					if !yield(e.name, e.setup) {
						return
					}
				}
			}), "%v", tc.exporters)
		}
	}
}
