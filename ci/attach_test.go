package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/env/attach"
)

// parsed are the options that a command line and the environment come to.
func parsed(t *testing.T, args ...string) (e2e.Options, error) {
	t.Helper()
	var c checkFlags
	cmd := &cobra.Command{Use: "ci"}
	c.addTo(cmd)
	c.addLiveTo(cmd)
	require.NoError(t, cmd.ParseFlags(args))
	if err := twins(cmd); err != nil {
		return e2e.Options{}, err
	}
	var opts e2e.Options
	err := c.env.options(&opts, cmd.Flags().Changed)
	return opts, err
}

func options(t *testing.T, args ...string) e2e.Options {
	t.Helper()
	opts, err := parsed(t, args...)
	require.NoError(t, err)
	return opts
}

func TestTheEnvironmentSaysWhereItRuns(t *testing.T) {
	for key, value := range map[string]string{
		"PANELGATE_ENV": "attach", "PANELGATE_PROMETHEUS": "http://p:9090", "PANELGATE_GRAFANA": "http://g:3000", "PANELGATE_TENANT": "team-a",
		"PANELGATE_ORG_ID": "7", "PANELGATE_CA_FILE": "ca.pem", "PANELGATE_PROXY": "http://proxy:3128",
		"PANELGATE_PROMETHEUS_TOKEN": "for-prometheus", "PANELGATE_GRAFANA_USER": "me", "PANELGATE_GRAFANA_PASSWORD_FILE": fileWith(t, " for grafana \r\n"),
		"PANELGATE_IMAGE": "grafana=g:1", "PANELGATE_IMAGE_PROMETHEUS": "", "PANELGATE_REGISTRY_PREFIX": "mirror", "PANELGATE_AS_CONFIGURED": "true",
	} {
		t.Setenv(key, value)
	}
	want := attach.Options{Prometheus: "http://p:9090", Grafana: "http://g:3000", Tenant: "team-a", OrgID: 7, CAFile: "ca.pem", Proxy: "http://proxy:3128",
		PrometheusLogin: attach.Login{Token: "for-prometheus"}, GrafanaLogin: attach.Login{User: "me", Password: " for grafana "}}
	assert.Equal(t, want, options(t).Attach)

	want.Tenant = "team-b"
	assert.Equal(t, want, options(t, "--tenant", "team-b").Attach, "a flag outranks the environment")

	assert.Zero(t, options(t, "--env", "embedded").Attach, "what is meant for another place is passed over")
	inDocker := options(t, "--env", "docker").Containers
	assert.True(t, inDocker.AsConfigured)
	assert.Equal(t, "mirror", inDocker.Images.Prefix)
	assert.Equal(t, map[string]string{"grafana": "g:1"}, inDocker.Images.Override)

	t.Setenv("PANELGATE_ORG_ID", "seven")
	_, err := parsed(t)
	require.ErrorContains(t, err, "PANELGATE_ORG_ID=seven")
}

func TestLoginsThatCannotBe(t *testing.T) {
	long := fileWith(t, strings.Repeat("s3cret", 20_000))
	for want, vars := range map[string][]string{
		"both PANELGATE_GRAFANA_TOKEN and PANELGATE_GRAFANA_TOKEN_FILE are set": {"PANELGATE_GRAFANA_TOKEN=s3cret", "PANELGATE_GRAFANA_TOKEN_FILE=" + long},
		"PANELGATE_GRAFANA_TOKEN_FILE: open":                                    {"PANELGATE_GRAFANA_TOKEN_FILE=" + filepath.Join(t.TempDir(), "none")},
		"has more than 65536 bytes":                                             {"PANELGATE_GRAFANA_TOKEN_FILE=" + long},
		"is empty":                                                              {"PANELGATE_GRAFANA_TOKEN_FILE=" + fileWith(t, "\n")},
		"is a directory":                                                        {"PANELGATE_GRAFANA_TOKEN_FILE=" + t.TempDir()},
		"PANELGATE_GRAFANA_USER is set, PANELGATE_GRAFANA_PASSWORD is not": {"PANELGATE_GRAFANA_USER=me"},
		"PANELGATE_GRAFANA_PASSWORD is set, PANELGATE_GRAFANA_USER is not": {"PANELGATE_GRAFANA_PASSWORD=s3cret"},
		"PANELGATE_GRAFANA_TOKEN has a blank or a line break in it":        {"PANELGATE_GRAFANA_TOKEN=s3cret s3cret"},
	} {
		t.Run(want, func(t *testing.T) {
			for _, kv := range vars {
				k, v, _ := strings.Cut(kv, "=")
				t.Setenv(k, v)
			}
			_, err := parsed(t, "--env", "attach", "--grafana", "http://g:3000")
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "s3cret")
			_, err = parsed(t, "--env", "attach", "--prometheus", "http://p:9090")
			require.NoError(t, err, "nobody asks a Grafana")
		})
	}
}

// TestNoSecretIsSaid has servers fail in all ways, some of which repeat what they
// were sent as far as a server may know it, and looks through all that is said.
func TestNoSecretIsSaid(t *testing.T) {
	t.Setenv("PANELGATE_PROMETHEUS_USER", "someone")
	t.Setenv("PANELGATE_PROMETHEUS_PASSWORD", "s3cret-of-prometheus")
	t.Setenv("PANELGATE_GRAFANA_TOKEN", "glsa_s3cret-of-grafana")
	for _, status := range []int{200, 302, 400, 401, 403, 404, 407, 500, 502} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere.invalid/login?state=s3cret-state")
			w.WriteHeader(status)
		}))
		for _, flag := range []string{"--prometheus", "--grafana"} {
			out := gate(t, "--stack", "../stack", "--env", "attach", flag, server.URL)
			assert.Equal(t, exitNotRun, out.code, "%d: %s", status, out.said)
			assert.Contains(t, out.stderr, server.URL)
			assert.NotContains(t, out.said, "s3cret")
			assert.NotContains(t, out.said, basicAuth("someone", "s3cret-of-prometheus"))
			assert.Equal(t, "error", out.report.Verdict)
		}
		server.Close()
	}
}

// TestTheProxyOfTheEnvironment runs the command apart, as net/http reads the
// environment once.
func TestTheProxyOfTheEnvironment(t *testing.T) {
	seen := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Host
		http.Error(w, "no", http.StatusTeapot)
	}))
	defer proxy.Close()
	exe, err := os.Executable()
	require.NoError(t, err)
	panelgate := filepath.Join(t.TempDir(), "panelgate") // what testscript would run under that name
	require.NoError(t, os.Symlink(exe, panelgate))
	say := func(server string) string {
		cmd := exec.CommandContext(t.Context(), panelgate, "--stack", "../stack", "--env", "attach", "--prometheus", server)
		cmd.Env = append(os.Environ(), "HTTP_PROXY="+strings.Replace(proxy.URL, "http://", "http://me:s3cret@", 1), "NO_PROXY=spared.invalid,.inside.invalid")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		assert.NotContains(t, string(out), "s3cret")
		return string(out)
	}
	assert.Contains(t, say("http://prom.invalid:9090"), "418")
	assert.Equal(t, "prom.invalid:9090", <-seen)
	for _, server := range []string{"http://spared.invalid:9090", "http://prom.inside.invalid:9090", "http://127.0.0.1:1"} {
		assert.NotContains(t, say(server), "418")
		assert.Empty(t, seen)
	}
}
