package embedded_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/stack"
)

const withRules = threeJobs + `
rule_files: [rules.yml]
`

const someRules = `
groups:
  - name: triton
    rules:
      - {record: "model:requests:rate5m", expr: "sum by (model) (rate(nv_inference_request_success[5m]))"}
      - {record: "requests:rate5m", expr: "sum(model:requests:rate5m)"}
      - {record: "instance:cpu:ratio", expr: "1 - avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m]))"}
      - {alert: Quiet, expr: "requests:rate5m < 0"}
      - {alert: Up, expr: "up == 1", for: 1m}
`

// BenchmarkStart measures a start of the three standard jobs with some past, and
// how much memory the process held at most. Close is not counted.
func BenchmarkStart(b *testing.B) {
	for _, bench := range []struct {
		name  string
		past  time.Duration
		files map[string]string
	}{
		{"1h", time.Hour, map[string]string{"prometheus.yml": threeJobs}},
		{"24h", 24 * time.Hour, map[string]string{"prometheus.yml": threeJobs}},
		{"1h_rules", time.Hour, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules}},
		{"24h_rules", 24 * time.Hour, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, sc := load(b, bench.files), steady(b)
			for b.Loop() {
				e, err := embedded.Start(context.Background(), p, embedded.Options{Scenario: sc, History: bench.past})
				require.NoError(b, err)
				b.StopTimer()
				require.NoError(b, e.Close())
				b.StartTimer()
			}
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

// BenchmarkLayPast measures the same for a past alone, and also that of the stack
// that panelgate ships.
func BenchmarkLayPast(b *testing.B) {
	shipped, err := stack.Load(context.Background(), "../../../stack")
	require.NoError(b, err)
	ruled := load(b, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules})
	for _, bench := range []struct {
		name string
		past time.Duration
		p    *stack.Prometheus
	}{
		{"1h_shipped", time.Hour, shipped.Prometheus},
		{"24h_shipped", 24 * time.Hour, shipped.Prometheus},
		{"1h_rules", time.Hour, ruled},
		{"24h_rules", 24 * time.Hour, ruled},
	} {
		b.Run(bench.name, func(b *testing.B) {
			sc := steady(b)
			for b.Loop() {
				past, err := embedded.LayPast(context.Background(), bench.p, b.TempDir(), embedded.Options{Scenario: sc, History: bench.past})
				require.NoError(b, err)
				b.ReportMetric(float64(past.Series), "series")
			}
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

// peakMB is the most memory this process has held so far.
func peakMB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Log("no figure for memory:", err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			require.NoError(b, err)
			return kb / 1024
		}
	}
	return 0
}
