package rule

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answered is a range answer of one sample a series.
func answered(series ...model.Metric) model.Matrix {
	out := model.Matrix{}
	for _, m := range series {
		out = append(out, &model.SampleStream{Metric: m, Values: []model.SamplePair{{Timestamp: 1000, Value: 1}}})
	}
	return out
}

// answer puts an answer to a query that was asked.
func (a *Asked) answer(v model.Matrix) {
	a.Answer, a.Series, a.Samples, a.Finite = v, len(v), len(v), len(v)
	if len(v) > 0 {
		a.Status = StatusOK
	}
}

func TestPanelLegendLabelMissing(t *testing.T) {
	const (
		lossy = `sum(rate(nv_inference_count[1m]))`
		gpus  = `avg by (gpu) (DCGM_FI_DEV_GPU_UTIL)`
	)
	a, b := model.Metric{"model": "a", "instance": "h:8002"}, model.Metric{"model": "b", "instance": "h:8002", "version": "1"}
	for _, c := range []struct {
		name, legend, expr, kind, more string
		answer                         model.Matrix
		at, says, fix, mended          string
		evidence                       string
	}{
		{name: "there", legend: "{{model}}", answer: answered(a, b)},
		{name: "there in some series", legend: "{{ version }}", answer: answered(a, b)},
		{name: "no label at all", legend: "requests", answer: answered(a)},
		{name: "Grafana's own", legend: "__auto", answer: answered(a)},
		{name: "no legend", legend: "", answer: answered(a)},
		{name: "misspelt", legend: "GPU {{ modle }}", answer: answered(a, b), at: "modle }}", says: "shows the label modle", fix: "write {{model}}", evidence: "instance, model, version"},
		{name: "two labels, one missing, twice", legend: "{{model}} {{uuid}} {{uuid}}", answer: answered(a), at: "uuid}} {{", says: "label uuid", fix: "have the query keep this one"},
		{name: "no data", legend: "{{modle}}", answer: nil},
		{name: "aggregated away", legend: "{{model}}", expr: lossy, answer: answered(model.Metric{}), at: "model}}", says: "label model", evidence: "no labels at all",
			fix: "write sum by (model)", mended: `sum by (model) (rate(nv_inference_count[1m]))`},
		{name: "not in the clause", legend: "{{instance}}", expr: gpus, answer: answered(model.Metric{"gpu": "0"}), at: "instance}}", says: "label instance",
			fix: "add instance to by (gpu)", mended: `avg by (instance, gpu) (DCGM_FI_DEV_GPU_UTIL)`},
		{name: "the clause behind", legend: "{{model}}", expr: "sum(rate(nv_inference_count[1m])) by (version)", answer: answered(model.Metric{"version": "1"}), at: "model}}",
			fix: "add model to by (version)", mended: "sum(rate(nv_inference_count[1m])) by (model, version)"},
		{name: "an empty clause", legend: "{{model}}", expr: "sum by () (nv_inference_count)", answer: answered(model.Metric{}), at: "model}}", mended: "sum by (model) (nv_inference_count)"},
		{name: "both sides lose it", legend: "{{model}}", expr: "sum(nv_inference_count) / sum by (version) (nv_inference_exec_count)", answer: answered(model.Metric{}), at: "model}}",
			mended: "sum by (model) (nv_inference_count) / sum by (model, version) (nv_inference_exec_count)"},
		{name: "without", legend: "{{model}}", expr: "sum without (model) (nv_inference_count)", answer: answered(model.Metric{}), at: "model}}", fix: "sum loses the label model"},
		{name: "grouped by what nothing has", legend: "{{pod}}", expr: "sum by (pod) (nv_inference_count)", answer: answered(model.Metric{}), at: "pod}}", fix: "nothing that it reads has that label"},
		{name: "a metric that has no such label", legend: "{{model}}", expr: "sum(DCGM_FI_DEV_GPU_UTIL)", answer: answered(model.Metric{}), at: "model}}", fix: "have the query keep"},
		{name: "the metric's name after rate", legend: "{{__name__}}", expr: "rate(nv_inference_count[1m])", answer: answered(a), at: "__name__}}"},
		{name: "a stand-in for what is not there", legend: "{{model}}", expr: "sum by (model) (no_such) or vector(0)", answer: answered(model.Metric{})},
		{name: "a variable names it", legend: "{{$by}}", answer: answered(a)},
		{name: "a table", kind: "table", legend: "{{modle}}", answer: answered(a)},
		{name: "in the format of a table", more: `, "format": "table"`, legend: "{{modle}}", answer: answered(a)},
		{name: "hidden", more: `, "hide": true`, legend: "{{modle}}", answer: answered(a)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.expr == "" {
				c.expr = "nv_inference_count"
			}
			if c.kind == "" {
				c.kind = "timeseries"
			}
			f := shipped(t).write(boardFile, boardWith("", fmt.Sprintf(`{"id": 1, "type": %q, "title": "a", "targets": [{"refId": "A", "expr": %s, "legendFormat": %s%s}]}`,
				c.kind, strconv.Quote(c.expr), strconv.Quote(c.legend), c.more)))
			in := f.live()
			f.ask(in, "a").answer(c.answer)
			found := panelLegendLabelMissing().Live(in)
			if c.at == "" {
				assert.Empty(t, found)
				return
			}
			f.expect(found, []expected{{at: c.at, says: c.says, evidence: c.evidence, fix: c.fix}})
			assert.Equal(t, c.mended, found[0].Mended)
		})
	}
}

func TestLegendOfSettingsThatRename(t *testing.T) {
	for name, setting := range map[string]string{
		"a display name":   `"fieldConfig": {"defaults": {"displayName": "x"}}`,
		"a transformation": `"transformations": [{"id": "renameByRegex", "options": {"regex": "(.*)", "renamePattern": "$1"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "timeseries", "title": "a", `+setting+`, "targets": [{"refId": "A", "expr": "up", "legendFormat": "{{nope}}"}]}`))
			in := f.live()
			f.ask(in, "a").answer(answered(model.Metric{"job": "triton"}))
			assert.Empty(t, panelLegendLabelMissing().Live(in))
		})
	}
}

func TestMendedLegendOfAnExpressionWithVariables(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(modelVariable,
		`{"id": 1, "type": "timeseries", "title": "a", "targets": [{"refId": "A", "legendFormat": "{{model}}", "expr": "topk(3, sum(rate(nv_inference_count{model=~\"$model\"}[$__rate_interval])))"}]}`))
	in := f.live()
	f.ask(in, "a").answer(answered(model.Metric{}))
	found := panelLegendLabelMissing().Live(in)
	require.Len(t, found, 1)
	assert.Equal(t, `topk(3, sum by (model) (rate(nv_inference_count{model=~"$model"}[$__rate_interval])))`, found[0].Mended)
}
