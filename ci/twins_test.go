package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env/dagger"
)

// without has a test begin with no variable of the gate's, and in no Dagger session.
func without(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, twinPrefix) || strings.HasPrefix(name, "DAGGER_") {
			t.Setenv(name, "") // which is put back
			require.NoError(t, os.Unsetenv(name))
		}
	}
}

// values are those of a command's flags as they are when it would run, and what was said
// before that.
func values(t *testing.T, args ...string) (map[string]string, string, error) {
	t.Helper()
	var stderr bytes.Buffer
	root := newRoot(io.Discard, &stderr)
	root.SetOut(io.Discard)
	root.SetErr(&stderr)
	out := map[string]string{}
	for _, cmd := range commandsOf(root) {
		cmd.Args, cmd.Run = cobra.ArbitraryArgs, nil
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			cmd.Flags().VisitAll(func(f *pflag.Flag) { out[f.Name] = f.Value.String() })
			return nil
		}
	}
	root.SetArgs(append([]string{}, args...)) // nil is the test's own
	return out, stderr.String(), root.ExecuteContext(t.Context())
}

// sample is a value that a flag takes and has not by itself.
func sample(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return "true"
	case "int", "int64", "float64":
		return "7"
	case "duration":
		return "11m"
	}
	return "a-" + flag.Name
}

// placeOf is an environment that a flag means something in.
func placeOf(flag string) string {
	for place, flags := range map[string][]string{
		"embedded": embeddedFlags(), "docker": slices.Concat(containersFlags(), dockerFlags(), screenshotFlags()), "dagger": daggerFlags(), "attach": attachFlags(),
	} {
		for _, f := range flags {
			if f == flag {
				return place
			}
		}
	}
	return "embedded"
}

func TestEveryFlagHasATwinInTheEnvironment(t *testing.T) {
	without(t)
	walked := 0
	for _, cmd := range commandsOf(newRoot(io.Discard, io.Discard)) {
		path := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Hidden || flag.Name == "help" || cmd.Name() == "help" {
				return
			}
			walked++
			t.Run(strings.Join(append(path, flag.Name), " "), func(t *testing.T) {
				args := path
				if cmd.Flags().Lookup("env") != nil && flag.Name != "env" {
					args = append(args[:len(args):len(args)], "--env", placeOf(flag.Name))
				}
				value := sample(flag)
				switch flag.Name {
				case "grafana", "prometheus":
					value = "http://here:1"
				case "combine", "parallel": // beside a matrix alone
					if cmd.Flags().Lookup("matrix") != nil {
						args = append(args[:len(args):len(args)], "--matrix", "default")
					}
				}
				byDefault, _, err := values(t, args...)
				require.NoError(t, err)
				byFlag, _, err := values(t, append(args[:len(args):len(args)], "--"+flag.Name+"="+value)...)
				require.NoError(t, err)
				t.Setenv(envName(flag.Name), value)
				byVariable, said, err := values(t, args...)
				require.NoError(t, err)
				assert.NotEqual(t, byDefault[flag.Name], byFlag[flag.Name], "the sample proves nothing")
				assert.Equal(t, byFlag, byVariable)
				assert.Empty(t, said)

				if flag.Value.Type() == "bool" {
					return
				}
				t.Setenv(envName(flag.Name), strings.Repeat("9", 1+len(value)))
				outranked, _, err := values(t, append(args[:len(args):len(args)], "--"+flag.Name+"="+value)...)
				require.NoError(t, err)
				assert.Equal(t, byFlag, outranked, "the command line outranks the environment")
			})
		})
	}
	assert.Greater(t, walked, 80, "the walk has found the commands")
}

func TestNoTwinIsAnotherVariable(t *testing.T) {
	for _, twin := range twinNames(newRoot(io.Discard, io.Discard)) {
		assert.False(t, isOther(twin), "%s is read for something else already", twin)
	}
}

func TestTwinsOfOtherPlacesArePassedOver(t *testing.T) {
	for name, tt := range map[string]struct {
		variables string // NAME=VALUE, blanks between
		args      string
		want      map[string]string
	}{
		"a URL, where containers run":    {"GRAFANA=https://g PROMETHEUS=https://p", "--env docker", map[string]string{"grafana": "", "prometheus": ""}},
		"versions, where containers run": {"GRAFANA=12.4.5,13.2.3", "--env docker", map[string]string{"grafana": "12.4.5,13.2.3"}},
		"versions, where a stack runs":   {"GRAFANA=12.4.5,13.2.3 PROMETHEUS=https://p", "--env attach", map[string]string{"grafana": "", "prometheus": "https://p"}},
		"versions, in this process":      {"GRAFANA=12.4.5", "", map[string]string{"grafana": ""}},
		"versions, of a question":        {"PROMETHEUS=3.5.1", "why --env docker up", map[string]string{"prometheus": ""}},
		"versions of exporters":          {"TRITON=26.06 PARALLEL=1", "", map[string]string{"triton": "26.06", "parallel": "1"}},
		"how a matrix runs, without one": {"PARALLEL=4 SHARD=1/2 COMBINE=all", "", map[string]string{"parallel": "0", "shard": "1/2", "combine": ""}},
		"how a matrix runs":              {"PARALLEL=4 MATRIX=default", "", map[string]string{"parallel": "4", "matrix": "default"}},
		"a matrix, where a stack runs":   {"MATRIX=default HISTORY=1h", "--env attach", map[string]string{"matrix": "", "history": "24h"}},
		"an upgrade, in a pipeline":      {"ENV=dagger UPGRADE_FROM=main LOGS=logs", "", map[string]string{"env": "dagger", "upgrade-from": "", "logs": "logs"}},
		"a pipeline, of a question":      {"ENV=dagger IMAGE=grafana=g:1", "why up", map[string]string{"env": "embedded", "image": "[]"}},
		"containers, of a watch":         {"ENV=docker", "watch", map[string]string{"env": "embedded"}},
		"commands that run nothing":      {"ENV=docker STACK=there", "lint", map[string]string{"stack": "there"}},
		"a browser, where none can look": {"SCREENSHOTS=shots PNG=out", "", map[string]string{"screenshots": "", "png": "out"}},
		"hidden flags":                   {"INSIDE=file ELAPSED=1h", "--env dagger", map[string]string{"inside": "", "elapsed": "0s"}},
		"what is empty":                  {"STACK= DASHBOARD=, HISTORY=", "", map[string]string{"stack": "./stack", "dashboard": "[]", "history": "24h"}},
	} {
		t.Run(name, func(t *testing.T) {
			without(t)
			for _, kv := range strings.Fields(tt.variables) {
				key, value, _ := strings.Cut(kv, "=")
				t.Setenv(twinPrefix+key, value)
			}
			got, _, err := values(t, strings.Fields(tt.args)...)
			require.NoError(t, err)
			for flag, want := range tt.want {
				assert.Equal(t, want, got[flag], flag)
			}
		})
	}
}

