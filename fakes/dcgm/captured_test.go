package dcgm

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// sample is a line of a scrape: what tells a fake from the real one, without the values.
type sample struct {
	name   string
	labels string // names in the order in which they are printed
	format string // how the value is written
}

var (
	sampleLine = regexp.MustCompile(`^([A-Za-z_:][A-Za-z0-9_:]*)\{(.*)\} (\S+)$`)
	labelName  = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)="(?:[^"\\]|\\.)*"(, ?|$)`)
)

func samples(t testing.TB, body string) []sample {
	t.Helper()
	var all []sample
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		require.NotNil(t, m, line)
		var labels []string
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, l[1])
		}
		all = append(all, sample{m[1], strings.Join(labels, ","), formatOf(m[3])})
	}
	return all
}

// formatOf is whether a value is a whole number, has six decimals as %f writes, or is something else.
func formatOf(value string) string {
	whole, decimals, some := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	switch {
	case strings.Trim(whole, "0123456789") != "" || strings.Trim(decimals, "0123456789") != "":
		return value
	case !some:
		return "%d"
	case len(decimals) == 6:
		return "%f"
	}
	return value
}

func heads(body string) []string {
	var all []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

// worldOf is a world of what a scenario's YAML says behind its version.
func worldOf(t testing.TB, yaml string) *fakes.World {
	t.Helper()
	s, err := fakes.ParseScenario("test.yaml", []byte("version: 1\n"+yaml))
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func build(t testing.TB, w *fakes.World, setup fakes.Setup) *Exporter {
	t.Helper()
	e, err := Build(w, "box:9400", setup)
	require.NoError(t, err)
	return e
}

// captured is a captured scrape and how the fake is set up that prints the same.
type captured struct {
	file     string
	scenario string
	setup    fakes.Setup
	// bare says that the capture has no HELP and TYPE lines.
	bare bool
	// except says of a metric why the fake's lines differ from those captured.
	except map[string]string
}

func TestFakesPrintWhatWasCaptured(t *testing.T) {
	for _, c := range []captured{
		{file: "dcgm-4.x-l4-kops-a.prom", scenario: "gpus: [{model: NVIDIA L4}]\n", setup: fakes.Setup{Version: "4.8.2"}},
		{
			file: "dcgm-4.x-l40s-upcloud.prom", setup: fakes.Setup{Version: "4.8.2", Args: []string{"-f", "/etc/dcgm-exporter/default-counters.csv"}},
			scenario: "gpus: [{model: NVIDIA L40S, memory_mib: {total: 46068, reserved: 600}}]\n",
		},
		{
			file: "dcgm-4.x-rtx4000ada-k8s-podattrs-xid-lke.prom",
			scenario: "gpus: [{model: NVIDIA RTX 4000 Ada Generation, memory_mib: {total: 20475, reserved: 457}, " +
				"pod: {name: cuda-75454ffb9f-8ljq7, container: cuda, uid: 5d3c}}]\n",
			setup: fakes.Setup{Version: "4.4.2-4.7.0", Env: map[string]string{"DCGM_EXPORTER_KUBERNETES": "true", "NODE_NAME": "node"}},
		},
		{
			file: "dcgm-2.4-a100-mig-samples-only-nvidia-docs.prom", bare: true,
			scenario: "gpus: [{model: A100-SXM4-40GB, nvlinks: 12, memory_mib: {total: 40536, reserved: 0}, mig: [{profile: 1g.5gb, id: 13}]}]\n",
			setup: fakes.Setup{
				Version: "2.1.8-2.4.0-rc.2", Args: []string{"dcgm-exporter", "-f", "/etc/dcgm-exporter/dcp-metrics-included.csv", "-d", "g+i"},
			},
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			want := string(scrapetest.Captured(t, c.file))
			have := string(build(t, worldOf(t, c.scenario), c.setup).AppendScrape(nil, start.Add(time.Hour)))
			if !c.bare {
				assert.Equal(t, heads(want), heads(have), "HELP, TYPE and order")
			}
			wanted, had := samples(t, want), samples(t, have)
			for name, reason := range c.except {
				only := func(all []sample) []sample {
					return slices.DeleteFunc(slices.Clone(all), func(s sample) bool { return s.name != name })
				}
				assert.NotEqual(t, only(wanted), only(had), "%s is excepted (%s) but is the same", name, reason)
				other := func(s sample) bool { return s.name == name }
				wanted, had = slices.DeleteFunc(wanted, other), slices.DeleteFunc(had, other)
			}
			assert.Equal(t, wanted, had, "lines, names of labels in order, formats of values")
		})
	}
}
