package triton

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

const withMetricsOfTheirOwn = `
version: 1
gpus: [{count: 1}]
models:
  - name: reader
    requests_per_second: 10
    custom_metrics:
      - {name: tokens_total, help: Tokens read., labels: {kind: in, model: reader}, per_request: 2.5}
      - {name: pool, type: gauge, help: Workers., value: {mean: 4, waves: [{swing: 0.5, period: 1m}]}}
  - name: writer
    gpu: 0
    loaded_after: 5m
    requests_per_second: 10
    custom_metrics: [{name: tokens_total, help: Tokens read., labels: {kind: in, model: writer}, per_request: 1}]
`

func TestMetricsOfModelsOwnCode(t *testing.T) {
	e, err := Build(worldOf(t, withMetricsOfTheirOwn), "box", fakes.Setup{})
	require.NoError(t, err)
	s := scrape(t, e, start.Add(time.Hour+time.Millisecond))
	assert.Equal(t, "counter", s.Families["tokens_total"].Type)
	assert.InDelta(t, 90000, s.Series[`{__name__="tokens_total", kind="in", model="reader"}`], 1)
	assert.InDelta(t, 33000, s.Series[`{__name__="tokens_total", kind="in", model="writer"}`], 1)
	assert.InDelta(t, 4, s.Series[`{__name__="pool"}`], 2)
	assert.Equal(t, "tokens_total", s.Order[9+1], "behind the last of Triton's own counters, the energy")
	assert.Equal(t, "pool", s.Order[len(s.Order)-1])
	assert.NotContains(t, scrape(t, e, start).Series, `{__name__="tokens_total", kind="in", model="writer"}`)

	old, err := Build(worldOf(t, withMetricsOfTheirOwn), "box", fakes.Setup{Version: "22.08"})
	require.NoError(t, err)
	order := scrape(t, old, start).Order
	assert.Equal(t, []string{"nv_energy_consumption", "tokens_total", "pool"}, order[len(order)-3:], "as registered")
}
