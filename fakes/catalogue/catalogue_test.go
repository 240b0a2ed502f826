package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/release"
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

func TestReleasesOfAMetric(t *testing.T) {
	c := New()
	util, _, _ := c.Series("nv_cache_util")
	for version, want := range map[string]bool{"21.12": false, "22.02": true, "23.02": true, "23.03": false, "26.06": false, "main": false} {
		assert.Equal(t, want, util.In(release.MustParse(version)), version)
	}
	assert.Equal(t, "22.02", util.First().String())
	assert.Equal(t, "23.03", util.Gone().String())
	always, _, _ := c.Series("DCGM_FI_DEV_GPU_TEMP")
	assert.True(t, always.In(release.MustParse("2.0.13")))
	assert.True(t, always.First().IsZero())
	assert.True(t, always.Gone().IsZero())
}

func TestColumns(t *testing.T) {
	header := []string{"help", "name", "type", "unit", "labels", "since", "until", "replaced_by", "optional", "field"}
	c, err := columnsOf(header)
	require.NoError(t, err)
	m, err := c.metric("dcgm", []string{"GPU temperature.", "TEMP", "gauge", "celsius", "gpu UUID", "3.3.5", "", "A B", "", "150"})
	require.NoError(t, err)
	assert.Equal(t, Metric{Exporter: "dcgm", Name: "TEMP", Type: Gauge, Unit: "celsius", Labels: []string{"gpu", "UUID"}, Since: "3.3.5",
		ReplacedBy: []string{"A", "B"}, Help: "GPU temperature.", More: map[string]string{"field": "150"}}, m)
	_, err = c.metric("dcgm", []string{"", "TEMP", "gauge", "", "", "soon", "", "", "", ""})
	require.ErrorContains(t, err, `TEMP: "soon" is no release`)
	_, err = columnsOf(header[1:9])
	require.NoError(t, err)
	_, err = columnsOf(header[2:])
	require.EqualError(t, err, `there is no column "name"`)
	_, err = columnsOf(append(header, "unit"))
	assert.EqualError(t, err, `column "unit" stands twice`)
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
