package exporter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack"
)

// of reads a compose file with these services beside Prometheus and finds its exporters.
func of(t *testing.T, services string, files map[string]string) []Running {
	t.Helper()
	dir := t.TempDir()
	compose := "services:\n  prometheus:\n    image: prom/prometheus:v3.15.0\n    volumes: [\"./prometheus:/etc/prometheus\"]\n" +
		"    extra_hosts: [\"the-host:host-gateway\"]\n" + services
	all := map[string]string{"docker-compose.yml": compose, "prometheus/prometheus.yml": "scrape_configs: []\n"}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	require.Empty(t, s.Problems)
	return Of(s, nil)
}

func TestExportersByTheirImages(t *testing.T) {
	newest := Newest("triton")
	for image, want := range map[string]string{
		"nvcr.io/nvidia/tritonserver:" + newest + "-py3":                      "triton " + newest,
		"nvcr.io/nvidia/k8s/dcgm-exporter:" + Newest("dcgm") + "-ubuntu22.04": "dcgm " + Newest("dcgm"),
		"nvidia/dcgm-exporter:" + Newest("dcgm"):                              "dcgm " + Newest("dcgm"),
		"prom/node-exporter:v" + Newest("node"):                               "node " + Newest("node"),
		"quay.io/prometheus/node-exporter:v" + Newest("node"):                 "node " + Newest("node"),
		"registry.example.lan:5000/mirror/nvidia/tritonserver:" + newest:      "triton " + newest,
		"grafana/grafana:13.2.3":                                              "",
		"ours/tritonserver-client:24.07":                                      "",
	} {
		got := of(t, "  gpu:\n    image: "+image+"\n", nil)
		if want == "" {
			assert.Empty(t, got, image)
			continue
		}
		require.Len(t, got, 1, image)
		assert.Equal(t, want, got[0].Name+" "+got[0].Setup.Version, image)
		assert.NoError(t, got[0].Refused)
		assert.Empty(t, got[0].Note)
	}
}

func TestTagsThatTellNoRelease(t *testing.T) {
	for image, want := range map[string]string{
		"nvcr.io/nvidia/tritonserver":            "names no release: Triton " + Newest("triton") + " is acted out",
		"nvcr.io/nvidia/tritonserver:latest":     "names no release",
		"nvcr.io/nvidia/tritonserver:19.01-py3x": "",
		// A release that came after this program is not refused, and not passed off as known.
		"nvcr.io/nvidia/tritonserver:31.01-py3": "Triton 31.01 of service \"gpu\" is newer than what is known of it: " + Newest("triton") + " is acted out",
		"prom/node-exporter:v1.99.0":            "node_exporter 1.99.0 of service \"gpu\" is newer than what is known of it: " + Newest("node") + " is acted out",
	} {
		got := of(t, "  gpu:\n    image: "+image+"\n", nil)
		require.Len(t, got, 1)
		assert.Contains(t, got[0].Note, want, image)
		if strings.HasPrefix(want, "names no release") {
			assert.Empty(t, got[0].Setup.Version)
			assert.Empty(t, got[0].Version)
		}
	}
}

func TestCommandLines(t *testing.T) {
	const image = "    image: nvcr.io/nvidia/tritonserver:26.06-py3\n"
	for command, want := range map[string]string{
		"": "",
		"    command: tritonserver --model-repository=/models --metrics-port 9002\n":                                "--model-repository=/models --metrics-port 9002",
		"    command: [\"/opt/tritonserver/bin/tritonserver\", \"--allow-gpu-metrics=false\"]\n":                    "--allow-gpu-metrics=false",
		"    command: [\"sh\", \"-c\", \"sleep 5 && exec tritonserver --model-repository /models && echo done\"]\n": "--model-repository /models",
		"    entrypoint: tritonserver\n    command: [\"--model-repository=/m\"]\n":                                  "--model-repository=/m",
		"    entrypoint: [\"/wrapper.sh\"]\n    command: [\"--model-repository=/m\"]\n":                             "--model-repository=/m",
	} {
		got := of(t, "  gpu:\n"+image+command, nil)
		require.Len(t, got, 1)
		assert.Equal(t, want, strings.Join(got[0].Setup.Args, " "), command)
	}
}

func TestWhereItAnswers(t *testing.T) {
	for name, tc := range map[string]struct{ service, want, not string }{
		"by its name":                {"    image: nvcr.io/nvidia/tritonserver:26.06-py3\n    container_name: box\n", "gpu:8002 box:8002", "the-host:8002"},
		"published":                  {"    image: nvcr.io/nvidia/tritonserver:26.06-py3\n    ports: [\"7002:8002\"]\n", "gpu:8002 host.docker.internal:7002 the-host:7002", "gpu:7002"},
		"another port":               {"    image: nvcr.io/nvidia/tritonserver:26.06-py3\n    command: tritonserver --metrics-port=9002\n", "gpu:9002", "gpu:8002"},
		"another port, node":         {"    image: prom/node-exporter:v1.12.1\n    command: [\"--web.listen-address=:9101\"]\n", "gpu:9101", "gpu:9100"},
		"another port, dcgm":         {"    image: nvidia/dcgm-exporter:4.5.3-4.8.2\n    environment: {DCGM_EXPORTER_LISTEN: \":9500\"}\n", "gpu:9500", "gpu:9400"},
		"in the network of the host": {"    image: prom/node-exporter:v1.12.1\n    network_mode: host\n", "host.docker.internal:9100", "gpu:9100"},
	} {
		got := of(t, "  gpu:\n"+tc.service, nil)
		require.Len(t, got, 1, name)
		for _, address := range strings.Fields(tc.want) {
			assert.Contains(t, got[0].Addresses, address, name)
		}
		assert.NotContains(t, got[0].Addresses, tc.not, name)
	}
}

