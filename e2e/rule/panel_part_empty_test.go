package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/why"
)

func TestPanelPartEmptyTellsSlipsFromFallbacks(t *testing.T) {
	for name, tc := range map[string]struct {
		part     why.Diagnosis
		mistyped bool
	}{
		"a metric with two letters swapped": {why.Diagnosis{Reason: why.MetricMissing, Absent: "nv_inference_cuont", Near: "nv_inference_count"}, true},
		"an older name, shorter by its end": {why.Diagnosis{Reason: why.MetricMissing, Absent: "node_memory_MemTotal", Near: "node_memory_MemTotal_bytes"}, false},
		"another number":                    {why.Diagnosis{Reason: why.MetricMissing, Absent: "node_load2", Near: "node_load1"}, false},
		"nothing near":                      {why.Diagnosis{Reason: why.MetricMissing, Absent: "envoy_requests"}, false},
		"a mistyped label":                  {why.Diagnosis{Reason: why.LabelMissing, Absent: "instanec", Near: "instance"}, true},
		"a label that only some have":       {why.Diagnosis{Reason: why.LabelMissing, Absent: "GPU_I_ID", Near: "gpu"}, false},
		"a job that is not there":           {why.Diagnosis{Reason: why.ValueMissing, Label: "job", Absent: "tritno"}, true},
		"a value that bad times bring":      {why.Diagnosis{Reason: why.ValueMissing, Label: "code", Absent: "500"}, false},
		"a variable without a value":        {why.Diagnosis{Reason: why.ValueMissing, Label: "job", Absent: ""}, false},
		"nothing happens":                   {why.Diagnosis{Reason: why.NoTraffic}, false},
	} {
		assert.Equal(t, tc.mistyped, mistyped(&tc.part), name)
	}
}
