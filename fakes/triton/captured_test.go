package triton

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// How values look in either era.
const (
	sixDecimal = `^-?\d+\.\d{6}$`
	shortest   = `^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d*[1-9]|-?[1-9](\.\d*[1-9])?e[+-]\d{2,}|Nan|[+-]Inf)$`
)

// captures are the scrapes of real Tritons, and what the fake has to be told to be like each. What remains is in differ, by family,
// with the reason.
func captures() []captured {
	return []captured{
		{
			file: "triton-22.07-gpu-startup-no-uuid.prom", numbers: sixDecimal,
			setup: fakes.Setup{Version: "22.07", Args: []string{"tritonserver", "--model-repository=/models"}},
			scenario: `
version: 1
models:
  - {name: add_sub, kind: pytorch, gpu: 0}
  - {name: ExaTrk, kind: python, gpu: 0}
  - {name: particlenet_PT, kind: pytorch, gpu: 0}
gpus: [{model: Tesla P100-PCIE-12GB, memory_mib: {total: 12288}, power_watts: {limit: 250, idle: 33, busy: 240}}]
`,
		},
		{
			file: "triton-23.12-python-custom-vastai-a.prom", numbers: shortest, setup: fakes.Setup{Version: "23.12"}, scenario: passthrough,
		},
		{
			file: "triton-23.12-python-custom-vastai-b.prom", numbers: shortest, setup: fakes.Setup{Version: "23.12"}, scenario: passthrough,
		},
		{
			file: "triton-24.11plus-cpu-summaries-kura.prom", numbers: shortest,
			setup: fakes.Setup{Version: "24.11", Args: []string{"sh", "-c",
				"tritonserver --model-repository=/models --allow-cpu-metrics=false --metrics-config summary_latencies=true"}},
			scenario: `
version: 1
models:
  - name: identity_long
    kind: pytorch
    load_seconds: 0.004683712
    requests_per_second: 1
    custom_metrics:
      - name: input_byte_size_counter
        help: Cumulative input byte size of all requests received by the model
        labels: {model: identity_long, version: 1}
        per_request: 8
  - {name: preprocessor, kind: python, load_seconds: 1.611378656, requests_per_second: 1}
`,
		},
	}
}

const passthrough = `
version: 1
models:
  - name: vastpipe_passthrough
    kind: python
    requests_per_second: 1
    custom_metrics:
      - name: requests_process_latency_ns
        help: Cumulative time spent processing requests
        labels: {version: 1, model: custom_metrics}
        per_request: 69679
`

type captured struct {
	file, scenario, numbers string
	setup                   fakes.Setup
	differ                  map[string]string
}

func TestFakesAreLikeCapturedScrapes(t *testing.T) {
	for _, tc := range captures() {
		t.Run(tc.file, func(t *testing.T) {
			body := scrapetest.Captured(t, tc.file)
			real := scrapetest.Parse(t, body, "text/plain")
			e, err := Build(worldOf(t, tc.scenario), "box:8002", tc.setup)
			require.NoError(t, err)
			fakeBody := e.AppendScrape(nil, start.Add(5000*1e6))
			fake := scrapetest.Parse(t, fakeBody, e.ContentType())

			for family, reason := range tc.differ {
				if have, ok := fake.Families[family]; ok {
					assert.NotEqual(t, real.Families[family], have, "%s is listed as different (%s) and is not", family, reason)
				}
				assert.Contains(t, real.Families, family, "%s is listed as different (%s) and is in neither", family, reason)
			}
			same := func(name string) bool { return tc.differ[name] == "" }
			assert.Equal(t, filter(real.Order, same), filter(fake.Order, same))
			for _, name := range filter(real.Order, same) {
				assert.Equal(t, real.Families[name], fake.Families[name], name)
			}
			assert.Equal(t, filter(nameless(real.Lines), ofFamilies(same)), filter(nameless(fake.Lines), ofFamilies(same)))
			assert.Empty(t, badNumbers(body, tc.numbers), "as captured")
			assert.Empty(t, badNumbers(fakeBody, tc.numbers))
		})
	}
}

// TestEveryCapturedTritonIsCompared fails where a capture is added that nobody compares.
func TestEveryCapturedTritonIsCompared(t *testing.T) {
	var known []string
	for _, tc := range captures() {
		known = append(known, tc.file)
	}
	for _, file := range scrapetest.CapturedNames(t, "triton-") {
		if file == "triton-23.11-trtllm-custom-families-readme.prom" { // only the families of a back end
			continue
		}
		assert.Contains(t, known, file)
	}
}

func filter(all []string, keep func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !keep(s) })
}

func ofFamilies(keep func(string) bool) func(string) bool {
	return func(line string) bool {
		name, _, _ := strings.Cut(line, "{")
		return keep(name)
	}
}

// nameless are series without what differs from machine to machine.
func nameless(lines []string) []string {
	uuid := regexp.MustCompile(`GPU-[0-9a-f-]+`)
	var all []string
	for _, line := range lines {
		all = append(all, uuid.ReplaceAllString(line, "GPU"))
	}
	return all
}

// badNumbers are the lines whose value does not look as told.
func badNumbers(body []byte, numbers string) []string {
	want := regexp.MustCompile(numbers)
	var bad []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n"), "\n") {
		if value := line[strings.LastIndex(line, " ")+1:]; !strings.HasPrefix(line, "#") && !want.MatchString(value) {
			bad = append(bad, line)
		}
	}
	return bad
}

func worldOf(t testing.TB, scenario string) *fakes.World {
	t.Helper()
	s, err := fakes.ParseScenario("test.yaml", []byte(scenario))
	require.NoError(t, err, scenario)
	return fakes.NewWorld(s, start)
}
