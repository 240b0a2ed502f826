package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStackPlaceholder(t *testing.T) {
	const target = "          - host.docker.internal:8002"
	targetTo := func(other string) func(*fixture) {
		return func(f *fixture) { f.replace(prometheusFile, target, "          - "+other) }
	}
	runFileCases(t, stackPlaceholder(), []fileCase{
		{
			name: "the host of a target", edit: targetTo(`"<YOUR_HOST_IP>:8002"`),
			file: prometheusFile, at: `"<YOUR_HOST_IP>:8002"`,
			message: []string{`job "triton"`, `"<YOUR_HOST_IP>"`}, fix: `"<YOUR_HOST_IP>"`,
		},
		{
			name: "in lower case", edit: targetTo(`"<host>:8002"`),
			file: prometheusFile, at: `"<host>:8002"`, message: []string{`"<host>"`},
		},
		{
			name: "a host reserved for examples", edit: targetTo("triton.example.com:8002"),
			file: prometheusFile, at: "triton.example.com", message: []string{`"triton.example.com"`},
		},
		{
			name: "a variable, which Prometheus does not fill in", edit: targetTo(`"${TRITON_HOST}:8002"`),
			file: prometheusFile, at: `"${TRITON_HOST}`, message: []string{`"${TRITON_HOST}"`},
		},
		{
			name: "a datasource's url",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "http://prometheus:9090", "http://YOUR_PROMETHEUS_HOST:9090")
			},
			file: datasourceFile, at: "http://YOUR", message: []string{`the url of datasource "Prometheus"`, `"YOUR_PROMETHEUS_HOST"`},
		},
		{
			name: "a datasource's url at an example host",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "http://prometheus:9090", "https://prometheus.example.org")
			},
			file: datasourceFile, at: "https://prometheus.example.org", message: []string{"example.org"},
		},
		{
			name: "a password in the environment",
			edit: func(f *fixture) { f.replace(composeFile, "PASSWORD:-admin}", "PASSWORD:-CHANGEME}") },
			file: composeFile, at: "${GF_SECURITY_ADMIN_PASSWORD", message: []string{"GF_SECURITY_ADMIN_PASSWORD", `"CHANGEME"`},
		},
		{
			name: "the source of a mount",
			edit: func(f *fixture) {
				f.replace(composeFile, "      - grafana-data:/var", "      - /path/to/data:/data\n      - grafana-data:/var")
			},
			file: composeFile, at: "/path/to/data:/data", message: []string{"/path/to/data"},
		},
		{
			name: "a capture group of relabelling is none",
			edit: func(f *fixture) {
				f.replace(prometheusFile, "  - job_name: triton\n",
					"  - job_name: triton\n    relabel_configs: [{source_labels: [__address__], regex: '(?P<HOST>.*):\\d+', target_label: host, replacement: '${HOST}'}]\n")
			},
		},
		{
			name: "the name of a variable that Grafana fills in",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "http://prometheus:9090", "http://${YOUR_PROMETHEUS_HOST}:9090").
					replace(composeFile, "      GF_USERS", "      YOUR_PROMETHEUS_HOST: prometheus\n      GF_USERS")
			},
		},
		{
			name: "what a prober is sent to is no target",
			edit: func(f *fixture) {
				f.replace(prometheusFile, "  - job_name: triton\n", "  - job_name: triton\n    metrics_path: /probe\n").
					replace(prometheusFile, target, "          - https://www.example.com")
			},
		},
		{name: "a host that only looks like one", edit: targetTo("myexample.com:8002")},
		{name: "a comment", edit: func(f *fixture) { f.replace(prometheusFile, "global:", "# <YOUR_HOST_IP>, CHANGEME\nglobal:") }},
		{name: "no compose file", edit: noCompose},
	})
}

func TestPlaceholderForm(t *testing.T) {
	for text, want := range map[string]string{
		"<YOUR_HOST_IP>": "<YOUR_HOST_IP>", "http://<HOST>:9090": "<HOST>", "<your-host>": "<your-host>",
		"CHANGEME": "CHANGEME", "change_me": "change_me", "please-change-me-now": "change-me", "REPLACE_ME": "REPLACE_ME",
		"YOUR_IP": "YOUR_IP", "your-server-ip": "your-server-ip", "x.x.x.x:9100": "x.x.x.x", "192.168.xxx.xxx": "",
		"exchange-media": "", "changement": "", "yourself": "", "a < b > c": "", "<b>": "",
	} {
		assert.Equal(t, want, placeholderForm.FindString(text), text)
	}
}
