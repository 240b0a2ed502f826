package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSeriesFindsFamilies(t *testing.T) {
	c := New()
	for _, tc := range []struct {
		series, name string
		part         Part
	}{
		{"nv_inference_count", "nv_inference_count", Whole},
		{"nv_inference_first_response_histogram_ms_bucket", "nv_inference_first_response_histogram_ms", Bucket},
		{"nv_inference_request_summary_us_sum", "nv_inference_request_summary_us", Sum},
		{"nv_inference_load_ratio_count", "nv_inference_load_ratio", Count},
		{"node_cpu_seconds_total", "node_cpu_seconds_total", Whole},
	} {
		m, part, ok := c.Series(tc.series)
		assert.True(t, ok, tc.series)
		assert.Equal(t, tc.name, m.Name)
		assert.Equal(t, tc.part, part)
	}
	for _, nobodys := range []string{"nv_inference_count_sum", "nv_inference_request_summary_us_bucket", "up", ""} {
		_, _, ok := c.Series(nobodys)
		assert.False(t, ok, nobodys)
	}
}

func TestEveryReplacementIsThereStill(t *testing.T) {
	c := New()
	for _, exporter := range Exporters() {
		assert.NotEmpty(t, c.Of(exporter), exporter)
		for _, m := range c.Of(exporter) {
			assert.Contains(t, []Type{Counter, Gauge, Histogram, Summary, Untyped}, m.Type, m.Name)
			for _, by := range m.ReplacedBy {
				now, _, ok := c.Series(by)
				assert.True(t, ok && !now.Removed(), "%s is replaced by %s", m.Name, by)
			}
		}
	}
}

func TestExporter(t *testing.T) {
	c := New()
	for series, exporter := range map[string]string{
		"nv_inference_count": "triton", "nv_of_tomorrow": "triton", "DCGM_FI_DEV_GPU_UTIL": "dcgm", "node_load1": "node", "vllm:prompt_tokens_total": "vllm", "up": "",
	} {
		assert.Equal(t, exporter, c.Exporter(series), series)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New()
	}
}
