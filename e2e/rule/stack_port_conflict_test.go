package rule

import "testing"

func TestStackPortConflict(t *testing.T) {
	const grafana = `"${GRAFANA_PORT:-3000}:3000"`
	to := func(port string) func(*fixture) {
		return func(f *fixture) { f.replace(composeFile, grafana, port) }
	}
	runFileCases(t, stackPortConflict(), []fileCase{
		{
			name: "two services on one port", edit: to(`"9090:3000"`),
			file: composeFile, at: `"9090:3000"`,
			message:  []string{`"prometheus"`, `"grafana"`, "port 9090"},
			evidence: "publishes it at " + composeFile + ":17:9", fix: `"9091:3000"`,
		},
		{
			name: "on all addresses and on one", edit: to(`"127.0.0.1:9090:3000"`),
			file: composeFile, at: `"127.0.0.1:9090:3000"`, message: []string{"port 9090"},
		},
		{
			name: "a service of a profile and one that is always there", edit: to(`"8002:3000"`),
			file: composeFile, at: `"${DEMO_ADDRESS:-0.0.0.0}:8002:8002"`, message: []string{`"triton"`}, fix: `"8003:8002"`,
		},
		{
			name: "one service twice", edit: to("\"3000:3000\"\n      - \"3000:3001\""),
			file: composeFile, at: `"3000:3001"`, message: []string{`"grafana"`, "twice"},
		},
		{
			name: "by default of a variable",
			edit: func(f *fixture) { f.write(".env", "GRAFANA_PORT=9090\n") },
			file: composeFile, at: grafana, message: []string{"port 9090"},
		},
		{name: "another protocol", edit: to(`"9090:3000/udp"`)},
		{
			name: "two addresses",
			edit: func(f *fixture) {
				f.replace(composeFile, grafana, `"127.0.0.1:9090:3000"`).
					replace(composeFile, `"${PROMETHEUS_PORT:-9090}:9090"`, `"127.0.0.2:9090:9090"`)
			},
		},
		{
			name: "profiles that are alternatives",
			edit: func(f *fixture) {
				f.replace(composeFile, "  triton:\n    profiles: [demo]", "  triton:\n    profiles: [cpu]").
					replace(composeFile, `"${DEMO_ADDRESS:-0.0.0.0}:9400:9400"`, `"8002:9400"`)
			},
		},
		{name: "an ephemeral port", edit: to(`"3000"`)},
		{name: "no compose file", edit: noCompose},
	})
}

// A port that the stack itself may have is for information; one that another has
// keeps it from starting here.
func TestStackPortConflictOnThisHost(t *testing.T) {
	f := shipped(t)
	in := f.live()
	s := in.Stack.Prometheus.Service
	for _, c := range []struct {
		taken TakenPort
		want  expected
	}{
		{TakenPort{Holder: "prometheus"}, expected{severity: Info, says: "is taken on this host", evidence: "by prometheus", fix: "unless that is this stack itself"}},
		{TakenPort{Sure: true, Holder: "container other"}, expected{severity: Error, says: `port 9090, which service "prometheus" publishes, is taken on this host by container other`, fix: "another one"}},
		{TakenPort{Sure: true}, expected{severity: Error, says: "by another program"}},
	} {
		c.taken.Service, c.taken.Port, c.want.file = s, s.Ports[0], composeFile
		in.TakenPorts = []TakenPort{c.taken}
		f.expect(stackPortConflict().Live(in), []expected{c.want})
	}
}
