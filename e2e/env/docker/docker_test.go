package docker

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	testengine "github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/internal/leak"
	"github.com/panelgate/panelgate/stack"
)

func TestMain(m *testing.M) {
	Prepare()
	leak.Main(m)
}

// options start the shipped stack with the test images, and skip the test where that
// cannot be.
func options(t *testing.T) (*stack.Stack, containers.Options) {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are left out with -short")
	}
	prometheus, grafana := testengine.Servers(t)
	s, err := stack.Load(t.Context(), "../../../stack")
	require.NoError(t, err)
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	return s, containers.Options{
		Past:   embedded.Options{Scenario: scenario, History: time.Hour, OwnLoopback: true},
		Images: containers.Images{Override: map[string]string{"prometheus": prometheus, "grafana": grafana}},
	}
}

func TestStart(t *testing.T) {
	s, opts := options(t)
	t.Setenv("TMPDIR", t.TempDir())
	opts = on(opts)
	var e *engine
	connect := opts.Connect
	opts.Connect = func(ctx context.Context, logger *slog.Logger, keeper string) (containers.Engine, error) {
		made, err := connect(ctx, logger, keeper)
		e, _ = made.(*engine)
		return made, err
	}
	running, err := containers.Start(t.Context(), s, opts)
	require.NoError(t, err)
	defer func() { require.NoError(t, running.Close()) }()
	i := running.Instance()

	assert.Empty(t, i.Faults)
	assert.Len(t, i.Targets, 3)
	for _, target := range i.Targets {
		assert.True(t, target.Up, "%s: %s", target.URL, target.Error)
		assert.NotZero(t, target.Pos.Line, target.URL)
	}
	assert.WithinDuration(t, time.Now(), i.Now, time.Minute)
	assert.WithinDuration(t, i.From.Add(time.Hour), i.Laid, time.Minute)
	require.NotNil(t, i.Grafana)
	boards, err := i.Grafana.Dashboards(t.Context())
	require.NoError(t, err)
	assert.Len(t, boards, 1)
	require.NoError(t, i.Died(t.Context()))
	lines, err := i.Log(t.Context(), env.RolePrometheus)
	require.NoError(t, err)
	assert.NotEmpty(t, lines)

	t.Run("only loopback is listened on", func(t *testing.T) {
		published := 0
		for _, c := range e.containers {
			info, err := e.api.ContainerInspect(t.Context(), c.ID, client.ContainerInspectOptions{})
			require.NoError(t, err)
			for port, bindings := range info.Container.NetworkSettings.Ports {
				for _, b := range bindings {
					published++
					assert.True(t, b.HostIP.IsLoopback(), "%s publishes %s on %s", c.name, port, b.HostIP)
				}
			}
		}
		assert.GreaterOrEqual(t, published, 2, "Prometheus and Grafana are asked by them")
	})
	t.Run("volumes can be found again", func(t *testing.T) {
		mounted := 0
		for _, c := range e.containers {
			info, err := e.api.ContainerInspect(t.Context(), c.ID, client.ContainerInspectOptions{})
			require.NoError(t, err)
			for _, m := range info.Container.Mounts {
				v, err := e.api.VolumeInspect(t.Context(), m.Name, client.VolumeInspectOptions{})
				require.NoError(t, err)
				assert.Equal(t, e.run, v.Volume.Labels[runLabel], "the volume of %s at %s", c.name, m.Destination)
				mounted++
			}
		}
		assert.NotZero(t, mounted)
	})
	t.Run("the true configuration is back", func(t *testing.T) {
		client, err := api.NewClient(api.Config{Address: i.PrometheusURL})
		require.NoError(t, err)
		config, err := promv1.NewAPI(client).Config(t.Context())
		require.NoError(t, err)
		assert.Contains(t, config.YAML, "scrape_interval: 15s")
		assert.NotContains(t, config.YAML, "500ms")
	})
	t.Run("a port of a container is known by its name", func(t *testing.T) {
		at := slices.IndexFunc(e.containers, func(c *container) bool { return c.name == s.Grafana.Service.Name })
		require.GreaterOrEqual(t, at, 0)
		port, err := e.containers[at].MappedPort(t.Context(), "3000/tcp")
		require.NoError(t, err)
		name, itself := i.Holder(t.Context(), s.Grafana.Service, int(port.Num()))
		assert.Contains(t, name, "container ")
		assert.False(t, itself)
		name, itself = i.Holder(t.Context(), s.Grafana.Service, 1)
		assert.Empty(t, name)
		assert.False(t, itself)
	})

	require.NoError(t, running.Close())
	require.NoError(t, running.Close(), "closing again does nothing")
	left, err := testengine.Labelled(runLabel + "=" + e.run)
	require.NoError(t, err)
	assert.Empty(t, left)
	files, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, files)
}

// Two runs in one process share nothing.
func TestStartTwice(t *testing.T) {
	s, opts := options(t)
	var g errgroup.Group
	for range 2 {
		g.Go(func() error {
			running, err := Start(t.Context(), s, opts)
			if err != nil {
				return err
			}
			return running.Close()
		})
	}
	require.NoError(t, g.Wait())
}

// A server that ends instead of coming up is a fault of the stack, not of the run.
func TestServersThatEnd(t *testing.T) {
	s, opts := options(t)
	s.Prometheus.Service.Command = append(s.Prometheus.Service.Command, "--no-such-flag")
	s.Grafana.Service.Command = []string{"no-such-command"}
	running, err := Start(t.Context(), s, opts)
	require.NoError(t, err)
	defer func() { require.NoError(t, running.Close()) }()
	i := running.Instance()
	require.Len(t, i.Faults, 2)
	assert.Empty(t, i.PrometheusURL)
	assert.Nil(t, i.Grafana)
	assert.True(t, i.GrafanaDown)
	for _, f := range i.Faults {
		assert.NotZero(t, f.ExitCode)
		assert.NotEmpty(t, f.Log, f.Role)
		require.NotNil(t, f.Service, f.Role)
	}
	require.NoError(t, i.Died(t.Context()), "they never were up")
}
