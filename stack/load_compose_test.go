package stack

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadProviders(t *testing.T) {
	dir, _ := unpack(t, "providers.txtar")
	s := load(t, dir)
	require.Empty(t, problems(s))
	assert.Equal(t, "12.1.0", s.Grafana.Version)

	var names []string
	for _, p := range s.Providers {
		names = append(names, p.Name.Value)
	}
	assert.Equal(t, []string{"structured", "flat", "old", "unmounted", "absent"}, names)
	flat, old, unmounted := s.Providers[1], s.Providers[2], s.Providers[3]
	assert.Equal(t, "provisioning/dashboards/1.yml:10:13 Ops team", placed(flat.Folder))
	assert.Equal(t, "ops", flat.FolderUID.Value)
	assert.Equal(t, int64(3), flat.OrgID)
	assert.Equal(t, "file", flat.Type.Value, "what it is where the file does not say")
	assert.Equal(t, int64(4), old.OrgID)
	assert.Equal(t, "$TEAM", old.Folder.Value, "the old format has no variables")
	assert.Empty(t, unmounted.Dir)
	assert.Equal(t, filepath.Join(dir, "boards", "none"), s.Providers[4].Dir)

	var boards []string
	for _, b := range s.Dashboards {
		boards = append(boards, b.Provider.Name.Value+": "+b.Folder+"/"+b.UID.Value+" "+b.File)
	}
	assert.Equal(t, []string{
		"structured: team/a boards/team/a.json",
		"structured: deep/b boards/team/deep/b.json",
		"structured: /top boards/top.json",
		"flat: Ops team/a boards/team/a.json",
		"flat: Ops team/b boards/team/deep/b.json",
		"old: $TEAM/b boards/team/deep/b.json",
	}, boards)
}

func TestLoadExpands(t *testing.T) {
	t.Setenv("UNSET_ON_HOST", "")
	require.NoError(t, os.Unsetenv("UNSET_ON_HOST"))
	dir, _ := unpack(t, "expand.txtar")
	s := load(t, dir)
	require.Empty(t, problems(s))

	g := s.Compose.Services[0]
	assert.Equal(t, "docker-compose.yml:4:12 grafana/grafana:13.0.0", placed(g.Image))
	assert.Equal(t, "viewer", g.ContainerName)
	assert.Equal(t, "docker-compose.yml:8:18 prom.test", placed(g.Environment["PROM_HOST"]))
	assert.Equal(t, "docker-compose.yml:6:15 9090", placed(g.Environment["PROM_PORT"]))
	assert.NotContains(t, g.Environment, "UNSET_ON_HOST")
	require.Len(t, g.Ports, 3)
	assert.Equal(t, []any{"127.0.0.1", 3333, 3000, "tcp", "docker-compose.yml:11:13"},
		[]any{g.Ports[0].HostIP, g.Ports[0].Published, g.Ports[0].Target, g.Ports[0].Protocol, g.Ports[0].Pos.String()})
	assert.Equal(t, []any{3002, 3002, "udp", "docker-compose.yml:11:46"},
		[]any{g.Ports[2].Published, g.Ports[2].Target, g.Ports[2].Protocol, g.Ports[2].Pos.String()})
	assert.Equal(t, []string{"9999"}, g.Expose)
	assert.Equal(t, "host-gateway", g.ExtraHosts["host.docker.internal"])
	assert.Equal(t, []string{"dash"}, g.Aliases)
	assert.Equal(t, "docker-compose.yml:16:9", g.Mounts[0].Pos.String())
	assert.True(t, g.Mounts[0].ReadOnly)

	ds := s.Datasources[0]
	assert.Equal(t, "provisioning/datasources/ds.yaml:3:11 prom.test and -", placed(ds.Name))
	assert.Equal(t, "from-a-file", ds.EffectiveUID)
	assert.Equal(t, "http://prom.test:9090", ds.URL.Value)
	assert.Equal(t, int64(9090), ds.OrgID)
	assert.False(t, ds.IsDefault)
	assert.Equal(t, "$5", ds.TimeInterval.Value)
	assert.Equal(t, "$5", ds.HTTPMethod, "a value that an expansion brings in is not expanded again")
}

func TestLoadOverrides(t *testing.T) {
	dir, _ := unpack(t, "overrides.txtar")
	s := load(t, filepath.Join(dir, "deploy"))
	require.Empty(t, problems(s))

	require.Len(t, s.Compose.Services, 2)
	web, prom := s.Compose.Services[0], s.Compose.Services[1]
	assert.True(t, web.HasBuild)
	assert.Equal(t, []string{"extra"}, web.Profiles)
	assert.Equal(t, "docker-compose.override.yml:3:12 prom/prometheus:v3.0.0", placed(prom.Image))
	assert.Equal(t, "docker-compose.yml:5:3", prom.Pos.String())
	assert.True(t, prom.NetworkHost)

	p := s.Prometheus
	require.NotNil(t, p)
	assert.Equal(t, "main.yml", p.File)
	assert.Equal(t, "/cfg/main.yml", p.ContainerPath)
	require.Len(t, p.RuleFiles, 2)
	assert.Equal(t, "../shared/r.yml", p.RuleFiles[0].File)
	assert.Empty(t, p.RuleFiles[1].File, "a pattern that finds nothing is kept")
	assert.Equal(t, "main.yml:1:29 /elsewhere/x.yml", placed(p.RuleFiles[1].Pattern))
	require.Len(t, p.Jobs, 1)
	assert.Equal(t, "../shared/extra.yaml:2:15 extra", placed(p.Jobs[0].Name))
}

