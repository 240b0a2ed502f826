package stack

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

func loadContainers(t *testing.T) *Stack {
	t.Helper()
	t.Setenv("TOKEN_OF_TEST", "se$cret")
	t.Setenv("UNSET_OF_TEST", "")
	require.NoError(t, os.Unsetenv("UNSET_OF_TEST"))
	dir, _ := unpack(t, "containers.txtar")
	s := load(t, dir)
	require.Empty(t, problems(s))
	require.Len(t, s.Compose.Services, 4)
	return s
}

func at(line, column int) source.Pos {
	return source.Pos{File: "compose.yaml", Line: line, Column: column}
}

func TestServiceOfAContainer(t *testing.T) {
	s := loadContainers(t)
	prom, exporter, once := s.Compose.Services[0], s.Compose.Services[1], s.Compose.Services[2]
	assert.Equal(t, []string{"65534:0", "/prometheus", "prom", "SIGINT"}, []string{prom.User, prom.WorkingDir, prom.Hostname, prom.StopSignal})
	assert.Equal(t, 90*time.Second, prom.StopGracePeriod)
	assert.True(t, prom.ReadOnly)
	assert.False(t, exporter.ReadOnly)
	assert.Equal(t, []string{"NET_RAW"}, prom.CapAdd)
	assert.Equal(t, []string{"/tmp:size=1m"}, prom.Tmpfs)

	assert.Equal(t, []string{}, prom.Entrypoint, "emptied")
	assert.Nil(t, exporter.Entrypoint, "left to the image")
	assert.Equal(t, []string{}, exporter.Command)
	assert.Nil(t, once.Command)
	assert.Equal(t, "--web.external-url=http://$HOST/", prom.Command[1])

	assert.Equal(t, []Dependency{
		{Name: "exporter", Condition: ServiceHealthy, Required: true, Pos: at(15, 7)},
		{Name: "once", Condition: ServiceCompletedSuccessfully, Pos: at(16, 7)},
	}, prom.DependsOn)
	assert.Equal(t, []Dependency{{Name: "once", Condition: ServiceStarted, Required: true, Pos: at(45, 18)}}, exporter.DependsOn)
	assert.Empty(t, once.DependsOn)
	side := s.Compose.Services[3]
	assert.Equal(t, []Dependency{{Name: "exporter", Condition: ServiceStarted, Required: true, Pos: side.Pos}}, side.DependsOn, "whose network it needs")
	assert.Nil(t, side.Healthcheck)

	assert.Equal(t, &Healthcheck{
		Test: []string{"CMD-SHELL", "promtool check ready $URL"}, Interval: 3 * time.Second, Timeout: 2 * time.Second,
		StartPeriod: 10 * time.Second, StartInterval: time.Second, Retries: 4, Pos: at(19, 5),
	}, prom.Healthcheck)
	assert.True(t, exporter.Healthcheck.Disabled)
	assert.True(t, once.Healthcheck.Disabled)

	assert.Equal(t, map[string][]string{"back": {"metrics", "p"}}, prom.NetworkAliases)
	assert.Equal(t, []string{"metrics", "p"}, prom.Aliases)
	assert.Equal(t, []string{"back", "front"}, prom.Networks)
}

func TestMountsOfAContainer(t *testing.T) {
	mounts := map[string]Mount{}
	for _, m := range loadContainers(t).Compose.Services[0].Mounts {
		mounts[m.Target] = m
	}
	cfg := mounts["/cfg/p.yml"]
	assert.True(t, cfg.Inline)
	assert.True(t, strings.HasPrefix(string(cfg.Content), "global: {scrape_interval: 7s}\n"), string(cfg.Content))
	assert.Contains(t, string(cfg.Content), "# $5\n")
	assert.Equal(t, []any{fs.FileMode(0o440), "65534", "0", at(27, 9)}, []any{cfg.Mode, cfg.UID, cfg.GID, cfg.Pos})

	assert.Equal(t, []any{true, []byte{}}, []any{mounts["/nothing"].Inline, mounts["/nothing"].Content})
	assert.Equal(t, []any{true, false}, []any{mounts["/elsewhere"].External, mounts["/elsewhere"].Inline})
	assert.Equal(t, "se$cret", string(mounts["/run/secrets/token"].Content))
	unset := mounts["/run/secrets/unset"]
	assert.True(t, unset.Inline)
	assert.Nil(t, unset.Content)

	assert.Equal(t, []string{"volume", "data", "tsdb"}, []string{mounts["/prometheus"].Type, mounts["/prometheus"].Source, mounts["/prometheus"].SubPath})
	assert.Equal(t, []string{"volume", ""}, []string{mounts["/anonymous"].Type, mounts["/anonymous"].Source})
	assert.Equal(t, "tmpfs", mounts["/scratch"].Type)
}

func TestInlinePrometheus(t *testing.T) {
	s := loadContainers(t)
	p := s.Prometheus
	require.NotNil(t, p)
	assert.True(t, p.Inline)
	assert.False(t, p.ByConvention)
	assert.Equal(t, []string{"compose.yaml", "/cfg/p.yml", filepath.Join(s.Dir, "compose.yaml")}, []string{p.File, p.ContainerPath, p.Path})
	assert.Equal(t, 7*time.Second, p.ScrapeInterval)
	require.Len(t, p.Jobs, 1)
	assert.Equal(t, "compose.yaml:60:21 a", placed(p.Jobs[0].Name))
	assert.Equal(t, "a:1", p.Jobs[0].Targets[0].Address.Value)
	text, err := p.Hurried(time.Second, all)
	require.NoError(t, err)
	assert.Contains(t, string(text), "scrape_interval: 1s")
}

