package docker_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/internal/engine"
	"github.com/panelgate/panelgate/stack"
)

// The files of the shipped stack that revisions differ in.
const (
	upgradeCompose     = "docker-compose.yml"
	upgradePrometheus  = "prometheus/prometheus.yml"
	upgradeDatasources = "grafana/provisioning/datasources/prometheus.yaml"
	upgradeProviders   = "grafana/provisioning/dashboards/dashboards.yaml"
	upgradeBoard       = "grafana/provisioning/dashboards/boards/triton.json"
)

// revision is a copy of the shipped stack as it is at some time.
type revision struct {
	t    *testing.T
	path string
}

func newRevision(t *testing.T) *revision {
	t.Helper()
	r := &revision{t, t.TempDir()}
	for _, name := range []string{upgradeCompose, upgradePrometheus, upgradeDatasources, upgradeProviders, upgradeBoard} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "stack", name))
		require.NoError(t, err)
		r.write(name, string(data))
	}
	return r
}

func (r *revision) write(name, content string) {
	r.t.Helper()
	file := filepath.Join(r.path, name)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(r.t, os.WriteFile(file, []byte(content), 0o644))
}

// replace edits a file: every occurrence of old, which must be there.
func (r *revision) replace(name, old, with string) {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.path, name))
	require.NoError(r.t, err)
	require.Contains(r.t, string(data), old)
	r.write(name, strings.ReplaceAll(string(data), old, with))
}

func (r *revision) load() *stack.Stack {
	r.t.Helper()
	s, err := stack.Load(r.t.Context(), r.path)
	require.NoError(r.t, err)
	return s
}

// runs remembers what the runs of a test call themselves.
type runs struct {
	slog.Handler
	mu  sync.Mutex
	ids []string
}

func (r *runs) Enabled(context.Context, slog.Level) bool { return true }

func (r *runs) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "run" {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ids = append(r.ids, a.Value.String())
		}
		return true
	})
	return nil
}

func (r *runs) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *runs) WithGroup(string) slog.Handler      { return r }

// gone wants that the engine has nothing of any of the runs.
func (r *runs) gone(t *testing.T) {
	t.Helper()
	require.NotEmpty(t, r.ids, "no run has said its name")
	for _, id := range r.ids {
		left, err := engine.Labelled("org.panelgate.run=" + id)
		require.NoError(t, err)
		assert.Empty(t, left, "of run %s", id)
	}
}

// upgrade starts a revision and a newer one on what it keeps.
func upgrade(ctx context.Context, t *testing.T, older, newer *revision, progress func(stage string)) (env.Env, *runs, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short runs no containers")
	}
	prometheus, grafana := engine.Servers(t)
	docker.Prepare()
	scenario, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	seen := &runs{}
	opts := containers.Options{
		Past: embedded.Options{Scenario: scenario, History: 10 * time.Minute, Logger: slog.New(seen),
			Progress: func(stage string, _, _ int) { progress(stage) }},
		Images: containers.Images{Override: map[string]string{"prometheus": prometheus, "grafana": grafana}},
	}
	e, err := docker.Upgrade(ctx, containers.Revision{Stack: older.load(), Past: opts.Past}, newer.load(), opts)
	return e, seen, err
}

// started is upgrade where that has to work.
func started(t *testing.T, older, newer *revision) (env.Instance, func()) {
	t.Helper()
	e, seen, err := upgrade(t.Context(), t, older, newer, func(string) {})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e.Instance(), func() {
		t.Helper()
		require.NoError(t, e.Close())
		seen.gone(t)
	}
}

func datasources(t *testing.T, i env.Instance) map[string]string {
	t.Helper()
	require.NotNil(t, i.Grafana)
	t.Cleanup(i.Grafana.Close)
	list, err := i.Grafana.Datasources(t.Context())
	require.NoError(t, err)
	out := map[string]string{}
	for _, d := range list {
		out[d.UID] = d.Name
	}
	return out
}

// series counts the series of a query, asked as of a time.
func series(t *testing.T, i env.Instance, query string, at time.Time) int {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := api.NewClient(api.Config{Address: i.PrometheusURL, RoundTripper: transport})
	require.NoError(t, err)
	v, _, err := promv1.NewAPI(c).Query(t.Context(), query, at)
	require.NoError(t, err)
	vector, ok := v.(model.Vector)
	require.True(t, ok)
	return len(vector)
}

// otherDatasource is provisioned by the older revision alone: where it is there
// afterwards, the database is the older one's.
const otherDatasource = "datasources:\n  - {name: Other, uid: other, type: prometheus, access: proxy, url: 'http://prometheus:9090'}"

