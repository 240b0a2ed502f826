package rule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDatasourceTimeInterval(t *testing.T) {
	const set = "timeInterval: 15s"
	to := func(other string) func(*fixture) {
		return func(f *fixture) { f.replace(datasourceFile, set, other) }
	}
	slow := func(job string) func(*fixture) {
		return func(f *fixture) {
			f.replace(prometheusFile, "  - job_name: "+job+"\n", "  - job_name: "+job+"\n    scrape_interval: 1m\n")
		}
	}
	runFileCases(t, datasourceTimeInterval(), []fileCase{
		{
			name: "shorter than the scrapes", edit: to("timeInterval: 5s"),
			file: datasourceFile, at: "5s\n", message: []string{"is 5s", "fewer than the four scrapes"},
			evidence: `"triton" every 15s`, fix: "timeInterval: 15s",
		},
		{
			name: "longer than the scrapes", edit: to("timeInterval: 1m"),
			file: datasourceFile, at: "1m\n", message: []string{"is 1m", "coarsely"},
		},
		{
			name: "missing, and the default is wrong",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "      "+set+"\n", "").replace(prometheusFile, "scrape_interval: 15s", "scrape_interval: 30s")
			},
			file: datasourceFile, at: "httpMethod", message: []string{"assumes a scrape every 15s"}, fix: "timeInterval: 30s",
		},
		{
			name: "missing, and the default happens to be right",
			edit: func(f *fixture) { f.replace(datasourceFile, "      "+set+"\n", "") },
			file: datasourceFile, at: "httpMethod", message: []string{"happens to be right"},
		},
		{
			name: "a number", edit: to("timeInterval: 15"),
			file: datasourceFile, at: "15\n", message: []string{"wants a string"}, severity: Error,
		},
		{
			name: "no duration", edit: to("timeInterval: often"),
			file: datasourceFile, at: "often", message: []string{`"often"`, "no duration"}, severity: Error,
		},
		{
			name: "the interval of the faster of two jobs in use",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "nv_inference_count", "DCGM_FI_DEV_GPU_UTIL")))
			},
			file: datasourceFile, at: "15s\n", message: []string{"is 15s", "fewer than the four scrapes"}, evidence: `"dcgm" every 1m`, fix: "timeInterval: 1m",
		},
		{
			name: "the interval of the slower of two jobs in use",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				to("timeInterval: 1m")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "nv_inference_count", "DCGM_FI_DEV_GPU_UTIL")))
			},
		},
		{
			name: "the interval of a job that is not in use",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", `up{job="dcgm"}`)))
			},
			file: datasourceFile, at: "15s\n", message: []string{"is 15s", "fewer than the four scrapes"}, fix: "timeInterval: 1m",
		},
		{
			name: "slower than the jobs in use",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				to("timeInterval: 1m")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "nv_inference_count")))
			},
			file: datasourceFile, at: "1m\n", message: []string{"coarsely"}, evidence: `"triton" every 15s`, fix: "timeInterval: 15s",
		},
		{
			name: "a slower job may be in use, too",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				to("timeInterval: 1m")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "nv_inference_count", "of_some_job")))
			},
		},
		{
			name: "nobody knows which of the jobs is in use",
			edit: func(f *fixture) {
				slow("dcgm")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "of_some_job", "up", "level:recorded:rate5m")))
			},
		},
		{
			name: "the interval of none of several jobs",
			edit: func(f *fixture) {
				to("timeInterval: 30s")(f)
				slow("node")(f)
				f.dashboardFile(boardWith("", panelWith(1, "a", "of_some_job")))
			},
			file: datasourceFile, at: "30s\n", evidence: `"dcgm" every 15s, "node" every 1m`, fix: "timeInterval: 1m",
		},
		{name: "a Prometheus elsewhere", edit: func(f *fixture) {
			f.replace(datasourceFile, "http://prometheus:9090", "http://prometheus.lan:9090").replace(datasourceFile, set, "timeInterval: 1m")
		}},
		{name: "no dashboard asks it", edit: func(f *fixture) {
			to("timeInterval: 1m")(f)
			f.dashboardFile(`{"uid": "a", "title": "A", "panels": [{"id": 1, "type": "text", "title": "T"}]}`)
		}},
		{name: "no prometheus.yml", edit: func(f *fixture) { f.remove(prometheusFile) }},
	})
}

func TestGrafanaInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15s": 15 * time.Second, ">15s": 15 * time.Second, "1m30s": 90 * time.Second, "30": 30 * time.Second, "1d": 24 * time.Hour, "500ms": 500 * time.Millisecond,
	} {
		got, err := grafanaInterval(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "often", "15 s", "-15s"} {
		_, err := grafanaInterval(text)
		assert.Error(t, err, text)
	}
}
