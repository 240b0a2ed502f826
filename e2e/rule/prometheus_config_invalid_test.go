package rule

import "testing"

func TestPrometheusConfigInvalid(t *testing.T) {
	const evaluation = "  evaluation_interval: 15s\n"
	runFileCases(t, prometheusConfigInvalid(), []fileCase{
		{
			name: "broken YAML",
			edit: func(f *fixture) { f.write(prometheusFile, "global:\n  scrape_interval: 15s\n bad: 1\n") },
			file: prometheusFile, at: " bad", message: []string{"YAML"},
		},
		{
			name: "a field that Prometheus does not know",
			edit: func(f *fixture) { f.replace(prometheusFile, "scrape_timeout: 10s", "scrape_patience: 10s") },
			file: prometheusFile, at: "scrape_patience", message: []string{"scrape_patience"},
		},
		{
			name: "two jobs of one name",
			edit: func(f *fixture) { f.replace(prometheusFile, "job_name: dcgm", "job_name: triton") },
			file: prometheusFile, at: "triton\n    static_configs:\n      - targets:\n          - host.docker.internal:9400", message: []string{"triton"},
		},
		{
			name: "a rule that does not parse",
			edit: func(f *fixture) {
				f.replace(prometheusFile, evaluation, evaluation+"rule_files: [rules.yml]\n").
					write("prometheus/rules.yml", "groups:\n  - name: g\n    rules:\n      - record: job:up:sum\n        expr: sum by (job (up)\n")
			},
			file: "prometheus/rules.yml", at: "sum by (job", message: []string{"Prometheus refuses the rule file"},
		},
		{
			name: "a discovery that is not run here still loads",
			edit: func(f *fixture) {
				f.replace(prometheusFile, "scrape_configs:\n", "scrape_configs:\n  - job_name: pods\n    kubernetes_sd_configs: [{role: pod}]\n")
			},
		},
		{
			name: "none at all",
			edit: func(f *fixture) { f.remove(prometheusFile).remove(composeFile).remove(datasourceFile) },
			file: ".", message: []string{"no prometheus.yml was found", "prometheus/"},
		},
		{
			name: "none for a service to read",
			edit: func(f *fixture) { f.remove(prometheusFile) },
			file: composeFile, at: "prometheus:\n    image", message: []string{"/etc/prometheus/prometheus.yml"},
		},
		{
			name: "a compose file without Prometheus",
			edit: func(f *fixture) {
				f.remove(prometheusFile).remove(datasourceFile).write(composeFile, "services:\n  grafana:\n    image: grafana/grafana:13.2.3\n")
			},
			file: composeFile, message: []string{"no prometheus.yml was found"},
		},
		{
			name: "a mount without its file is said of the compose file",
			edit: func(f *fixture) {
				f.remove(prometheusFile).
					replace(composeFile, "./prometheus:/etc/prometheus:ro", "./prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro")
			},
		},
	})
}
