package likeness

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/compare"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
	"github.com/panelgate/panelgate/fakes/standard"
)

// scraped is a captured scrape: what is to be found out about it, and in which families the fake differs, with the reason.
type scraped struct {
	version  string   // that it was made with, "" where that is not known
	told     []string // that has to be found out
	partial  bool
	families int
	differ   map[string]string // by kind and the beginning of the family's name
}

func corpus() map[string]scraped {
	return map[string]scraped{
		"dcgm-2.4-a100-mig-samples-only-nvidia-docs.prom": {
			version: "2.1.8-2.4.0-rc.3", families: 17,
			told: []string{"host ub20-a100-k8s", "--devices=g+i", "1 GPU instance", "a counters file of 17 lines, as the page has them"},
		},
		"dcgm-4.x-l4-kops-a.prom":                       {version: "4.5.3-4.8.2", families: 23, told: []string{"1 GPU"}},
		"dcgm-4.x-l40s-upcloud.prom":                    {version: "4.5.3-4.8.2", families: 23, told: []string{"1 GPU", "host gpu1-wl8sg"}},
		"dcgm-4.x-rtx4000ada-k8s-podattrs-xid-lke.prom": {version: "4.4.2-4.7.0", families: 25, told: []string{"DCGM_EXPORTER_KUBERNETES=true", "1 GPU"}},
		"node-1.9.1-e2e-fixture.prom": {
			version: "1.9.1", families: 286, told: []string{"--collector.interrupts", "--collector.processes", "--collector.cpu.info"},
			differ: map[string]string{"labels node_dmi_info": "it was read by root, who is shown serial numbers"},
		},
		"triton-22.07-gpu-startup-no-uuid.prom":           {version: "22.07", families: 28, told: []string{"3 models", "1 GPU"}},
		"triton-23.11-trtllm-custom-families-readme.prom": {version: "23.11", families: 5, partial: true, told: []string{"1 model", "no GPU"}},
		"triton-23.12-python-custom-vastai-a.prom": {
			version: "23.12", families: 14, told: []string{"1 model", "no GPU", "1 metric of its models' own code"},
		},
		"triton-23.12-python-custom-vastai-b.prom": {
			version: "23.12", families: 14, told: []string{"1 model", "no GPU", "1 metric of its models' own code"},
		},
		"triton-24.11plus-cpu-summaries-kura.prom": {
			version: "24.11", families: 19, told: []string{"--allow-cpu-metrics=false", "--metrics-config=summary_latencies=true", "2 models", "no GPU"},
		},
		"vllm-kops-openai-server.prom": {version: "0.17.1", families: 83, told: []string{"--model Qwen/Qwen2.5-0.5B-Instruct"}},
	}
}

func TestFakesSetUpAsDerivedAreLikeCapturedScrapes(t *testing.T) {
	for _, file := range scrapetest.CapturedNames(t, "") {
		t.Run(file, func(t *testing.T) {
			want, known := corpus()[file]
			require.True(t, known, "nothing says how this scrape compares")
			exporter, _, _ := strings.Cut(file, "-")
			real := Scrape{Scrape: compare.Scrape{Body: scrapetest.Captured(t, file)}, Accept: "text/plain;version=0.0.4"}
			c := catalogue.New()
			guessed, err := compare.Guess(c, real.Body)
			require.NoError(t, err)
			assert.Equal(t, exporter, guessed)

			got, err := Nearest(t.Context(), c, exporter, real, Given{})
			require.NoError(t, err)
			assert.Contains(t, append(slices.Clone(got.AlsoLike), got.Version), want.version)
			assert.Equal(t, want.partial, got.Partial)
			assert.Equal(t, exporter != "node", got.Derived)
			assert.GreaterOrEqual(t, got.Families, want.families)
			for _, told := range want.told {
				assert.Contains(t, got.Told, told)
			}
			expected := map[string]bool{}
			for _, d := range got.Differences {
				found := false
				for prefix := range want.differ {
					if strings.HasPrefix(string(d.Kind)+" "+d.Family, prefix) {
						found, expected[prefix] = true, true
					}
				}
				assert.True(t, found, "%+v", d)
			}
			for prefix, reason := range want.differ {
				assert.True(t, expected[prefix], "%s is listed as different (%s) and is not", prefix, reason)
			}
			if exporter != "node" && !want.partial {
				for _, aside := range got.Asides {
					assert.Equal(t, compare.Type, aside.Kind, "nothing is told aside but that HELP and TYPE are missing: %+v", aside)
				}
			}
		})
	}
}