func TestInlinePrometheusProblems(t *testing.T) {
	const head = "services: {p: {image: prom/prometheus, configs: [{source: c, target: /etc/prometheus/prometheus.yml}]}}\nconfigs:\n  c:\n"
	for name, tc := range map[string]struct{ config, want string }{
		"unknown field": {"    content: |\n      global:\n        nonsense: 1\n", "compose.yaml:6:9: Prometheus refuses it: field nonsense"},
		"quoted value":  {"    content: |\n      scrape_configs: [{job_name: x}, {job_name: x}]\n", "compose.yaml:5:50: Prometheus refuses it"},
		"no YAML":       {"    content: |\n      a: 1\n      b: [\n", "compose.yaml:7:7: not valid YAML"},
		"in one line":   {"    content: \"global: {\\n nonsense: 1}\"\n", "compose.yaml:4:14: Prometheus refuses it"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "compose.yaml"), head+tc.config)
			found := problems(load(t, dir))
			require.Len(t, found, 1)
			assert.Contains(t, found[0], tc.want)
		})
	}
}

func TestWithService(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), `services:
  one: {image: prom/prometheus, volumes: ["./one.yml:/etc/prometheus/prometheus.yml"]}
  two: {image: acme/tsdb, volumes: ["./two.yml:/etc/prometheus/prometheus.yml"]}
  viewer: {image: grafana/grafana}
  other: {image: acme/viewer, volumes: ["./grafana:/etc/grafana/provisioning"]}
`)
	write(t, filepath.Join(dir, "one.yml"), "")
	write(t, filepath.Join(dir, "two.yml"), "")
	s, err := Load(t.Context(), dir, WithService(RolePrometheus, "two"), WithService(RoleGrafana, "other"))
	require.NoError(t, err)
	assert.Equal(t, "two.yml", s.Prometheus.File)
	assert.Equal(t, "two", s.Prometheus.Service.Name)
	assert.Equal(t, "other", s.Grafana.Service.Name)
	assert.Equal(t, "one.yml", load(t, dir).Prometheus.File)

	_, err = Load(t.Context(), dir, WithService("loki", "one"))
	require.ErrorContains(t, err, `no role is called "loki", there are grafana and prometheus`)
	_, err = Load(t.Context(), dir, WithService(RoleGrafana, "grafana"))
	require.ErrorContains(t, err, `no such service: "grafana" for grafana; the compose file has one, two, viewer, other`)
	_, err = Load(t.Context(), t.TempDir(), WithService(RoleGrafana, "grafana"))
	require.ErrorContains(t, err, "the stack has no compose file")

	write(t, filepath.Join(dir, "compose.yaml"), "services: [")
	s, err = Load(t.Context(), dir, WithService(RoleGrafana, "other"))
	require.NoError(t, err, "what is wrong is among the problems")
	assert.Len(t, s.Problems, 1)
}

func TestFlag(t *testing.T) {
	for name, tc := range map[string]struct {
		entrypoint, command []string
		want                string
		set                 bool
	}{
		"equals":             {nil, []string{"--web.route-prefix=/p=q"}, "/p=q", true},
		"word":               {nil, []string{"-web.route-prefix", "/p"}, "/p", true},
		"across both":        {[]string{"/bin/prometheus", "--web.route-prefix"}, []string{"/p"}, "/p", true},
		"empty":              {nil, []string{"--web.route-prefix="}, "", true},
		"switch":             {nil, []string{"--web.route-prefix", "--x"}, "", true},
		"last":               {nil, []string{"--web.route-prefix"}, "", true},
		"longer name":        {nil, []string{"--web.route-prefixes=/p", "web.route-prefix=/p"}, "", false},
		"script":             {[]string{"/bin/sh", "-c"}, []string{"prometheus --web.route-prefix=/p --x"}, "/p", true},
		"script of several":  {nil, []string{"bash", "-exc", "envsubst <a >b;\n exec prometheus \\\n  --web.route-prefix '/p q' && true"}, "/p q", true},
		"quotes in a script": {nil, []string{"sh", "-c", `prometheus "--web.route-prefix=/\"p"`}, `/"p`, true},
		"script in pieces":   {[]string{"sh", "-c"}, []string{"prometheus", "--web.route-prefix=/p"}, "/p", true},
		"no shell":           {nil, []string{"run", "-c", "x --web.route-prefix=/p"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			value, set := (&Service{Entrypoint: tc.entrypoint, Command: tc.command}).Flag("web.route-prefix")
			assert.Equal(t, tc.want, value)
			assert.Equal(t, tc.set, set)
		})
	}
	_, set := (*Service)(nil).Flag("x")
	assert.False(t, set)
}

func TestConfigFileInAScript(t *testing.T) {
	for script, want := range map[string]string{
		"exec prometheus --config.file=/cfg/a.yml":    "a.yml",
		"exec prometheus --config.file=$$CONFIG_FILE": "b.yml", // the usual place, since the shell's is not known
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "compose.yaml"), "services: {p: {image: prom/prometheus, entrypoint: [sh, -c, '"+script+"'], volumes: ['./a.yml:/cfg/a.yml', './b.yml:/etc/prometheus/prometheus.yml']}}\n")
		write(t, filepath.Join(dir, "a.yml"), "")
		write(t, filepath.Join(dir, "b.yml"), "")
		s := load(t, dir)
		require.Empty(t, problems(s))
		assert.Equal(t, want, s.Prometheus.File)
	}
}
