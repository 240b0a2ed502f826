package rule

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

func TestTritonEnsembleDoubleCount(t *testing.T) {
	known := panelWith(1, "E2E", `rate(nv_inference_request_success{model="my_ensemble"}[5m])`) + ","
	all := func(expr string) string { return boardWith("", known+panelWith(2, "All", expr)) }
	checkCases(t, tritonEnsembleDoubleCount(), []ruleCase{
		{name: "a dashboard that knows an ensemble", board: all(`sum(rate(nv_inference_request_success[5m]))`),
			want: []expected{{at: "sum(", says: "sum adds nv_inference_request_success up over all models", evidence: "the dashboard knows my_ensemble"}}},
		{name: "both sides", board: all(`sum by (version) (rate(nv_inference_request_duration_us[5m])) / sum by (version) (rate(nv_inference_request_success[5m]))`),
			want: []expected{{says: "sum by (version) adds nv_inference_request_duration_us", evidence: "1 more sums"}}},
		{name: "models kept apart", board: all(`sum by (model) (rate(nv_inference_request_success[5m]))`)},
		{name: "models kept apart otherwise", board: all(`sum without (version) (rate(nv_inference_request_success[5m]))`)},
		{name: "some models", board: all(`sum(rate(nv_inference_request_success{model!="my_ensemble"}[5m]))`)},
		{name: "nothing counted twice", board: all(`sum(nv_gpu_power_usage) + sum(rate(nv_inference_queue_duration_us[5m]))`)},
		{name: "models that are counted", board: all(`count(count by (model) (nv_inference_count))`)},
		{name: "a dashboard that knows none", board: boardWith("", panelWith(2, "All", `sum(rate(nv_inference_request_success[5m]))`))},
	})
}

func TestTritonEnsembleDoubleCountAsked(t *testing.T) {
	sc, err := fakes.LoadScenario(filepath.Join("..", "..", "fakes", "scenarios", "steady.yaml"))
	require.NoError(t, err)
	world := fakes.NewWorld(sc, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	for _, c := range []struct{ name, expr, evidence, mended string }{
		{"all models", `sum(rate(nv_inference_request_success[5m]))`, "is an ensemble that passes each request on to preprocessing, inference, postprocessing",
			`sum(rate(nv_inference_request_success{model!~"preprocessing|inference|postprocessing"}[5m]))`},
		{"some of them", `sum(nv_inference_count{model=~"ensemble|inference", job="triton"})`, "passes each request on to inference",
			`sum(nv_inference_count{model!~"inference", model=~"ensemble|inference", job="triton"})`},
		{"the ensemble", `sum(nv_inference_count{model="ensemble"})`, "", ""},
		{"its parts", `sum(nv_inference_count{model!="ensemble"})`, "", ""},
		{"each", `sum by (model) (nv_inference_count)`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", c.expr)))
			in := f.live()
			in.Instance.World = world
			f.ask(in, "a")
			found := tritonEnsembleDoubleCount().Live(in)
			if c.evidence == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Contains(t, found[0].Evidence[0], c.evidence)
			assert.Equal(t, c.mended, found[0].Mended)
			in.Instance.World = nil
			assert.Empty(t, tritonEnsembleDoubleCount().Live(in), "nobody knows the models")
		})
	}
}
