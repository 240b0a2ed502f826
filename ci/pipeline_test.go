package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func command(t *testing.T, args ...string) (*checkFlags, *cobra.Command) {
	t.Helper()
	c, cmd := &checkFlags{}, &cobra.Command{Use: "check"}
	c.addTo(cmd)
	c.addLiveTo(cmd)
	require.NoError(t, cmd.ParseFlags(args))
	cmd.SetContext(t.Context())
	return c, cmd
}

// The gate in the pipeline understands what it is told, and it is told what this one
// was.
func TestTheGateInThePipelineIsToldAll(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "grafana.tar")
	require.NoError(t, os.WriteFile(archive, []byte("x"), 0o600))
	t.Setenv("GF_SECURITY_ADMIN_PASSWORD", "s3cret")
	c, cmd := command(t, "--env", "dagger", "--stack", "../stack", "--fail-on", "warning", "--history", "2h", "--dashboard", "tri*", "--dashboard", "gpu",
		"--service", "grafana=grafana", "--image", "grafana=tar:"+archive, "--image", "prometheus=p:1", "--registry-prefix", "mirror.example", "-v",
		"--setting", "grafana:GF_LOG_LEVEL=debug", "--setting", "grafana:A=b=c:d", "--as-configured", "--logs", "kept", "--timeout", "1m")
	c.shard.text = "2/3"
	_, cancel, p, err := c.begin(cmd, io.Discard)
	defer cancel()
	require.NoError(t, err)
	gate, err := c.gate(p)
	require.NoError(t, err)

	require.Equal(t, "check", gate.Args[0])
	there, cmdThere := command(t, gate.Args[1:]...)
	t.Setenv("PANELGATE_SETTING", gate.Variables["PANELGATE_SETTING"])
	require.NoError(t, twins(cmdThere))
	delete(gate.Variables, "PANELGATE_SETTING")
	assert.NotContains(t, gate.Args, "--setting", "it may hold a secret")
	assert.Equal(t, c.stackDir, there.stackDir)
	assert.Equal(t, c.failOn, there.failOn)
	assert.Equal(t, c.history, there.history)
	assert.Equal(t, c.dashboards, there.dashboards)
	assert.Equal(t, c.services, there.services)
	assert.Equal(t, c.verbose, there.verbose)
	assert.Equal(t, "2/3", there.shard.text)
	assert.ElementsMatch(t, c.env.images, there.env.images)
	assert.ElementsMatch(t, c.env.settings, there.env.settings)
	assert.Equal(t, c.env.registryPrefix, there.env.registryPrefix)
	assert.True(t, there.env.asConfigured)
	assert.Equal(t, "dagger", there.env.name)
	assert.Equal(t, "/panelgate/out/logs", there.env.logs)
	assert.Equal(t, "/panelgate/out/report.ndjson", *there.files[eventStream])
	assert.False(t, there.env.piped(), "it is the gate in the pipeline, and asks itself")
	assert.Equal(t, []string{archive}, gate.Archives)
	assert.Equal(t, map[string]string{"GF_SECURITY_ADMIN_PASSWORD": "s3cret"}, gate.Variables, "what the compose file names, and no more")
	assert.NotContains(t, gate.Args, "s3cret")
}

// Settings are handed over one a line: a value of several would come as other settings.
func TestSettingsOfSeveralLinesAreRefusedByAPipeline(t *testing.T) {
	c, cmd := command(t, "--env", "dagger", "--stack", "../stack", "--setting", "grafana:A=b\nprometheus:C=d")
	_, cancel, p, err := c.begin(cmd, io.Discard)
	defer cancel()
	require.NoError(t, err)
	_, err = c.gate(p)
	require.ErrorContains(t, err, "--setting grafana:A: a value of several lines")
}
