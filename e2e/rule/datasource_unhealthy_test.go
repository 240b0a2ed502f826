package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
)

func TestDatasourceUnhealthy(t *testing.T) {
	f := shipped(t)
	in := &Live{Static: f.static(), Health: map[string]error{"prometheus": errors.New("server error: 503")}}
	found := datasourceUnhealthy().Live(in)
	require.Len(t, found, 1)
	assert.Equal(t, f.place(datasourceFile, "http://prometheus:9090"), found[0].Pos)
	assert.Contains(t, found[0].Message, `"Prometheus"`)
	assert.Equal(t, []string{"the answer to 1+1: server error: 503"}, found[0].Evidence)
	assert.Contains(t, found[0].Fix, "http://prometheus:9090")

	in.Health = map[string]error{"prometheus": nil, "another": errors.New("not of this stack")}
	assert.Empty(t, datasourceUnhealthy().Live(in))
	in.Health = nil
	assert.Empty(t, datasourceUnhealthy().Live(in))
}

func TestDatasourceUnhealthyByGrafana(t *testing.T) {
	f := shipped(t)
	in := f.served(nil)
	in.Health = map[string]error{"prometheus": errors.New("400 Bad Request -\nThere was an error")}
	f.expect(datasourceUnhealthy().Live(in), []expected{{file: datasourceFile, says: `"Prometheus" fails`, evidence: "Grafana: 400 Bad Request - There was an error"}})
	in.Served.Datasources = nil // datasource/invalid says so
	f.expect(datasourceUnhealthy().Live(in), nil)
	in = f.served(nil)
	in.Health = map[string]error{"prometheus": errors.New("502")}
	in.Instance.Faults = []env.Fault{{Role: env.RolePrometheus}}
	f.expect(datasourceUnhealthy().Live(in), nil)
}