func TestADaggerSessionIsADefault(t *testing.T) {
	without(t)
	t.Setenv("DAGGER_SESSION_PORT", "1")
	t.Setenv("DAGGER_SESSION_TOKEN", "of-nobody")
	require.True(t, dagger.Available())
	got, _, err := values(t)
	require.NoError(t, err)
	assert.Equal(t, "dagger", got["env"])
	got, _, err = values(t, "why", "up")
	require.NoError(t, err)
	assert.Equal(t, "embedded", got["env"])
	t.Setenv("PANELGATE_ENV", "docker")
	got, _, err = values(t)
	require.NoError(t, err)
	assert.Equal(t, "docker", got["env"])
}

func TestRepeatedFlagsInOneVariable(t *testing.T) {
	for name, tt := range map[string]struct{ flag, text, want string }{
		"commas":                  {"dashboard", "a, b-*,", "[a,b-*]"},
		"lines":                   {"dashboard", "a\nLatency, by model\n", "[a,\"Latency, by model\"]"},
		"values with commas":      {"setting", "grafana:GF_A=x,y", "[\"grafana:GF_A=x,y\"]"},
		"values with commas each": {"setting", "grafana:GF_A=x,y\r\ngrafana:GF_B=z", "[\"grafana:GF_A=x,y\",grafana:GF_B=z]"},
	} {
		t.Run(name, func(t *testing.T) {
			without(t)
			t.Setenv(envName(tt.flag), tt.text)
			got, _, err := values(t, "--env", "docker")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got[tt.flag])
		})
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	without(t)
	for key, tt := range map[string]struct{ value, want string }{
		"PANELGATE_VERBOSE":   {"loudly", `PANELGATE_VERBOSE=loudly: invalid argument "loudly"`},
		"PANELGATE_TIMEOUT":   {"soon", "PANELGATE_TIMEOUT=soon: "},
		"PANELGATE_HISTORY":   {"9x", "(--history is given by PANELGATE_HISTORY)"},
		"PANELGATE_FAIL_ON":   {"never", "(--fail-on is given by PANELGATE_FAIL_ON)"},
		"PANELGATE_ENV":       {"dokcer", `unknown --env "dokcer", nearest: docker: want embedded, docker, dagger or attach (--env is given by PANELGATE_ENV)`},
		"PANELGATE_DASHBOARD": {"[", "(--dashboard is given by PANELGATE_DASHBOARD)"},
	} {
		t.Run(key, func(t *testing.T) {
			t.Setenv(key, tt.value)
			var stderr bytes.Buffer
			assert.Equal(t, exitUsage, run(t.Context(), []string{"--stack", "../stack"}, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), tt.want)
		})
	}
}

func TestMisspeltVariables(t *testing.T) {
	for name, want := range map[string]string{
		"PANELGATE_DASHBORD":          "panelgate: warning: nothing reads \"PANELGATE_DASHBORD\": is PANELGATE_DASHBOARD meant?\n",
		"PANELGATE_FAILON":            "panelgate: warning: nothing reads \"PANELGATE_FAILON\": is PANELGATE_FAIL_ON meant?\n",
		"PANELGATE_GRAFANA_TOKN":      "panelgate: warning: nothing reads \"PANELGATE_GRAFANA_TOKN\": is PANELGATE_GRAFANA_TOKEN meant?\n",
		"PANELGATE_DASHBOARD":         "",
		"PANELGATE_DRY_RUN":           "", // of another command
		"PANELGATE_IMAGE_OF_MINE":     "",
		"PANELGATE_TEST_IMAGES":       "",
		"PANELGATE_REQUIRE":           "",
		"PANELGATE_SOMETHING_OF_OURS": "",
		"DASHBORD":                    "",
	} {
		var stderr bytes.Buffer
		require.NoError(t, warnOfMisspelt(newRoot(io.Discard, io.Discard), []string{name + "=s3cret"}, &stderr))
		assert.Equal(t, want, stderr.String(), name)
	}
}
