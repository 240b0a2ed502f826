package rule

import "testing"

func TestPrometheusNoTarget(t *testing.T) {
	const (
		job    = "  - job_name: triton\n"
		target = "      - targets:\n          - host.docker.internal:8002\n"
	)
	relabel := func(rules string) func(*fixture) {
		return func(f *fixture) { f.replace(prometheusFile, job, job+"    relabel_configs:\n"+rules) }
	}
	runFileCases(t, prometheusNoTarget(), []fileCase{
		{
			name: "an empty list",
			edit: func(f *fixture) { f.replace(prometheusFile, target, "      - targets: []\n") },
			file: prometheusFile, at: "[]\n", message: []string{`job "triton" has no target`}, fix: "static_configs",
		},
		{
			name: "no discovery at all",
			edit: func(f *fixture) { f.replace(prometheusFile, "    static_configs:\n"+target, "") },
			file: prometheusFile, at: "job_name: triton", message: []string{`job "triton" has no target`},
		},
		{
			name: "relabelling keeps none",
			edit: relabel("      - {target_label: site, replacement: lab}\n" +
				"      - {source_labels: [__address__], regex: 'gpu-.*', action: keep}\n"),
			file: prometheusFile, at: "{source_labels: [__address__], regex: 'gpu-.*'",
			message:  []string{`every target of job "triton"`, "host.docker.internal:8002"},
			evidence: "rule 2 of relabel_configs",
		},
		{
			name: "two rules drop them together",
			edit: func(f *fixture) {
				relabel("      - {source_labels: [__address__], regex: 'a:.*', action: drop}\n" +
					"      - {source_labels: [__address__], regex: 'b:.*', action: drop}\n")(f)
				f.replace(prometheusFile, target, "      - targets: ['a:8002', 'b:8002']\n")
			},
			file: prometheusFile, at: "{source_labels: [__address__], regex: 'b:.*'", message: []string{"a:8002, b:8002"},
		},
		{
			name: "relabelling takes the address away",
			edit: relabel("      - {regex: __address__, action: labeldrop}\n"),
			file: prometheusFile, at: "{regex: __address__", message: []string{"relabelling drops every target"}, evidence: "no address",
		},
		{
			name: "relabelling keeps one of two",
			edit: func(f *fixture) {
				relabel("      - {source_labels: [__address__], regex: 'a:.*', action: keep}\n")(f)
				f.replace(prometheusFile, target, "      - targets: ['a:8002', 'b:8002']\n")
			},
		},
		{
			name: "another discovery may find some",
			edit: func(f *fixture) {
				f.replace(prometheusFile, "    static_configs:\n"+target, "    file_sd_configs: [{files: ['targets/*.json']}]\n")
			},
		},
		{
			name: "no job",
			edit: func(f *fixture) { f.write(prometheusFile, "global:\n  scrape_interval: 15s\n") },
			file: prometheusFile, at: "global:", message: []string{"scrapes nothing"},
		},
		{
			name: "no job, but others write to it",
			edit: func(f *fixture) {
				f.write(prometheusFile, "global:\n  scrape_interval: 15s\n").
					replace(composeFile, "      - --storage.tsdb.path=/prometheus\n", "      - --storage.tsdb.path=/prometheus\n      - --web.enable-remote-write-receiver\n")
			},
		},
		{name: "no prometheus.yml", edit: func(f *fixture) { f.remove(prometheusFile) }},
		{name: "a broken prometheus.yml", edit: func(f *fixture) { f.write(prometheusFile, "scrape_configs: 7\n") }},
	})
}
