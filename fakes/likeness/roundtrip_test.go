package likeness

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/compare"
	"github.com/panelgate/panelgate/fakes/standard"
)

// one is one of some things.
func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// drawn is an exporter's setup and machine, drawn at random.
type drawn struct {
	exporter, scenario string
	setup              fakes.Setup
}

func drawTriton(r *rand.Rand, version string) drawn {
	var b strings.Builder
	b.WriteString("version: 1\nmodels:\n")
	gpus := r.IntN(4)
	names := []string{"resnet", "bert", "whisper", "yolo", "preprocess", "postprocess", "ranker", "ocr", "tts",
		"embed", "detect", "segment", "pose", "face", "depth", "flow"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i, name := range names[:1+r.IntN(len(names))] {
		fmt.Fprintf(&b, "  - {name: %s, version: %d, requests_per_second: %d, stages_us: {queue: 20, compute_infer: 300}", name, 1+r.IntN(3), r.IntN(2))
		if gpus > 0 && r.IntN(2) == 0 {
			fmt.Fprintf(&b, ", gpu: %d", r.IntN(gpus))
			if r.IntN(3) == 0 {
				b.WriteString(", loaded_after: 5s")
			}
		}
		switch r.IntN(6) {
		case 0, 1:
			b.WriteString(", response_cache: {hit_ratio: 0.3}")
		case 2:
			fmt.Fprintf(&b, ", kind: %s", one(r, "vllm", "tensorrtllm"))
		case 3:
			b.WriteString(", decoupled: true")
		}
		if i == 0 && r.IntN(2) == 0 {
			b.WriteString(", custom_metrics: [{name: own_total, help: Own things., labels: {kind: a}, per_request: 2}]")
		}
		b.WriteString("}\n")
		if i == 1 {
			fmt.Fprintf(&b, "  - {name: %s, version: 7, requests_per_second: 1}\n", name) // a version more
		}
	}
	if gpus > 1 && version < "23.09" {
		b.WriteString("  - {name: everywhere, gpu: 0, requests_per_second: 1}\n  - {name: everywhere, gpu: 1, requests_per_second: 1}\n")
	}
	if gpus > 0 {
		fmt.Fprintf(&b, "gpus: [{count: %d}]\n", gpus)
	}
	args := []string{"tritonserver"}
	for _, flag := range []string{"--allow-cpu-metrics=false", "--metrics-config=summary_latencies=true", "--metrics-config=histogram_latencies=true",
		"--metrics-config=counter_latencies=false", "--allow-gpu-metrics=false", "--model-namespacing=true"} {
		if r.IntN(4) == 0 {
			args = append(args, flag)
		}
	}
	if r.IntN(3) == 0 && version >= "23.03" {
		args = append(args, "--cache-config=local,size=4194304")
	}
	return drawn{"triton", b.String(), fakes.Setup{Version: version, Args: args}}
}

func drawDCGM(r *rand.Rand, version string) drawn {
	var b strings.Builder
	b.WriteString("version: 1\ngpus:\n")
	pod := func() string {
		return fmt.Sprintf("{name: p-%d, namespace: ml, container: c, uid: 7e-%d, labels: {app: chat}}", r.IntN(9), r.IntN(9))
	}
	count := 1 + r.IntN(4)
	for range count {
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "  - {model: NVIDIA A100-SXM4-40GB, memory_mib: {total: 40960}, mig: [{profile: 1g.5gb, id: 7, pod: %s}, {profile: 3g.20gb, id: 2}]}\n", pod())
		case 1:
			fmt.Fprintf(&b, "  - {model: NVIDIA H100 80GB HBM3, nvlinks: 18, pod: %s}\n", pod())
		case 2:
			b.WriteString("  - {model: Tesla T4}\n")
		default:
			fmt.Fprintf(&b, "  - {model: NVIDIA L40S, pod: %s}\n", pod())
		}
	}
	if r.IntN(4) == 0 {
		b.WriteString("host: {cpus: 8, grace_cpus: 2, nvswitches: 2}\n")
	}
	if r.IntN(3) == 0 {
		fmt.Fprintf(&b, "events: [{at: 0s, gpus: [%d], xid: 31}]\n", r.IntN(count))
	}
	setup := fakes.Setup{Version: version, Env: map[string]string{}, Hostname: one(r, "", "gpu-7")}
	for _, name := range []string{"DCGM_EXPORTER_KUBERNETES", "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID", "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS",
		"DCGM_EXPORTER_NO_HOSTNAME"} {
		if r.IntN(3) == 0 {
			setup.Env[name] = "true"
		}
	}
	if r.IntN(3) == 0 {
		setup.Args = []string{"dcgm-exporter", "-f", "/my.csv", "-d", one(r, "f", "g", "g+i", "g:0")}
		setup.Files = map[string]string{"/my.csv": "DCGM_FI_DEV_GPU_UTIL, gauge, How busy.\nDCGM_FI_DEV_FB_USED, gauge, Memory.\nDCGM_FI_DEV_POWER_USAGE, gauge, Watts.\n" +
			"DCGM_FI_DEV_NVLINK_BANDWIDTH_L0, counter, Link 0.\nDCGM_FI_DEV_CPU_UTIL_TOTAL, gauge, CPU.\nDCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT, gauge, Switch.\n"}
	}
	return drawn{"dcgm", b.String(), setup}
}

