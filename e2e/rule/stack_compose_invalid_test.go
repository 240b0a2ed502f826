package rule

import "testing"

func TestStackComposeInvalid(t *testing.T) {
	runFileCases(t, stackComposeInvalid(), []fileCase{
		{
			name: "broken YAML",
			edit: func(f *fixture) {
				f.write(composeFile, "services:\n  prometheus:\n    image: [prom/prometheus\n  grafana: {}\n")
			},
			file: composeFile, at: "    image: [prom",
		},
		{
			name: "a value of the wrong kind",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana:13.2.3", "    image: [grafana/grafana]")
			},
			file: composeFile, at: "image: [grafana/grafana]", message: []string{"services.grafana.image", "must be a string"},
		},
		{
			name: "a service depends on none",
			edit: func(f *fixture) {
				f.replace(composeFile, "depends_on:\n      - prometheus", "depends_on:\n      - prometheos")
			},
			file: composeFile, at: "grafana:\n    image", message: []string{"prometheos"},
		},
		{
			name: "a mounted file is not there",
			edit: func(f *fixture) {
				f.replace(composeFile, "./prometheus:/etc/prometheus:ro", "./prometheus/prom.yml:/etc/prometheus/prometheus.yml:ro")
			},
			file: composeFile, at: "./prometheus/prom.yml", message: []string{"prometheus/prom.yml", "is not there"},
		},
		{
			name: "an env_file is not there",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana:13.2.3", "    image: grafana/grafana:13.2.3\n    env_file: grafana.env")
			},
			file: composeFile, at: "grafana.env", message: []string{"grafana.env", "is not there"},
		},
		{
			name: "an env_file that need not be there",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana:13.2.3",
					"    image: grafana/grafana:13.2.3\n    env_file: [{path: grafana.env, required: false}]")
			},
		},
		{name: "no compose file", edit: noCompose},
	})
}
