package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack"
)

func TestDatasourceURLUnreachable(t *testing.T) {
	const url = "http://prometheus:9090"
	to := func(other string) func(*fixture) {
		return func(f *fixture) { f.replace(datasourceFile, url, other) }
	}
	runFileCases(t, datasourceURLUnreachable(), []fileCase{
		{
			name: "localhost", edit: to("http://localhost:9090"),
			file: datasourceFile, at: "http://localhost:9090",
			message: []string{`"Prometheus"`, "Grafana's own container"}, fix: "set url: " + url,
		},
		{
			name: "a loopback address", edit: to("http://127.0.0.1:9090"),
			file: datasourceFile, at: "http://127.0.0.1:9090", message: []string{"Grafana's own container"},
		},
		{
			name: "a mistyped service", edit: to("http://promtheus:9090"),
			file: datasourceFile, at: "http://promtheus", message: []string{`"promtheus" is no service`, "nearest: prometheus"}, fix: url,
		},
		{
			name: "another port than it listens on", edit: to("http://prometheus:9091"),
			file: datasourceFile, at: "http://prometheus:9091", message: []string{"listens on port 9090, not 9091"}, fix: url,
		},
		{
			name: "no port", edit: to("http://prometheus"),
			file: datasourceFile, at: "http://prometheus", message: []string{"not 80"}, fix: url,
		},
		{
			name: "the port by which the host reaches it",
			edit: func(f *fixture) {
				f.replace(composeFile, "${PROMETHEUS_PORT:-9090}:9090", "9095:9090")
				to("http://prometheus:9095")(f)
			},
			file: datasourceFile, at: "http://prometheus:9095", message: []string{"not 9095"},
		},
		{
			name: "the port that --web.listen-address moved away",
			edit: func(f *fixture) {
				f.replace(composeFile, "      - --storage.tsdb.path=/prometheus\n", "      - --storage.tsdb.path=/prometheus\n      - --web.listen-address=:9191\n")
			},
			file: datasourceFile, at: url, message: []string{"listens on port 9191"}, fix: "http://prometheus:9191",
		},
		{
			name: "a service in the host's network",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: prom/prometheus:v3.15.0\n", "    image: prom/prometheus:v3.15.0\n    network_mode: host\n").
					replace(composeFile, "    ports:\n      - \"${PROMETHEUS_PORT:-9090}:9090\"\n", "")
			},
			file: datasourceFile, at: url, message: []string{"the host's network"}, fix: "host.docker.internal:9090",
		},
		{
			name: "no url", edit: func(f *fixture) { f.replace(datasourceFile, "    url: "+url+"\n", "") },
			file: datasourceFile, at: "name: Prometheus", message: []string{"no url"}, fix: url,
		},
		{
			name: "no scheme", edit: to("prometheus:9090"),
			file: datasourceFile, at: "prometheus:9090", message: []string{"no http url"},
		},
		{
			name: "the container's name",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: prom/prometheus", "    container_name: metrics\n    image: prom/prometheus")
				to("http://metrics:9090")(f)
			},
		},
		{
			name: "https where nothing gives a certificate", edit: to("https://prometheus:9090"),
			file: datasourceFile, at: "https://prometheus", message: []string{"speaks http"}, fix: url,
		},
		{
			name: "a path where there is none", edit: to("http://prometheus:9090/prom"),
			file: datasourceFile, at: "http://prometheus:9090/prom", message: []string{"answers below /,"}, fix: "set url: " + url,
		},
		{
			name: "a route prefix that the url lacks",
			edit: func(f *fixture) {
				f.replace(composeFile, "      - --storage.tsdb.path=/prometheus\n", "      - --storage.tsdb.path=/prometheus\n      - --web.external-url=https://example.org/prom\n")
			},
			file: datasourceFile, at: url, message: []string{"answers below /prom, the url leads to /"}, fix: url + "/prom",
		},
		{
			name: "a variable that nothing sets", edit: to("http://$PROMETHEUS_HOST:9090"),
			file: datasourceFile, at: "http://$PROMETHEUS_HOST", message: []string{"has no host"},
		},
		{
			name: "an agent",
			edit: func(f *fixture) {
				f.replace(composeFile, "      - --storage.tsdb.path=/prometheus\n", "      - --storage.agent.path=/prometheus\n      - --agent\n")
			},
			file: datasourceFile, at: url, message: []string{"answers no query"},
		},
		{
			name: "no network in common",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana", "    networks: [front]\n    image: grafana/grafana").
					replace(composeFile, "volumes:\n  prometheus-data:", "networks:\n  front:\n\nvolumes:\n  prometheus-data:")
			},
			file: datasourceFile, at: url, message: []string{"no network in common"},
		},
		{
			name: "a profile that Grafana does without",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: prom/prometheus:v3.15.0\n", "    image: prom/prometheus:v3.15.0\n    profiles: [metrics]\n")
			},
			file: datasourceFile, at: url, message: []string{"only with profile metrics"},
		},
		{name: "a host elsewhere", edit: to("https://prometheus.lan")},
		{name: "an address elsewhere", edit: to("http://10.0.0.7:9090")},
		{name: "localhost without a compose file", edit: func(f *fixture) { noCompose(f); to("http://localhost:9090")(f) }},
		{
			name: "localhost where Grafana is in the host's network",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana", "    network_mode: host\n    image: grafana/grafana").
					replace(composeFile, "    ports:\n      - \"${GRAFANA_PORT:-3000}:3000\"\n", "")
				to("http://localhost:9090")(f)
			},
		},
		{
			name: "a host that extra_hosts gives",
			edit: func(f *fixture) {
				f.replace(composeFile, "    image: grafana/grafana", "    extra_hosts: [\"metrics:10.0.0.7\"]\n    image: grafana/grafana")
				to("http://metrics:9090")(f)
			},
		},
		{
			name: "another plugin's url",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "type: prometheus", "type: loki")
				to("http://localhost:3100")(f)
			},
		},
	})
}