// What is told is not derived: with another machine, flags or host name the same scrape differs.
func TestWhatIsToldIsNotDerived(t *testing.T) {
	body := scrapetest.Captured(t, "dcgm-4.x-rtx4000ada-k8s-podattrs-xid-lke.prom")
	real := Scrape{Scrape: compare.Scrape{Body: body}}
	for name, tc := range map[string]struct {
		given  Given
		differ compare.Kind
	}{
		"environment": {Given{Env: map[string]string{"DCGM_EXPORTER_KUBERNETES": "false"}}, compare.Labels},
		"host name":   {Given{Hostname: "other"}, compare.Series},
		"flags":       {Given{Args: []string{"--no-hostname"}}, compare.Labels},
	} {
		t.Run(name, func(t *testing.T) {
			tc.given.Version = "4.4.2-4.7.0"
			got, err := Nearest(t.Context(), catalogue.New(), "dcgm", real, tc.given)
			require.NoError(t, err)
			require.NotEmpty(t, got.Differences)
			assert.Equal(t, tc.differ, got.Differences[0].Kind)
		})
	}
	_, err := Nearest(t.Context(), catalogue.New(), "dcgm", real, Given{Version: "latest"})
	var refused *SetupError
	require.ErrorAs(t, err, &refused)
	_, err = Nearest(t.Context(), catalogue.New(), "dcgm", Scrape{Scrape: compare.Scrape{Body: []byte("a{ 1\n")}}, Given{})
	require.ErrorContains(t, err, "the real scrape: line 1")
}

// A release that does not know a flag cannot be the one that was scraped: the others are compared.
func TestReleasesThatRefuseAreLeftOut(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	setup := fakes.Setup{Version: "1.9.1", Args: []string{"--collector.filesystem.mount-points-exclude=^/dev"}}
	node, err := standard.ByName("node", "box:9100", w, setup)
	require.NoError(t, err)
	real := Scrape{Scrape: compare.Scrape{Body: node.AppendScrape(nil, w.Start().Add(time.Hour))}}
	got, err := Nearest(t.Context(), catalogue.New(), "node", real, Given{Args: setup.Args})
	require.NoError(t, err)
	assert.Equal(t, "1.9.1", got.Version)
	_, err = Nearest(t.Context(), catalogue.New(), "node", real, Given{Args: []string{"--collector.nothing"}})
	require.ErrorAs(t, err, new(*SetupError))
	assert.ErrorContains(t, err, "1.12.1", "told of the newest")
}

// What no scenario takes is compared all the same, with a machine of ours.
func TestAMachineThatCannotBeActedOutIsNoError(t *testing.T) {
	for exporter, body := range map[string]string{
		"triton": "# TYPE nv_inference_count counter\nnv_inference_count{model=\"my model\",version=\"1\"} 5\n",
		"dcgm":   "DCGM_FI_DEV_GPU_UTIL{gpu=\"4000\",UUID=\"GPU-1\",device=\"nvidia0\",modelName=\"A \\\"B\\\"\",Hostname=\"h\"} 5\n",
	} {
		got, err := Nearest(t.Context(), catalogue.New(), exporter, Scrape{Scrape: compare.Scrape{Body: []byte(body)}}, Given{})
		require.NoError(t, err)
		assert.False(t, got.Derived)
		assert.Equal(t, 1, got.Families)
		assert.Contains(t, got.Told[0], "cannot be acted out")
	}
}
