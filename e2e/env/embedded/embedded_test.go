package embedded_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// patience bounds a test that waits for something that never comes.
const patience = time.Minute

const threeJobs = `
global: {scrape_interval: 15s, evaluation_interval: 15s}
scrape_configs:
  - job_name: triton
    static_configs: [{targets: ["triton:8002"]}]
  - job_name: dcgm
    static_configs: [{targets: ["gpu-host:9400"], labels: {rack: r1}}]
  - job_name: node
    static_configs: [{targets: ["gpu-host:9100"]}]
`

// load reads a stack that has these files.
func load(t testing.TB, files map[string]string) *stack.Prometheus {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, "prometheus", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	require.NotNil(t, s.Prometheus, "%v", s.Problems)
	return s.Prometheus
}

func steady(t testing.TB) *fakes.Scenario {
	t.Helper()
	sc, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	return sc
}

// start brings a prometheus.yml up and takes it down when the test ends.
func start(t testing.TB, prometheusYML string, opts embedded.Options) env.Instance {
	t.Helper()
	return startFiles(t, map[string]string{"prometheus.yml": prometheusYML}, opts)
}

func startFiles(t testing.TB, files map[string]string, opts embedded.Options) env.Instance {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if opts.Scenario == nil {
		opts.Scenario = steady(t)
	}
	e, err := embedded.Start(ctx, load(t, files), opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e.Instance()
}

func client(t testing.TB, i env.Instance) v1.API {
	t.Helper()
	c, err := api.NewClient(api.Config{Address: i.PrometheusURL})
	require.NoError(t, err)
	return v1.NewAPI(c)
}

// instant asks a query as of a time.
func instant(t testing.TB, i env.Instance, query string, at time.Time) model.Vector {
	t.Helper()
	v, _, err := client(t, i).Query(t.Context(), query, at)
	require.NoError(t, err, query)
	return v.(model.Vector)
}

func byJob(i env.Instance) map[string]env.Target {
	out := map[string]env.Target{}
	for _, target := range i.Targets {
		out[target.Job] = target
	}
	return out
}

func TestThreeJobsAreUp(t *testing.T) {
	i := start(t, threeJobs, embedded.Options{History: time.Hour})
	require.Len(t, i.Targets, 3)
	for job, want := range map[string]struct{ by, address, instance string }{
		"triton": {"triton", "triton:8002", "triton:8002"},
		"dcgm":   {"dcgm", "gpu-host:9400", "gpu-host:9400"},
		"node":   {"node", "gpu-host:9100", "gpu-host:9100"},
	} {
		got := byJob(i)[job]
		assert.True(t, got.Up, "%s: %s", job, got.Error)
		assert.Equal(t, want.by, got.AnsweredBy)
		assert.Equal(t, want.address, got.Address)
		assert.Equal(t, want.instance, got.Instance)
		up := instant(t, i, `up{job="`+job+`"}`, i.Now)
		require.Len(t, up, 1)
		assert.Equal(t, model.SampleValue(1), up[0].Value)
		assert.Equal(t, want.instance, string(up[0].Metric["instance"]))
	}
	assert.Equal(t, "r1", byJob(i)["dcgm"].Labels["rack"])
}
