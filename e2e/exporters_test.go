package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/exporter"
	"github.com/panelgate/panelgate/e2e/rule"
)

// ofCompose verifies a stack with these services and targets of one job each.
func ofCompose(t *testing.T, services, jobs, config string) *Report {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"docker-compose.yml": "services:\n  prometheus:\n    image: prom/prometheus:v3.15.0\n    volumes: [\"./prometheus:/etc/prometheus\"]\n" +
			"    extra_hosts: [\"host.docker.internal:host-gateway\"]\n" + services,
		"prometheus/prometheus.yml": "global: {scrape_interval: 15s}\nscrape_configs:\n" + jobs,
		"panelgate.yml":             "version: 1\n" + config,
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	loaded.Options.History, loaded.Options.Brief = time.Minute, true
	r, err := Verify(t.Context(), loaded.Stack, loaded.Options)
	require.NoError(t, err)
	return r
}

func TestTargetsAreWhatTheComposeFileRuns(t *testing.T) {
	newest := exporter.Newest("triton")
	r := ofCompose(t, "  gpu:\n    image: nvcr.io/nvidia/tritonserver:"+newest+"-py3\n    ports: [\"7002:8002\"]\n    hostname: box\n"+
		"  dcgm:\n    image: nvidia/dcgm-exporter:latest\n",
		`  - {job_name: inside, static_configs: [{targets: ["gpu:8002"]}]}
  - {job_name: published, static_configs: [{targets: ["host.docker.internal:7002"]}]}
  - {job_name: dcgm, static_configs: [{targets: ["dcgm:9400"]}]}
  - {job_name: mapped, static_configs: [{targets: ["elsewhere:1"]}]}
  - {job_name: wrong, static_configs: [{targets: ["gpu:8003"]}]}
`, "targets: [{match: {job: mapped}, fake: triton, hostname: told}]\n")
	by := map[string]env.Target{}
	for _, target := range r.Targets {
		by[target.Job] = target
	}
	for _, job := range []string{"inside", "published"} {
		require.NotNil(t, by[job].Setup, job)
		assert.True(t, by[job].Up, by[job].Error)
		assert.Equal(t, "triton", by[job].AnsweredBy)
		assert.Equal(t, newest, by[job].Setup.Version)
		assert.Equal(t, "box", by[job].Setup.Hostname)
	}
	assert.True(t, by["dcgm"].Up)
	assert.Empty(t, by["dcgm"].Setup.Version)
	require.Len(t, r.Notes, 1)
	assert.Contains(t, r.Notes[0], "the image nvidia/dcgm-exporter:latest of service \"dcgm\" names no release: dcgm-exporter "+exporter.Newest("dcgm")+" is acted out")
	assert.Equal(t, "told", by["mapped"].Setup.Hostname)
	assert.False(t, by["wrong"].Up, "it listens on another port")
	assert.Nil(t, by["wrong"].Setup)
}

// That a target names Triton's usual port is no proof that Triton is there: the compose file says where it is.
func TestTargetsWhereTheServiceDoesNotListen(t *testing.T) {
	r := ofCompose(t, "  gpu:\n    image: nvcr.io/nvidia/tritonserver:26.06-py3\n    command: tritonserver --metrics-port=9002\n    ports: [\"8002:8002\"]\n",
		`  - {job_name: triton, static_configs: [{targets: ["host.docker.internal:8002"]}]}
  - {job_name: inside, static_configs: [{targets: ["gpu:8002"]}]}
  - {job_name: right, static_configs: [{targets: ["gpu:9002"]}]}
`, "")
	for _, target := range r.Targets {
		assert.Equal(t, target.Job == "right", target.Up, target.Job)
	}
	var down []rule.Finding
	for _, f := range r.Findings {
		if f.Rule == "prometheus/target-down" {
			down = append(down, f)
		}
	}
	require.Len(t, down, 2)
	for _, f := range down {
		assert.Contains(t, f.Message, `no metrics of service "gpu" are at that address: Triton listens elsewhere`)
		assert.Contains(t, f.Evidence, "it answers at gpu:9002")
	}
}

func TestTritonWithoutMetrics(t *testing.T) {
	r := ofCompose(t, "  gpu:\n    image: nvcr.io/nvidia/tritonserver:26.06-py3\n    command: tritonserver --allow-metrics=false\n",
		"  - {job_name: triton, static_configs: [{targets: [\"gpu:8002\"]}]}\n", "")
	for _, f := range r.Findings {
		if f.Rule == "prometheus/target-down" {
			assert.Contains(t, f.Message, `Triton of service "gpu" is started with --allow-metrics=false, and listens for no scrape`)
			assert.Contains(t, f.Fix, "take that flag out")
			return
		}
	}
	assert.Fail(t, "the target is down")
}

func TestTritonIsScrapedByPlainHTTP(t *testing.T) {
	r := ofCompose(t, "  gpu:\n    image: nvcr.io/nvidia/tritonserver:26.06-py3\n",
		"  - {job_name: triton, scheme: https, static_configs: [{targets: [\"gpu:8002\"]}]}\n", "")
	var down []rule.Finding
	for _, f := range r.Findings {
		if f.Rule == "prometheus/target-down" {
			down = append(down, f)
		}
	}
	require.Len(t, down, 1)
	assert.Contains(t, down[0].Message, "it is scraped by https, and Triton's metrics port speaks plain HTTP alone")
	assert.Contains(t, down[0].Fix, "take scheme: https out of the job")
}

// Releases that are tried stand in for those of the files.
func TestReleasesInPlaceOfTheFiles(t *testing.T) {
	newest := exporter.Newest("node")
	dir := copyShipped(t, func(board string) string { return board + "\n" })
	loaded, err := Load(t.Context(), Source{Dir: dir})
	require.NoError(t, err)
	opts := loaded.Options
	opts.History, opts.Brief, opts.Releases = time.Minute, true, map[string]string{"node": newest}
	r, err := Verify(t.Context(), loaded.Stack, opts)
	require.NoError(t, err)
	for _, target := range r.Targets {
		if target.AnsweredBy == "node" {
			assert.Equal(t, newest, target.Setup.Version)
		}
	}
	opts.Releases = map[string]string{"node": "no-release"}
	r, err = Verify(t.Context(), loaded.Stack, opts)
	require.NoError(t, err, "an exporter that does not come up is what the report tells")
	assert.Contains(t, rulesOf(r.Findings), "stack/server-failed")
	assert.Contains(t, rulesOf(r.Findings), "prometheus/target-down")
}

func rulesOf(findings []rule.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Rule)
	}
	return out
}
