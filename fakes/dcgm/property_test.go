package dcgm

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// randomMachine is a scenario of some GPUs, switches and CPUs under some load.
func randomMachine(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("gpus:\n")
	for range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "  - {count: %d, nvlinks: %d, load: {mean: %.3f, waves: [{swing: %.3f, period: %dm, phase: %.2f}]}",
			1+r.IntN(2), r.IntN(19), 0.5*r.Float64(), 0.9*r.Float64(), 1+r.IntN(90), r.Float64())
		switch r.IntN(4) {
		case 0:
			b.WriteString(", memory_mib: {total: 81559}, mig: [{profile: 1g.10gb, id: 7}, {profile: 3g.40gb, id: 2}]")
		case 1:
			b.WriteString(", vgpu: true")
		case 2:
			b.WriteString(", pod: {name: p, container: c}")
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "host: {cpus: %d, grace_cpus: %d, nvswitches: %d, uptime: %dh}\n", 1+r.IntN(16), r.IntN(3), r.IntN(4), r.IntN(1000))
	return b.String()
}

// everyField is a counters file of all fields that may be called counters, as counters, and the others as gauges.
func everyField(t testing.TB) string {
	t.Helper()
	known, err := fields()
	require.NoError(t, err)
	rates := regexp.MustCompile(`UTIL|_TEMP|FB_|BAR1|CLOCK$|PSTATE|FAN|REASONS|LINK_GEN|PROF_NVLINK_L|TEMPERATURE`)
	var b strings.Builder
	for name, f := range known {
		if f.format == formatString || !strings.HasPrefix(name, "DCGM_") {
			continue
		}
		kind := counter
		if f.format == formatDouble || rates.MatchString(name) {
			kind = gauge
		}
		b.WriteString(name + "," + kind + ",x\n")
	}
	return b.String()
}

// TestCountersNeverFallWhateverTheMachine is about random machines at random releases, with the image's counters and with all that there are.
func TestCountersNeverFallWhateverTheMachine(t *testing.T) {
	all := everyField(t)
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same machines at every run
		yaml := randomMachine(r)
		version := Versions()[r.IntN(len(Versions()))]
		setup := fakes.Setup{Version: version, Args: []string{"-k", "-c", fmt.Sprint(1000 * (1 + r.IntN(60)))}}
		if seed%2 == 0 {
			setup.Args = append(setup.Args, "-f", "all.csv")
			setup.Files = map[string]string{"all.csv": all}
		}
		e := build(t, worldOf(t, yaml), setup)
		last := map[string]float64{}
		at := start
		for range 40 {
			at = at.Add(time.Duration(r.IntN(600_000)) * time.Millisecond)
			now := map[string]float64{}
			kinds, series := values(t, string(e.AppendScrape(nil, at)))
			for name, v := range series {
				metric, _, _ := strings.Cut(name, "{")
				if v < 0 || kinds[metric] == counter && v < last[name] {
					require.Fail(t, "it fell", "%s of %s at %s from %v to %v, machine:\n%s", name, version, at, last[name], v, yaml)
				}
				now[name] = v
			}
			last = now
		}
	}
}

// TestEveryReleaseIsReadByPrometheus parses what random machines print.
func TestEveryReleaseIsReadByPrometheus(t *testing.T) {
	for i, version := range Versions() {
		r := rand.New(rand.NewPCG(uint64(i), 11)) //nolint:gosec // the same machines at every run
		e := build(t, worldOf(t, randomMachine(r)), fakes.Setup{Version: version, Env: map[string]string{"DCGM_EXPORTER_KUBERNETES": "1"}})
		if e.dialect.ungrouped {
			values(t, string(e.AppendScrape(nil, start.Add(time.Hour))))
			continue
		}
		s := scrapetest.Parse(t, e.AppendScrape(nil, start.Add(time.Hour)), e.ContentType())
		require.NotEmpty(t, s.Sets, version)
	}
}

// values are the types that a body gives, by metric, and its values, by line, whatever their order: that of the first releases too.
func values(t testing.TB, body string) (kinds map[string]string, series map[string]float64) {
	t.Helper()
	kinds, series = map[string]string{}, map[string]float64{}
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			kinds[name] = kind
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		v, err := strconv.ParseFloat(line[at+1:], 64)
		require.NoError(t, err, line)
		_, twice := series[line[:at]] // not by NotContains, which walks the whole map
		require.False(t, twice, line)
		series[line[:at]] = v
	}
	return kinds, series
}
