package e2e

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
)

// What is zero because it is so is true; what a formula makes zero of is not.
func TestAllZero(t *testing.T) {
	cases := map[string]bool{
		"floor(sum(rate(nv_inference_count[1m])) / 100000)":                        true,
		"round(avg(DCGM_FI_DEV_GPU_UTIL) / 1000)":                                  true,
		"clamp_max(rate(nv_inference_request_success[1m]), 0)":                     true,
		"sum(rate(nv_inference_count[1m])) * 0":                                    true,
		"sum(rate(nv_inference_count[1m]))":                                        false,
		"sum(rate(nv_inference_request_failure{reason=\"OTHER\"}[1m])) * 100":      false, // nothing fails
		"DCGM_FI_DEV_XID_ERRORS * 2":                                               false, // none happened
		"sum(nv_inference_count) - sum(nv_inference_count)":                        false, // may well be
		"DCGM_FI_DEV_GPU_UTIL > bool 1000":                                         false,
		"changes(DCGM_FI_DEV_POWER_MGMT_LIMIT[5m])":                                false,
		"min(node_cpu_seconds_total * 0)":                                          false,
		"vector(0)":                                                                false,
		"floor(up / 2)":                                                            false, // no exporter's
		"sum by (mode) (rate(node_cpu_seconds_total{mode=\"guest_no_such\"}[1m]))": false,
	}
	r := verify(t, copyShipped(t, onlyPanels(slices.Sorted(maps.Keys(cases))...)), Options{Config: &config.Config{}})
	found := map[string]bool{}
	for _, f := range r.Findings {
		if f.Rule == "value/all-zero" {
			found[f.Expr] = true
			assert.Equal(t, rule.Warning, f.Severity)
			assert.NotEmpty(t, f.Evidence)
		}
	}
	for expr, fires := range cases {
		assert.Equal(t, fires, found[expr], expr)
	}
}
