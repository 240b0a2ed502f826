package containers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/stack"
)

func triton(address string) embedded.Line { return embedded.Line{Address: address, Fake: "triton"} }

func TestLay(t *testing.T) {
	prometheus := &stack.Service{Name: "prometheus", Networks: []string{"back"}, Ports: []stack.Port{{Published: 9999, Target: 9090}}}
	grafana := &stack.Service{Name: "grafana", Networks: []string{"back", "front"}, ExtraHosts: map[string]string{"the-host": "host-gateway", "db": "10.0.0.1"}}
	both := []*stack.Service{grafana, prometheus}
	elsewhere := &stack.Service{Name: "far-exporter", Networks: []string{"aside"}}
	beside := &stack.Service{Name: "near-exporter", Networks: []string{"aside", "back"}}
	tests := map[string]struct {
		lines   []embedded.Line
		check   func(t *testing.T, l *layout)
		wantErr string
	}{
		"names lead to the fakes from every network": {
			lines: []embedded.Line{triton("GPU-01.lan:8002"), {Address: "gpu-01.lan:9400", Fake: "dcgm"}},
			check: func(t *testing.T, l *layout) {
				assert.Contains(t, l.host.aliases["back"], "gpu-01.lan")
				assert.Contains(t, l.host.aliases["front"], "gpu-01.lan")
				assert.Equal(t, []plan.Route{{Host: "GPU-01.lan:8002", Exporter: "triton", Instance: "GPU-01.lan:8002"}}, l.host.listeners[8002].Routes)
				assert.Len(t, l.host.listeners[9400].Routes, 1)
				assert.Empty(t, l.near)
			},
		},
		"two hosts share a port": {
			lines: []embedded.Line{triton("a:8002"), triton("b:8002")},
			check: func(t *testing.T, l *layout) { assert.Len(t, l.host.listeners[8002].Routes, 2) },
		},
		"the machine itself, by every name that leads to it": {
			check: func(t *testing.T, l *layout) {
				assert.Subset(t, l.host.aliases["back"], []string{"host.docker.internal", "the-host"})
				assert.NotContains(t, l.host.aliases["back"], "db")
				assert.Equal(t, "prometheus:9090", l.host.listeners[9999].Forward)
			},
		},
		"an address that is an IP is taken beside Prometheus": {
			lines: []embedded.Line{triton("10.1.2.3:8002"), triton("[fd00::7]:8002")},
			check: func(t *testing.T, l *layout) {
				near := l.near["prometheus"]
				require.NotNil(t, near)
				assert.Equal(t, []string{"10.1.2.3", "fd00::7"}, near.addresses)
				assert.Len(t, near.listeners[8002].Routes, 2)
				assert.Empty(t, l.host.addresses)
				assert.NotContains(t, l.host.aliases["back"], "10.1.2.3")
			},
		},
		"where nobody answers, connections are refused rather than let out": {
			lines: []embedded.Line{{Address: "elsewhere:1234"}, {Address: "10.9.9.9:1234"}},
			check: func(t *testing.T, l *layout) {
				assert.Contains(t, l.host.aliases["back"], "elsewhere")
				assert.Nil(t, l.host.listeners[1234])
				assert.Equal(t, []string{"10.9.9.9"}, l.near["prometheus"].addresses)
			},
		},
		"Prometheus' own loopback is left to itself": {
			lines: []embedded.Line{{Address: "localhost:9090", Self: true}, {Address: "127.0.0.1:8002"}},
			check: func(t *testing.T, l *layout) { assert.Empty(t, l.near) },
		},
		"Prometheus by a port of the host": {
			lines: []embedded.Line{{Address: "host.docker.internal:9999", Self: true}},
			check: func(t *testing.T, l *layout) { assert.Equal(t, "prometheus:9090", l.host.listeners[9999].Forward) },
		},
		"a server that is scraped keeps its name to itself": {
			lines: []embedded.Line{{Address: "grafana:3000"}, {Address: "prometheus:9100", Fake: "node"}},
			check: func(t *testing.T, l *layout) {
				assert.NotContains(t, l.host.aliases["back"], "grafana")
				assert.NotContains(t, l.host.aliases["back"], "prometheus")
				assert.Nil(t, l.host.listeners[9100])
			},
		},
		"a service is reached on its own networks alone": {
			lines: []embedded.Line{{Address: "far-exporter:9100", Fake: "node"}, {Address: "near-exporter:9100", Fake: "node"}},
			check: func(t *testing.T, l *layout) {
				assert.Contains(t, l.host.aliases["back"], "near-exporter")
				assert.NotContains(t, l.host.aliases["front"], "near-exporter")
				assert.NotContains(t, l.host.aliases["back"], "far-exporter")
			},
		},
		"a live host keeps its name": {
			lines: []embedded.Line{{Address: "host.docker.internal:9100", Live: true}},
			check: func(t *testing.T, l *layout) { assert.NotContains(t, l.host.aliases["back"], "host.docker.internal") },
		},
		"live and faked at one host": {
			lines:   []embedded.Line{{Address: "box:9100", Live: true}, triton("box:8002")},
			wantErr: "both live and answered by a fake",
		},
		"http and https at one port": {
			lines:   []embedded.Line{triton("a:8002"), {Address: "b:8002", Fake: "triton", TLS: true}},
			wantErr: "by http at one host and by https at another",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := lay(tt.lines, prometheus, both, append(both, elsewhere, beside))
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			tt.check(t, l)
		})
	}
}