func drawNode(r *rand.Rand, version string) drawn {
	var args []string
	for _, flag := range []string{"--no-collector.netstat", "--no-collector.pressure", "--collector.processes", "--collector.tcpstat", "--collector.interrupts",
		"--web.disable-exporter-metrics", "--no-collector.loadavg"} {
		if r.IntN(3) == 0 {
			args = append(args, flag)
		}
	}
	return drawn{"node", fmt.Sprintf("version: 1\nhost: {cpus: %d}\n", 1+r.IntN(16)), fakes.Setup{Version: version, Args: args}}
}

func drawVLLM(r *rand.Rand, version string) drawn {
	args := []string{"--model", one(r, "org/chat", "m")}
	for _, flag := range []string{"--api-server-count=2", "--disable-frontend-multiprocessing", "--no-enable-prefix-caching"} {
		if r.IntN(4) == 0 {
			args = append(args, flag)
		}
	}
	return drawn{"vllm", "version: 1\nmodels: [{name: served, kind: vllm, requests_per_second: 0.5}]\n", fakes.Setup{Version: version, Args: args}}
}

// A page of our own, of any release, setup and machine, is like the fake that is set up as the page tells.
func TestWhatIsDerivedFromAPagePrintsThePage(t *testing.T) {
	c := catalogue.New()
	for exporter, draw := range map[string]func(*rand.Rand, string) drawn{"triton": drawTriton, "dcgm": drawDCGM, "node": drawNode, "vllm": drawVLLM} {
		t.Run(exporter, func(t *testing.T) {
			const rounds = 40
			for seed := range uint64(rounds) {
				r := rand.New(rand.NewPCG(seed, 7))
				d := draw(r, one(r, standard.Versions(exporter)...))
				scenario, err := fakes.ParseScenario("drawn.yaml", []byte(d.scenario))
				require.NoError(t, err, d.scenario)
				w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
				e, err := standard.ByName(exporter, "drawn:1", w, d.setup)
				require.NoError(t, err, d.setup)
				body := e.AppendScrape(nil, w.Start().Add(20*time.Minute))
				got, err := Nearest(t.Context(), c, exporter, Scrape{Scrape: compare.Scrape{Body: body}, Accept: "text/plain;version=0.0.4"}, Given{Version: d.setup.Version})
				require.NoError(t, err)
				if !assert.Empty(t, got.Differences, "seed %d: %+v\n%s\nderived %v\n%s\n%s", seed, d.setup, d.scenario, got.Told, got.Scenario, got.Setup.Args) {
					return
				}
				assert.False(t, got.Partial)
				assert.Equal(t, exporter != "node", got.Derived)
				assert.False(t, slices.Contains(got.Told, ""))
			}
		})
	}
}

// Which release it was is found out among all that are acted out: the page is like that one's, and as like others at most.
func TestTheReleaseIsFoundOut(t *testing.T) {
	for exporter, draw := range map[string]func(*rand.Rand, string) drawn{"triton": drawTriton, "dcgm": drawDCGM, "vllm": drawVLLM} {
		for seed := range uint64(2) {
			r := rand.New(rand.NewPCG(seed, 11))
			d := draw(r, one(r, standard.Versions(exporter)...))
			scenario, err := fakes.ParseScenario("drawn.yaml", []byte(d.scenario))
			require.NoError(t, err)
			w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
			e, err := standard.ByName(exporter, "drawn:1", w, d.setup)
			require.NoError(t, err)
			body := e.AppendScrape(nil, w.Start().Add(20*time.Minute))
			got, err := Nearest(t.Context(), catalogue.New(), exporter, Scrape{Scrape: compare.Scrape{Body: body}, Accept: "text/plain;version=0.0.4"}, Given{})
			require.NoError(t, err)
			assert.Empty(t, got.Differences, "%s, seed %d", exporter, seed)
			if d.setup.Files == nil && !strings.Contains(fmt.Sprint(d.setup.Args), "=false") { // a counters file of one's own is of any release
				assert.Contains(t, append(got.AlsoLike, got.Version), d.setup.Version, "%s, seed %d", exporter, seed)
			}
		}
	}
}