func TestUpgradeGoesOnWithWhatWasKept(t *testing.T) {
	for name, edit := range map[string]func(older, newer *revision){
		"named volumes": func(_, _ *revision) {},
		"a directory, and a path that moved": func(o, n *revision) {
			o.replace(upgradeCompose, "- grafana-data:/var/lib/grafana", "- ./data:/var/lib/grafana")
			n.replace(upgradeCompose, "- grafana-data:/var/lib/grafana", "- ./data:/var/grafana")
			n.replace(upgradeCompose, "GF_USERS_ALLOW_SIGN_UP:", "GF_PATHS_DATA: /var/grafana\n      GF_SECURITY_ADMIN_USER: someone\n      GF_USERS_ALLOW_SIGN_UP:")
			n.replace(upgradeCompose, "      GF_SECURITY_ADMIN_USER: ${GF_SECURITY_ADMIN_USER:-admin}\n", "")
			n.replace(upgradeCompose, "prometheus-data:/prometheus", "prometheus-data:/tsdb")
			n.replace(upgradeCompose, "--storage.tsdb.path=/prometheus", "--storage.tsdb.path=/tsdb")
		},
		"no volume": func(o, n *revision) {
			for _, r := range []*revision{o, n} {
				r.replace(upgradeCompose, "      - grafana-data:/var/lib/grafana\n", "      - ./grafana/provisioning/dashboards/boards:/var/lib/grafana/boards\n")
				r.replace(upgradeCompose, "      - prometheus-data:/prometheus\n", "      - /prometheus\n")
			}
			o.write("grafana/provisioning/dashboards/boards/old.json", `{"uid": "old", "title": "Old", "panels": []}`)
			for _, r := range []*revision{o, n} {
				r.replace(upgradeProviders, "path: /etc/grafana/provisioning/dashboards/boards", "path: /var/lib/grafana/boards")
				r.replace(upgradeProviders, "disableDeletion: true", "disableDeletion: false")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			older, newer := newRevision(t), newRevision(t)
			older.replace(upgradeDatasources, "datasources:", otherDatasource)
			newer.replace(upgradePrometheus, "scrape_configs:", "scrape_configs:\n  - job_name: added\n    static_configs: [{targets: [\"added:9100\"]}]")
			edit(older, newer)
			i, closed := started(t, older, newer)
			require.Empty(t, i.Faults)
			require.NotNil(t, i.Before)
			assert.Empty(t, i.Before.Left)
			assert.Len(t, i.Before.Datasources, 2)
			assert.Equal(t, map[string]string{"prometheus": "Prometheus", "other": "Other"}, datasources(t, i))
			hits, err := i.Grafana.Dashboards(t.Context())
			require.NoError(t, err)
			assert.Len(t, hits, 1, "a file that was mounted into the data's directory is not there any more")
			assert.Equal(t, 1, series(t, i, `up{job="triton"} == 1`, i.From.Add(5*time.Minute)), "the past is there")
			assert.Equal(t, 1, series(t, i, `up{job="triton"} == 1`, i.Now))
			assert.Equal(t, 1, series(t, i, `count_over_time(up{job="added"}[1m]) >= 2`, i.Now.Add(time.Second)), "what has no past is scraped until a rate has data")
			closed()
		})
	}
}

func TestUpgradeLeavesRenamedVolumesBehind(t *testing.T) {
	older, newer := newRevision(t), newRevision(t)
	older.replace(upgradeDatasources, "datasources:", otherDatasource)
	newer.replace(upgradeCompose, "grafana-data:", "grafana-state:")
	newer.replace(upgradeCompose, "prometheus-data:/", "metrics:/")
	newer.replace(upgradeCompose, "  prometheus-data:\n", "  metrics:\n")
	i, closed := started(t, older, newer)
	require.Empty(t, i.Faults)
	require.Len(t, i.Before.Left, 2)
	assert.Equal(t, env.RolePrometheus, i.Before.Left[0].Role)
	assert.Equal(t, `volume "prometheus-data"`, i.Before.Left[0].Was)
	assert.Equal(t, `volume "metrics"`, i.Before.Left[0].Is)
	assert.Equal(t, env.RoleGrafana, i.Before.Left[1].Role)
	assert.Equal(t, upgradeCompose, i.Before.Left[1].Pos.File)
	assert.Equal(t, map[string]string{"prometheus": "Prometheus"}, datasources(t, i))
	assert.Equal(t, 1, series(t, i, `up{job="triton"} == 1`, i.From.Add(5*time.Minute)), "panels are asked all the same")
	closed()
}

func TestUpgradeTellsTheDataFromTheRevision(t *testing.T) {
	older, newer := newRevision(t), newRevision(t)
	newer.replace(upgradeDatasources, "name: Prometheus", "name: Metrics")
	newer.replace(upgradeCompose, "- --storage.tsdb.path=/prometheus", "- --no-such-flag")
	i, closed := started(t, older, newer)
	require.Len(t, i.Faults, 2)
	for _, f := range i.Faults {
		assert.Equal(t, f.Role == env.RoleGrafana, f.OnOldData, "%s: %s", f.Role, f.Log)
	}
	closed()
}

func TestUpgradeFromWhatDoesNotStart(t *testing.T) {
	older, newer := newRevision(t), newRevision(t)
	older.replace(upgradeDatasources, "type: prometheus", "type: prometheus\n    orgId: many")
	older.replace(upgradeCompose, "- --storage.tsdb.path=/prometheus", "- --no-such-flag")
	_, seen, err := upgrade(t.Context(), t, older, newer, func(string) {})
	require.ErrorContains(t, err, "the older revision does not start")
	require.ErrorContains(t, err, "no-such-flag", "its log says why")
	seen.gone(t)
}

func TestUpgradeInterrupted(t *testing.T) {
	for _, at := range []string{"scrape", "stopping the older revision"} {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, seen, err := upgrade(ctx, t, newRevision(t), newRevision(t), func(stage string) {
				if stage == at {
					cancel()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			seen.gone(t)
		})
	}
}
