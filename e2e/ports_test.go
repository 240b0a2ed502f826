package e2e

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

func TestTakenPortIsToldAndNoFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	port := l.Addr().(*net.TCPAddr).Port
	t.Setenv("GRAFANA_PORT", strconv.Itoa(port))
	r := verify(t, shippedDir, Options{})
	assert.Empty(t, errorsOf(r))
	for _, f := range r.Findings {
		if f.Rule == "stack/port-conflict" {
			assert.Equal(t, rule.Info, f.Severity)
			assert.Contains(t, f.Message, strconv.Itoa(port))
			return
		}
	}
	t.Error("nothing says that the port is taken")
}

func TestTakenPortsPassesOverProfiles(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	port := stack.Port{Published: l.Addr().(*net.TCPAddr).Port}
	s := &stack.Stack{Compose: &stack.Compose{Services: []*stack.Service{
		{Name: "demo", Profiles: []string{"demo"}, Ports: []stack.Port{port}},
		{Name: "ephemeral", Ports: []stack.Port{{}}},
		{Name: "udp", Ports: []stack.Port{{Published: port.Published, Protocol: "udp"}}},
		{Name: "grafana", Ports: []stack.Port{port}},
	}}}
	taken := takenPorts(t.Context(), s, env.Instance{})
	require.Len(t, taken, 1)
	assert.Equal(t, "grafana", taken[0].Service.Name)
}
