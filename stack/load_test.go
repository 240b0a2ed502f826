package stack

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/discovery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack/source"
)

func problems(s *Stack) []string {
	var out []string
	for _, p := range s.Problems {
		out = append(out, p.Error())
	}
	return out
}

// placed is a text and where it stands, as "file:line:col value".
func placed(t source.Text) string { return t.Pos.String() + " " + t.Value }

func TestLoadShipped(t *testing.T) {
	s := load(t, filepath.Join(material.ModuleRoot(t), "stack"))
	require.Empty(t, problems(s))

	require.NotNil(t, s.Prometheus)
	assert.Equal(t, "prometheus/prometheus.yml", s.Prometheus.File)
	assert.Equal(t, "/etc/prometheus/prometheus.yml", s.Prometheus.ContainerPath)
	assert.False(t, s.Prometheus.ByConvention)
	ports := map[string]string{}
	for _, j := range s.Prometheus.Jobs {
		require.NotEmpty(t, j.Targets, j.Name.Value)
		_, port, _ := strings.Cut(j.Targets[0].Address.Value, ":")
		ports[j.Name.Value] = port
	}
	assert.Equal(t, map[string]string{"triton": "8002", "dcgm": "9400", "node": "9100"}, ports)

	require.NotNil(t, s.Grafana)
	assert.NotEmpty(t, s.Grafana.Version)
	require.Len(t, s.Datasources, 1)
	ds := s.Datasources[0]
	assert.Equal(t, "prometheus", ds.EffectiveUID)
	assert.Equal(t, s.Prometheus.ScrapeInterval.String(), ds.TimeInterval.Value)
	require.NotEmpty(t, s.Dashboards)
	assert.Equal(t, "triton", s.Dashboards[0].UID.Value)
	assert.NotEmpty(t, s.Dashboards[0].Panels)
}

func TestLoadCorpusStack(t *testing.T) {
	s := load(t, material.Path(t, "corpus", "stacks", "triton-mlops-deployment", "configs"))
	require.Empty(t, problems(s))
	assert.Equal(t, "prometheus.yml", s.Prometheus.File)
	assert.Equal(t, "grafana", s.Grafana.Service.Name)
	assert.Empty(t, s.Grafana.ProvisioningDir, "only its subfolders are mounted")
	require.Len(t, s.Datasources, 2)
	assert.Equal(t, "Loki", s.Datasources[0].Name.Value)
	assert.Equal(t, "PBFA97CFB590B2093", s.Datasources[1].EffectiveUID)
	require.Len(t, s.Dashboards, 2)
}

func TestLoadCorpusDashboards(t *testing.T) {
	corpus := material.Path(t, "corpus", "dashboards")
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "dashboards"), os.DirFS(corpus)))
	write(t, filepath.Join(dir, "provisioning/dashboards/p.yaml"),
		"apiVersion: 1\nproviders: [{name: p, options: {path: /var/lib/grafana/dashboards, foldersFromFilesStructure: true}}]\n")
	files := 0
	require.NoError(t, filepath.WalkDir(corpus, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".json") {
			files++
		}
		return err
	}))
	require.Positive(t, files)
	s := load(t, dir)
	assert.Empty(t, problems(s))
	assert.Len(t, s.Dashboards, files)
	for _, b := range s.Dashboards {
		assert.Equal(t, filepath.Base(filepath.Dir(b.File)), b.Folder)
	}
}

