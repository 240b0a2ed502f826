package rule

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStackMountMissing(t *testing.T) {
	const (
		provisioning = "      - ./grafana/provisioning:/etc/grafana/provisioning:ro\n"
		prometheus   = "      - ./prometheus:/etc/prometheus:ro\n"
		boards       = "path: /etc/grafana/provisioning/dashboards/boards"
		evaluation   = "  evaluation_interval: 15s\n"
		ruleFile     = "groups: []\n"
	)
	runFileCases(t, stackMountMissing(), []fileCase{
		{
			name: "no mount leads to the provider's path",
			edit: func(f *fixture) { f.replace(providerFile, boards, "path: /var/lib/grafana/dashboards") },
			file: providerFile, at: "/var/lib/grafana/dashboards",
			message: []string{`"triton"`, "no mount of the Grafana service brings files of the stack there"}, fix: "/etc/grafana/provisioning",
		},
		{
			name: "the provider's path is not there",
			edit: func(f *fixture) { f.replace(providerFile, boards, "path: /etc/grafana/provisioning/dashboards/board") },
			file: providerFile, at: "/etc/grafana/provisioning/dashboards/board",
			message: []string{"grafana/provisioning/dashboards/board, and that is not there"},
		},
		{
			name: "the provider's path is there without a compose file",
			edit: noCompose,
		},
		{
			name: "an image built with the dashboards inside",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana:13.2.3", "    image: grafana/grafana:13.2.3\n    build: ./grafana").
					replace(providerFile, boards, "path: /var/lib/grafana/dashboards")
			},
		},
		{
			name: "the provisioning folder is not mounted",
			edit: func(f *fixture) { f.replace(composeFile, provisioning, "") },
			file: composeFile, at: "grafana:\n    image",
			message: []string{"grafana/provisioning", "without a datasource"},
			fix:     "./grafana/provisioning:/etc/grafana/provisioning:ro",
		},
		{
			name: "the provisioning folder is mounted from nowhere",
			edit: func(f *fixture) {
				f.replace(composeFile, provisioning, "      - ./grafana/provision:/etc/grafana/provisioning:ro\n")
			},
			file: composeFile, at: "./grafana/provision:", message: []string{"grafana/provision", "is not there"},
		},
		{
			name: "prometheus.yml is not mounted",
			edit: func(f *fixture) { f.replace(composeFile, prometheus, "") },
			file: composeFile, at: "prometheus:\n    image",
			message: []string{"prometheus/prometheus.yml"}, fix: "./prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro",
		},
		{
			name: "a rule file that is not there",
			edit: func(f *fixture) { f.replace(prometheusFile, evaluation, evaluation+"rule_files: [rules.yml]\n") },
			file: prometheusFile, at: "rules.yml", message: []string{"/etc/prometheus/rules.yml"},
		},
		{
			name: "a rule file that is not mounted",
			edit: func(f *fixture) {
				f.replace(prometheusFile, evaluation, evaluation+"rule_files: [rules.yml]\n").
					write("prometheus/rules.yml", ruleFile).
					replace(composeFile, "./prometheus:/etc/prometheus:ro", "./prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro")
			},
			file: prometheusFile, at: "rules.yml",
			evidence: "prometheus/rules.yml is there", fix: "./prometheus/rules.yml:/etc/prometheus/rules.yml:ro",
		},
		{
			name: "a pattern that matches nothing",
			edit: func(f *fixture) { f.replace(prometheusFile, evaluation, evaluation+"rule_files: [\"rules/*.yml\"]\n") },
			file: prometheusFile, at: "\"rules/*.yml\"", message: []string{"no file matches"}, severity: Warning,
		},
		{
			name: "a rule file that is there",
			edit: func(f *fixture) {
				f.replace(prometheusFile, evaluation, evaluation+"rule_files: [rules.yml]\n").write("prometheus/rules.yml", ruleFile)
			},
		},
	})
}

// A dashboard folder that is there and empty is not this rule's business.
func TestStackMountMissingEmptyFolder(t *testing.T) {
	f := shipped(t).remove(boardFile)
	require.DirExists(t, filepath.Join(f.dir, filepath.Dir(filepath.FromSlash(boardFile))))
	require.Empty(t, f.check(stackMountMissing()))
}