func TestListenPort(t *testing.T) {
	for _, c := range []struct {
		command []string
		want    int
	}{
		{nil, 9090},
		{[]string{"--web.listen-address=:9091"}, 9091},
		{[]string{"--web.listen-address", "0.0.0.0:9092"}, 9092},
		{[]string{"--web.listen-address=[::]:9093"}, 9093},
		{[]string{"--web.listen-address=nonsense"}, 9090},
	} {
		assert.Equal(t, c.want, (&stack.Service{Command: c.command}).ListenPort(), c.command)
	}
}

func TestDatasourceURLUnreachableByGrafana(t *testing.T) {
	for _, c := range []struct {
		name, url, why string
		down           bool
		want           []expected
	}{
		{name: "reached"},
		{name: "no such host", why: `Get "http://prometheus:9090": dial tcp: lookup prometheus on 127.0.0.11:53: no such host`,
			want: []expected{{file: datasourceFile, at: "http://prometheus:9090", says: "reaches no server at http://prometheus:9090, nothing in its network has that name", evidence: "127.0.0.11:53: no such host", fix: "extra_hosts"}}},
		{name: "a host outside", url: "http://prometheus.example.org:9090", why: "dial tcp: lookup prometheus.example.org: no such host",
			want: []expected{{file: datasourceFile, at: "http://prometheus.example.org:9090", says: "nothing in its network has that name", fix: "set url: http://prometheus:9090"}}},
		{name: "refused", why: "dial tcp 172.18.0.2:9090: connect: connection refused", want: []expected{{file: datasourceFile, says: "nothing listens on that port"}}},
		{name: "words of no kind", why: "EOF", want: []expected{{file: datasourceFile, says: "reaches no server"}}},
		{name: "what the files say", url: "http://localhost:9090", why: "connection refused"},
		{name: "Prometheus is down", why: "connection refused", down: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.url != "" {
				f.replace(datasourceFile, "http://prometheus:9090", c.url)
			}
			in := f.served(nil)
			in.Unreachable = map[string]string{"prometheus": c.why}
			if c.down {
				in.Instance.Faults = []env.Fault{{Role: env.RolePrometheus}}
			}
			f.expect(datasourceURLUnreachable().Live(in), c.want)
		})
	}
}
