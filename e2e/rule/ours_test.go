package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestElsewhere(t *testing.T) {
	const grafanaPorts = "      - \"${GRAFANA_PORT:-3000}:3000\"\n"
	url := func(u string) func(*fixture) {
		return func(f *fixture) { f.replace(datasourceFile, "http://prometheus:9090", u) }
	}
	hosts := func(name, at string) func(*fixture) {
		return func(f *fixture) {
			f.replace(composeFile, grafanaPorts, grafanaPorts+"    extra_hosts: [\""+name+":"+at+"\"]\n")
		}
	}
	all := func(edits ...func(*fixture)) func(*fixture) {
		return func(f *fixture) {
			for _, e := range edits {
				e(f)
			}
		}
	}
	for _, c := range []struct {
		name string
		edit func(*fixture)
		want string // where it leads, "" for the stack's own
	}{
		{name: "the service", edit: url("http://prometheus:9090")},
		{name: "a host elsewhere", edit: url("http://mimir.example.internal:9009"), want: "mimir.example.internal:9009"},
		{name: "another Prometheus of the compose file", edit: all(url("http://other:9090"), func(f *fixture) {
			f.replace(composeFile, "\n  grafana:\n", "\n  other:\n    image: prom/prometheus:v3.15.0\n\n  grafana:\n")
		}), want: "other:9090"},
		{name: "no compose file tells", edit: all(url("http://mimir.example.internal:9009"), noCompose)},
		{name: "the host, where Prometheus is published", edit: all(url("http://host.docker.internal:9090"), hosts("host.docker.internal", "host-gateway"))},
		{name: "the host, where something else is", edit: all(url("http://host.docker.internal:9009"), hosts("host.docker.internal", "host-gateway")), want: "host.docker.internal:9009"},
		{name: "a name for the host", edit: all(url("http://box:9090"), hosts("box", "host-gateway"))},
		{name: "a name for a host elsewhere", edit: all(url("http://box:9009"), hosts("box", "192.168.1.9")), want: "box:9009"},
		{name: "a private address with the published port may be this host", edit: url("http://192.168.1.9:9090")},
		{name: "a private address with another port", edit: url("http://192.168.1.9:9009"), want: "192.168.1.9:9009"},
		{name: "a public address", edit: url("http://203.0.113.9:9090"), want: "203.0.113.9:9090"},
		{name: "Grafana in the host's network", edit: all(url("http://localhost:9090"), func(f *fixture) {
			f.replace(composeFile, grafanaPorts, grafanaPorts+"    network_mode: host\n")
		})},
		{name: "a url that leads nowhere has a rule of its own", edit: url("http://localhost:9090")},
		{name: "and a misspelt name", edit: url("http://promethues:9090")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			c.edit(f)
			s := f.static().Stack
			require.Len(t, s.Datasources, 1)
			assert.Equal(t, c.want, Elsewhere(s, s.Datasources[0]))
		})
	}
}

func TestElsewhereQuestions(t *testing.T) {
	in := shipped(t).replace(datasourceFile, "http://prometheus:9090", "http://mimir.example.internal:9009").static()
	require.NotEmpty(t, in.Boards[0].Questions)
	for _, q := range in.Boards[0].Questions {
		assert.True(t, q.Unchecked)
		assert.Equal(t, "its url leads to mimir.example.internal:9009, which this environment does not run", q.Skip)
		assert.False(t, q.Asks())
	}
	for _, r := range All() {
		if r.Static == nil {
			continue
		}
		for _, f := range complete(r, nil, r.Static)(in) {
			assert.LessOrEqual(t, f.Severity, Info, "%s: %s", f.Rule, f.Message)
		}
	}
}