func TestWhatIsHandedOn(t *testing.T) {
	got := of(t, `  gpu:
    image: nvidia/dcgm-exporter:4.5.3-4.8.2
    hostname: gpu-01
    command: ["-f", "/etc/dcgm-exporter/custom.csv"]
    environment: {DCGM_EXPORTER_INTERVAL: "10000", PASSWORD: secret}
    volumes: ["./counters.csv:/etc/dcgm-exporter/custom.csv:ro", "/proc:/host/proc"]
`, map[string]string{"counters.csv": "DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n"})
	require.Len(t, got, 1)
	setup := got[0].Setup
	assert.Equal(t, "gpu-01", setup.Hostname)
	assert.Equal(t, map[string]string{"DCGM_EXPORTER_INTERVAL": "10000"}, setup.Env, "nothing that may be secret")
	assert.Equal(t, map[string]string{"/etc/dcgm-exporter/custom.csv": "DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n"}, setup.Files)
	assert.Equal(t, []string{"-f", "/etc/dcgm-exporter/custom.csv"}, setup.Args)
	assert.NoError(t, got[0].Refused)
}

// dcgm-exporter reads a file that nobody names: one that is mounted in its place is what it has.
func TestTheCountersInPlaceOfTheImagesOwn(t *testing.T) {
	const own = "DCGM_FI_DEV_GPU_TEMP, gauge, GPU temperature (in C).\n"
	got := of(t, `  gpu:
    image: nvidia/dcgm-exporter:4.5.3-4.8.2
    volumes: ["./counters.csv:/etc/dcgm-exporter/default-counters.csv:ro"]
`, map[string]string{"counters.csv": own})
	require.Len(t, got, 1)
	assert.Equal(t, map[string]string{"/etc/dcgm-exporter/default-counters.csv": own}, got[0].Setup.Files)
}

func TestWhereNobodyAnswers(t *testing.T) {
	const triton = "    image: nvcr.io/nvidia/tritonserver:26.06-py3\n"
	for name, tc := range map[string]struct{ service, want, not string }{
		"at its usual port":     {triton + "    command: tritonserver --metrics-port=9002\n", "gpu:8002", "gpu:9002"},
		"published, not told":   {triton + "    command: tritonserver --metrics-port=9002\n    ports: [\"8002:8002\"]\n", "host.docker.internal:8002 the-host:8002", "gpu:9002"},
		"of another's port":     {triton + "    ports: [\"8002:8000\"]\n", "host.docker.internal:8002", "gpu:8002"},
		"all is well":           {triton + "    ports: [\"8002:8002\", \"8000:8000\"]\n", "", "host.docker.internal:8002"},
		"under the usual port":  {triton + "    command: tritonserver --metrics-port=9002\n    ports: [\"8002:9002\"]\n", "gpu:8002", "host.docker.internal:8002"},
		"not the host's, usual": {triton + "    command: tritonserver --metrics-port=9002\n    network_mode: host\n", "", "host.docker.internal:8002"},
	} {
		got := of(t, "  gpu:\n"+tc.service, nil)
		require.Len(t, got, 1, name)
		for _, address := range strings.Fields(tc.want) {
			assert.Contains(t, got[0].Silent, address, name)
		}
		assert.NotContains(t, got[0].Silent, tc.not, name)
	}
}

// A stack under test must not be able to read the machine that tests it.
func TestFilesOfTheMachineAreNotRead(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o600))
	got := of(t, "  gpu:\n    image: prom/node-exporter:v1.12.1\n    command: [\"--web.config.file=/web.yml\"]\n    volumes: [\""+outside+":/web.yml\"]\n", nil)
	require.Len(t, got, 1)
	assert.Empty(t, got[0].Setup.Files)
}

func TestVersionsThatAreNone(t *testing.T) {
	for text, says := range map[string]string{
		"26.06..20.06": "the fake of triton acts out no version of 26.06..20.06: the older end comes first, as in 20.06..26.06",
		"30.01..31.01": "it knows 20.06 to " + Newest("triton") + ", ",
		"nope":         "it knows 20.06 to " + Newest("triton") + ", ",
	} {
		_, err := Versions("triton", text)
		assert.ErrorContains(t, err, says, text)
	}
	_, err := Versions("dcgm", "9")
	assert.ErrorContains(t, err, "4.5.3-4.8.2, main", "few are named one by one")
}

func TestVersions(t *testing.T) {
	newest := Newest("dcgm")
	first, own, _ := strings.Cut(newest, "-")
	for text, want := range map[string]string{newest: newest, first: newest, first + "..": newest, "4.5.3..": newest} {
		got, err := Versions("dcgm", text)
		require.NoError(t, err, text)
		assert.Contains(t, got, want, text)
	}
	if own != "" {
		got, err := Versions("dcgm", own)
		require.NoError(t, err)
		assert.Equal(t, []string{newest}, got, "by the exporter's own number")
	}
	all := standard.Versions("triton")
	got, err := Versions("triton", all[0]+".."+all[len(all)-1]+","+all[0])
	require.NoError(t, err)
	assert.Equal(t, all, got, "each once")
	for text, want := range map[string]string{
		"":               "a version of triton is empty",
		"26.06,":         "a version of triton is empty",
		"26.6":           `does not act out version "26.6"`,
		"18.01..18.12":   "the fake of triton acts out no version of 18.01..18.12",
		"soon..":         `"soon" is no release`,
		"26.06..tomorow": `"tomorow" is no release`,
	} {
		_, err := Versions("triton", text)
		assert.ErrorContains(t, err, want, text)
	}
}
