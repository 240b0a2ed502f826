package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/why"
)

func TestPanelNoData(t *testing.T) {
	const selector = `nv_inference_count{model=~"$model"}`
	missing := func(a *Asked) {
		a.Diagnosis = &why.Diagnosis{Reason: why.MetricMissing, Start: len("sum(rate("), End: len(a.Request.Expr) - len("[1m0s]))"),
			Message: "no target exposes a metric nv_inference_count", Evidence: []string{"nearest names: nv_inference_exec_count"}, Fix: "write nv_inference_exec_count"}
	}
	for _, c := range []struct {
		name   string
		answer func(*Asked)
		want   []expected
		reason string
	}{
		{name: "empty, and why", answer: missing, reason: "metric-missing", want: []expected{{at: "nv_inference_count", says: "no data in the 1h to ",
			evidence: "no target exposes a metric nv_inference_count\nnearest names", fix: "write nv_inference_exec_count"}}},
		{name: "empty, nobody knows why", answer: func(*Asked) {}, want: []expected{{at: `"sum(rate`, says: "no data in the 1h"}}},
		{name: "an instant query", answer: func(a *Asked) { a.Request.Instant = true }, want: []expected{{says: "no data in the 5m before "}}},
		{name: "NaN is panel/nan", answer: func(a *Asked) { a.Samples = 1 }},
		{name: "an error is panel/query-error", answer: func(a *Asked) { a.Err = errors.New("refused") }},
		{name: "data", answer: func(a *Asked) { a.Samples, a.Finite, a.Status = 1, 1, StatusOK }},
		{name: "expected to be empty", answer: func(a *Asked) { a.Status = StatusExpectedEmpty }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith(modelVariable, panelWith(1, "a", "sum(rate("+selector+"[$__rate_interval]))")))
			in := f.live()
			c.answer(f.ask(in, "a"))
			found := panelNoData().Live(in)
			f.expect(found, c.want)
			if len(found) > 0 {
				assert.Equal(t, c.reason, found[0].Reason)
				assert.Equal(t, "A", found[0].RefID)
			}
		})
	}
}

func TestPanelNoDataWithoutAQuery(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "stat", "title": "none"},
  {"id": 2, "type": "stat", "title": "blank", "targets": [{"refId": "A", "expr": " "}]},
  {"id": 3, "type": "text", "title": "text"},
  {"id": 4, "type": "stat", "title": "hidden", "targets": [{"refId": "A", "expr": "up", "hide": true}, {"refId": "B", "expr": "up + 1", "hide": true}]}`))
	in := f.live()
	f.ask(in, "none")
	f.ask(in, "blank")
	f.ask(in, "hidden")
	f.expect(panelNoData().Live(in), []expected{
		{at: `{"id": 1`, says: "the panel has no query", fix: "give the panel a query"},
		{at: `" "`, says: "the query is empty"},
		{at: `"up"`, says: "every query of the panel is hidden", fix: "show one of its queries"},
	})
	assert.Empty(t, panelQueryError().Live(in), "once is enough")
}

func TestPanelNoDataOfRepeatedPanel(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(`{"name": "gpu", "type": "custom", "query": "0,1", "multi": true, "includeAll": true,
      "current": {"text": "All", "value": "$__all"}}`,
		`{"id": 1, "type": "row", "title": "GPU $gpu", "repeat": "gpu", "panels": []},
  {"id": 2, "type": "stat", "title": "a", "repeat": "gpu", "targets": [{"refId": "A", "expr": "up{gpu=\"$gpu\"}"}]}`))
	in := f.live()
	f.ask(in, "a")
	f.expect(panelNoData().Live(in), []expected{{says: ", for gpu = 0"}})
}