// In the host's network loopback is the machine, where the exporters are.
func TestLayInTheHostsNetwork(t *testing.T) {
	s := &stack.Service{Name: "prometheus", NetworkHost: true, Ports: []stack.Port{{Published: 9090, Target: 9090}}}
	l, err := lay([]embedded.Line{triton("localhost:8002"), triton("10.1.2.3:8002")}, s, []*stack.Service{s}, nil)
	require.NoError(t, err)
	assert.Empty(t, l.near)
	assert.Len(t, l.host.listeners[8002].Routes, 2)
	assert.Equal(t, []string{"10.1.2.3"}, l.host.addresses)
	assert.Nil(t, l.host.listeners[9090], "what really listens there needs no forwarding")
}

// The host's resolver does not know what compose's network knows.
func TestServicesHaveNoNamesInTheHostsNetwork(t *testing.T) {
	s := &stack.Service{Name: "prometheus", NetworkHost: true}
	exporter := &stack.Service{Name: "triton", Networks: []string{"default"}}
	l, err := lay([]embedded.Line{triton("triton:8002"), triton("gpu-01.lan:8002")}, s, []*stack.Service{s}, []*stack.Service{s, exporter})
	require.NoError(t, err)
	assert.NotContains(t, l.host.aliases["default"], "triton")
	assert.Contains(t, l.host.aliases["default"], "gpu-01.lan")
	require.Len(t, l.host.listeners[8002].Routes, 1)
}

// A server in another's network shares what is beside that.
func TestLayInAnothersNetwork(t *testing.T) {
	grafana := &stack.Service{Name: "grafana"}
	prometheus := &stack.Service{Name: "prometheus", NetworkOf: "grafana"}
	l, err := lay([]embedded.Line{triton("localhost:8002")}, prometheus, []*stack.Service{grafana, prometheus}, nil)
	require.NoError(t, err)
	require.NotNil(t, l.near["grafana"])
	assert.Len(t, l.near["grafana"].listeners[8002].Routes, 1)
	assert.Equal(t, "grafana", ownerOf(prometheus, []*stack.Service{grafana, prometheus}))
}

func TestPlan(t *testing.T) {
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &stack.Service{Name: "prometheus"}
	l, err := lay([]embedded.Line{{Address: "box:8443", Fake: "triton", TLS: true}, triton("box:8002")}, s, []*stack.Service{s}, nil)
	require.NoError(t, err)
	assert.True(t, l.host.usesTLS())
	ca, err := newAuthority()
	require.NoError(t, err)
	p, err := l.host.plan(fakes.NewWorld(scenario, start), ca)
	require.NoError(t, err)
	require.NoError(t, p.Validate())
	assert.Equal(t, start, p.Start)
	require.Len(t, p.Listeners, 2)
	assert.Empty(t, p.Listeners[0].Certificate)
	assert.Contains(t, p.Listeners[1].Certificate, "BEGIN CERTIFICATE")
}