func TestLoadMinimal(t *testing.T) {
	dir, _ := unpack(t, "minimal.txtar")
	s := load(t, dir)
	require.Empty(t, problems(s))
	assert.Nil(t, s.Compose)

	p := s.Prometheus
	require.NotNil(t, p)
	assert.True(t, p.ByConvention)
	assert.Equal(t, 20*time.Second, p.ScrapeInterval)
	assert.Equal(t, 25*time.Second, p.EvalInterval)
	require.Len(t, p.RuleFiles, 2)
	assert.Equal(t, "rules/a.yml", p.RuleFiles[0].File)
	assert.Equal(t, "rules/more.yaml", p.RuleFiles[1].File, "found where the container would see it")
	require.Len(t, p.RuleFiles[0].Records, 2)
	assert.Equal(t, "rules/a.yml:8:17 job:up:avg", placed(p.RuleFiles[0].Records[1]))

	require.Len(t, p.Jobs, 2)
	app, files := p.Jobs[0], p.Jobs[1]
	assert.Equal(t, "prometheus.yml:6:15 app", placed(app.Name))
	assert.Equal(t, []any{20 * time.Second, 5 * time.Second, "/m", "https"}, []any{app.ScrapeInterval, app.ScrapeTimeout, app.MetricsPath, app.Scheme})
	require.Len(t, app.Targets, 3)
	assert.Equal(t, "prometheus.yml:13:13 other:82", placed(app.Targets[2].Address))
	assert.Equal(t, 5*time.Second, files.ScrapeInterval)
	assert.Equal(t, 5*time.Second, files.ScrapeTimeout, "never longer than the interval")
	assert.Equal(t, []string{"file"}, files.Discoveries)
	require.Len(t, files.Targets, 2)
	assert.Equal(t, "targets/t.json:2:3 f2:90", placed(files.Targets[1].Address))

	require.Len(t, s.Datasources, 2)
	main, byName := s.Datasources[0], s.Datasources[1]
	assert.Equal(t, "grafana/provisioning/datasources/a.yaml:6:12 Main", placed(main.Name))
	assert.Equal(t, []any{int64(2), true, "15s", "GET"}, []any{main.OrgID, main.IsDefault, main.TimeInterval.Value, main.HTTPMethod})
	assert.Equal(t, []any{int64(1), false, "PBFA97CFB590B2093"}, []any{byName.OrgID, byName.IsDefault, byName.EffectiveUID})
	require.Len(t, s.Dashboards, 1)
	assert.Equal(t, "grafana/dashboards/one.json", s.Dashboards[0].File)
}

func TestDatasourceLookUp(t *testing.T) {
	s := &Stack{Datasources: []*Datasource{
		{Name: source.Text{Value: "b"}, EffectiveUID: "a"},
		{Name: source.Text{Value: "a"}, EffectiveUID: "c"},
	}}
	for ref, want := range map[string]int{"a": 0, "b": 0, "c": 1} {
		ds, ok := s.Datasource(ref)
		assert.True(t, ok)
		assert.Same(t, s.Datasources[want], ds, ref)
	}
	for _, ref := range []string{"", "A", "none"} {
		_, ok := s.Datasource(ref)
		assert.False(t, ok, ref)
	}
	assert.Nil(t, s.DefaultDatasource())
	s.Datasources[1].IsDefault = true
	assert.Same(t, s.Datasources[1], s.DefaultDatasource())
}

func TestLoadDiscoveries(t *testing.T) {
	dir, _ := unpack(t, "discoveries.txtar")
	s := load(t, dir)
	require.Empty(t, problems(s))
	seen := map[string]bool{"static": true}
	for _, j := range s.Prometheus.Jobs {
		for _, d := range j.Discoveries {
			seen[d] = true
		}
	}
	for _, name := range discovery.RegisteredConfigNames() {
		assert.True(t, seen[name], "%s is registered, but the fixture has no job with it", name)
	}
	cfg, err := s.Prometheus.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = cfg.ScrapeConfigs[0].ServiceDiscoveryConfigs[0].NewDiscoverer(discovery.DiscovererOptions{})
	assert.ErrorContains(t, err, "aws_sd_configs is read but not run here")
	several := s.Prometheus.Jobs[len(s.Prometheus.Jobs)-1]
	assert.Equal(t, []string{"consul", "consul", "dns"}, several.Discoveries)
	assert.Len(t, several.Targets, 1)
}

func TestLoadRefusesOnlyWhatIsNoStack(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(t.Context(), filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	file := filepath.Join(dir, "file")
	write(t, file, "")
	_, err = Load(t.Context(), file)
	require.Error(t, err)

	s := load(t, t.TempDir())
	assert.Empty(t, problems(s))
	assert.Nil(t, s.Prometheus)
	assert.Nil(t, s.Grafana)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Load(ctx, dir)
	require.ErrorIs(t, err, context.Canceled)
}

func BenchmarkLoadShipped(b *testing.B) {
	dir := filepath.Join(material.ModuleRoot(b), "stack")
	for b.Loop() {
		if _, err := Load(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
	}
}