func TestConfigPointsAtThisMachine(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), "services:\n  prometheus:\n    image: prom/prometheus:v3.0.0\n    volumes: [./conf:/etc/prometheus, ./keys:/keys]\n")
	write(t, filepath.Join(dir, "conf/prometheus.yml"), `
rule_files: [r/*.yml, /else/where.yml]
scrape_configs:
  - job_name: a
    authorization: {credentials_file: /keys/token}
    tls_config: {ca_file: ca.pem, key_file: /away/key, cert_file: /keys/cert}
    file_sd_configs: [{files: ["/keys/*.json"]}]
    http_headers: {X-A: {files: [/keys/header]}}
`)
	s := load(t, dir)
	require.Empty(t, problems(s), "credentials need not be there")
	cfg, err := s.Prometheus.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	nowhere := filepath.Join(dir, ".not-mounted")
	assert.Equal(t, []string{filepath.Join(dir, "conf/r/*.yml"), filepath.Join(nowhere, "else/where.yml")}, cfg.RuleFiles)
	http := cfg.ScrapeConfigs[0].HTTPClientConfig
	assert.Equal(t, filepath.Join(dir, "keys/token"), http.Authorization.CredentialsFile)
	assert.Equal(t, filepath.Join(dir, "conf/ca.pem"), http.TLSConfig.CAFile)
	assert.Equal(t, filepath.Join(dir, "keys/cert"), http.TLSConfig.CertFile)
	assert.Equal(t, filepath.Join(nowhere, "away/key"), http.TLSConfig.KeyFile)
	assert.Equal(t, []string{filepath.Join(dir, "keys/header")}, http.HTTPHeaders.Headers["X-A"].Files)
	assert.Contains(t, cfg.String(), filepath.Join(dir, "keys/*.json"))
}

func TestHostPath(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	write(t, filepath.Join(dir, "a/in.yml"), "")
	write(t, filepath.Join(dir, "b/x.yml"), "")
	require.NoError(t, os.Symlink(filepath.Join(dir, "b"), filepath.Join(dir, "a", "out")))
	require.NoError(t, os.Symlink("in.yml", filepath.Join(dir, "a", "link.yml")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "a", "dangling")))
	s := &Service{Mounts: []Mount{
		{Type: "bind", Source: filepath.Join(dir, "a"), Target: "/etc/app/"},
		{Type: "bind", Source: filepath.Join(dir, "b"), Target: "/etc/app/sub"},
		{Type: "volume", Source: "data", Target: "/etc/app/data"},
		{Type: "tmpfs", Target: "/tmp"},
		{Type: "config", Source: filepath.Join(dir, "b/x.yml"), Target: "/one.yml"},
		{Type: "bind", Source: filepath.Join(dir, "missing"), Target: "/missing"},
	}}
	tests := []struct {
		container, host string
	}{
		{"/etc/app", "a"},
		{"/etc/app/in.yml", "a/in.yml"},
		{"/etc/app/none/deep.yml", "a/none/deep.yml"},
		{"/etc/app/sub/x.yml", "b/x.yml"},
		{"/etc/app/sub/../in.yml", "a/in.yml"},
		{"/etc/app/link.yml", "a/link.yml"},
		{"/one.yml", "b/x.yml"},
		{"/missing/x", "missing/x"},
		{"/etc/application", ""},
		{"/etc/app/../../x", ""},
		{"/etc/app/out/x.yml", ""},
		{"/etc/app/dangling", ""},
		{"/etc/app/data/x", ""},
		{"/tmp/x", ""},
		{"/", ""},
	}
	for _, tt := range tests {
		host, ok := s.HostPath(tt.container)
		assert.Equal(t, tt.host != "", ok, tt.container)
		if tt.host != "" {
			assert.Equal(t, filepath.Join(dir, tt.host), host, tt.container)
		}
	}
	_, ok := (*Service)(nil).HostPath("/")
	assert.False(t, ok)
}

func TestComposeFileNamedByDotenv(t *testing.T) {
	t.Setenv("COMPOSE_FILE", "") // brings it back afterwards
	require.NoError(t, os.Unsetenv("COMPOSE_FILE"))
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".env"), "COMPOSE_FILE=one.yml:sub/two.yml\n")
	write(t, filepath.Join(dir, "compose.yaml"), "services: {ignored: {image: x}}\n")
	write(t, filepath.Join(dir, "one.yml"), "version: '3'\nservices: {a: {image: x}}\n")
	write(t, filepath.Join(dir, "sub/two.yml"), "services: {b: {image: y}}\n")
	s := load(t, dir)
	require.Empty(t, problems(s))
	require.Len(t, s.Compose.Services, 2)
	assert.Equal(t, "sub/two.yml:1:23 y", placed(s.Compose.Services[1].Image))
}
