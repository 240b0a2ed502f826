package dcgm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
	"github.com/panelgate/panelgate/fakes/release"
)

func TestCanonicalTakesEitherHalf(t *testing.T) {
	for _, tc := range []struct{ written, meant string }{
		{"", "4.5.3-4.8.2"},
		{"4.8.2", "4.5.3-4.8.2"},
		{"3.3.5", "3.3.5-3.4.1"},       // the newest that has it
		{"3.4.0", "3.3.5-3.4.0"},       // a second half
		{"4.4.0", "4.4.0-4.5.0"},       // both: the first half is meant
		{"4.5.0", "4.4.0-4.5.0"},       // a second half only
		{"3.3.5-3.4.0", "3.3.5-3.4.0"}, // as written
		{"4.5.2-4.8.1-ubuntu22.04", "4.5.2-4.8.1"},
		{"main", "main"},
		{"9.1.0", "9.1.0"}, // of tomorrow
	} {
		r, err := Canonical(tc.written)
		require.NoError(t, err, tc.written)
		assert.Equal(t, tc.meant, r.String(), tc.written)
	}
	for _, tc := range []struct{ written, message string }{
		{"1.7.2", "older than 2.0.0"}, {"1.0.0-1.0.0", "older than 2.0.0"}, {"latest", "no release"},
	} {
		_, err := Canonical(tc.written)
		assert.ErrorContains(t, err, tc.message, tc.written)
	}
}

func TestVersionsAreOrderedAndAllThereIs(t *testing.T) {
	var releases []release.Release
	for _, tag := range Versions() {
		r, err := Canonical(tag)
		require.NoError(t, err)
		releases = append(releases, r)
		if tag != release.Tip {
			assert.Contains(t, tags(), tag)
		}
	}
	assert.GreaterOrEqual(t, len(releases), 10)
	assert.True(t, slices.IsSortedFunc(releases, release.Release.Compare))
	assert.True(t, slices.IsSortedFunc(tags(), func(a, b string) int { return release.MustParse(a).Compare(release.MustParse(b)) }))
}

// scrapeOf is a scrape of a release a while after the world's start, with its families as Prometheus reads them.
func scrapeOf(t testing.TB, w *fakes.World, setup fakes.Setup) (string, scrapetest.Scrape) {
	t.Helper()
	e := build(t, w, setup)
	body := e.AppendScrape(nil, start.Add(time.Hour))
	if e.dialect.ungrouped {
		return string(body), scrapetest.Scrape{}
	}
	return string(body), scrapetest.Parse(t, body, e.ContentType())
}

func TestWhatChangedFromReleaseToRelease(t *testing.T) {
	const (
		util    = "DCGM_FI_DEV_GPU_UTIL{"
		tx      = "DCGM_FI_DEV_PCIE_TX_THROUGHPUT{"
		profTX  = "DCGM_FI_PROF_PCIE_TX_BYTES{"
		profGR  = "DCGM_FI_PROF_GR_ENGINE_ACTIVE{"
		xid     = "DCGM_FI_DEV_XID_ERRORS{"
		spare   = "DCGM_FI_DEV_FB_RESERVED{"
		driver  = `,DCGM_FI_DRIVER_VERSION="`
		bus     = `,pci_bus_id="`
		node    = `,Hostname="`
		lower   = `,hostname="`
		errCode = `,err_code="0",err_msg="No Error"`
		mib     = "# HELP DCGM_FI_DEV_FB_FREE Framebuffer memory free (in MiB).\n"
		mb      = "# HELP DCGM_FI_DEV_FB_FREE Frame buffer memory free (in MB).\n"
		count   = "# TYPE DCGM_FI_PROF_PCIE_TX_BYTES counter\n"
		rate    = "# TYPE DCGM_FI_PROF_PCIE_TX_BYTES gauge\n"
	)
	w := world(t)
	for _, tc := range []struct {
		version    string
		has, hasNo []string
	}{
		{"2.0.13-2.1.2", []string{`{gpu="0", UUID="`, `, device="nvidia0"}`, util, tx, xid}, []string{node, driver, "modelName"}},
		{"2.1.8-2.4.0-rc.3", []string{node, `{gpu="0",UUID="`}, []string{"modelName", driver, util}},
		{"2.2.9-2.4.1", []string{tx, node, ",modelName=", mib, xid}, []string{util, driver, bus, profGR}},
		{"2.3.1-2.6.0", []string{util, tx}, []string{driver}},
		{"2.4.6-2.6.10", []string{util, tx, driver, mib}, []string{bus}},
		{"3.1.8-3.1.5", []string{mib}, []string{mb}},
		{"3.2.5-3.1.7", []string{mb}, []string{mib, errCode}},
		{"3.3.5-3.4.0", []string{mb, tx}, []string{errCode, bus}},
		{"3.3.6-3.4.2", []string{errCode, tx}, []string{bus}},
		{"3.3.7-3.5.0", []string{errCode, bus, profTX, count}, []string{tx, profGR}},
		{"4.0.0-4.0.1", []string{mib, profGR, rate, xid}, []string{mb, count, spare}},
		{"4.3.1-4.4.0", []string{spare, xid}, nil},
		{"4.5.1-4.8.0", []string{xid, errCode, "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL{"}, nil},
		{"4.5.3-4.8.2", []string{node, spare}, []string{xid, lower, "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL"}},
		{"main", []string{lower, spare}, []string{node}},
	} {
		body, _ := scrapeOf(t, w, fakes.Setup{Version: tc.version})
		for _, text := range tc.has {
			assert.Contains(t, body, text, tc.version)
		}
		for _, text := range tc.hasNo {
			assert.NotContains(t, body, text, tc.version)
		}
	}
}

func TestWhatReleasesHaveLost(t *testing.T) {
	w := worldOf(t, "gpus: [{model: NVIDIA L40S}]\n")
	for _, tc := range []struct {
		version, metric string
		has             bool
	}{
		{"2.4.5-2.6.7", "DCGM_FI_DEV_FB_USED", false},
		{"2.4.6-2.6.10", "DCGM_FI_DEV_FB_USED", true},
		{"4.1.1-4.0.3", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", true},
		{"4.1.1-4.0.4", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", false},
		{"4.2.3-4.1.3", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", true},
	} {
		body, _ := scrapeOf(t, w, fakes.Setup{Version: tc.version})
		assert.Equal(t, tc.has, len(linesOf(body, tc.metric)) == 1, "%s: %s", tc.version, tc.metric)
	}
}

func TestTheExportersOwnNumberCounts(t *testing.T) {
	for version, has := range map[string]bool{"2.4.6-2.6.8": false, "2.4.6-2.6.10": true, "2.4.6": true, "2.4.5": false, "2.4.7": true} {
		body, _ := scrapeOf(t, world(t), fakes.Setup{Version: version})
		assert.Equal(t, has, strings.Contains(body, "DCGM_FI_DRIVER_VERSION="), version)
	}
}

func TestFirstReleasesPrintHeadsFirst(t *testing.T) {
	body, _ := scrapeOf(t, world(t), fakes.Setup{Version: "2.0.13-2.1.2"})
	before, lines, some := strings.Cut(body, "\n\n\n")
	require.True(t, some)
	assert.NotContains(t, before, "{")
	assert.NotContains(t, lines, "#")
	gpus := strings.Split(strings.TrimSuffix(lines, "\n"), "\n\n")
	require.Len(t, gpus, 2)
	for i, part := range gpus {
		for line := range strings.Lines(part) {
			assert.Contains(t, line, `{gpu="`+string(rune('0'+i))+`"`)
		}
	}
}

func TestOrderIsTheFilesThenTheFields(t *testing.T) {
	known, err := fields()
	require.NoError(t, err)
	byField := func(names []string) bool {
		return slices.IsSortedFunc(names, func(a, b string) int { return known[a].id - known[b].id })
	}
	for _, version := range Versions() {
		r, err := Canonical(version)
		require.NoError(t, err)
		if r.Before("2.2.9") {
			continue
		}
		_, s := scrapeOf(t, world(t), fakes.Setup{Version: version})
		assert.Equal(t, r.Since("3.3.5"), byField(s.Order), version)
		if r.Before("3.3.5") {
			assert.Less(t, slices.Index(s.Order, "DCGM_FI_DEV_VGPU_LICENSE_STATUS"), slices.Index(s.Order, "DCGM_FI_DEV_ROW_REMAP_FAILURE"), version)
		}
	}
}

// notInCatalogue are the metrics for which a single first and last release in the catalogue does not say all.
func notInCatalogue() map[string]string {
	return map[string]string{
		"2.0.13-2.1.2 DCGM_FI_DEV_GPU_UTIL":      "it was there, dropped with 2.1.2-2.3.0 and is back since 2.3.1-2.6.0",
		"3.3.7-3.5.0 DCGM_FI_PROF_PCIE_TX_BYTES": "called a counter until 4.0.0-4.0.1",
		"3.3.7-3.5.0 DCGM_FI_PROF_PCIE_RX_BYTES": "called a counter until 4.0.0-4.0.1",
		"3.3.9-3.6.1 DCGM_FI_PROF_PCIE_TX_BYTES": "called a counter until 4.0.0-4.0.1",
		"3.3.9-3.6.1 DCGM_FI_PROF_PCIE_RX_BYTES": "called a counter until 4.0.0-4.0.1",
	}
}

// TestFakesAndCatalogueAgree: what a release prints by default is what the catalogue says it has, with the type it says.
func TestFakesAndCatalogueAgree(t *testing.T) {
	metrics := catalogue.New().Of("dcgm")
	excused := map[string]bool{}
	for _, version := range Versions() {
		r, err := Canonical(version)
		require.NoError(t, err)
		d := dialectOf(r)
		lines, err := readCounters(defaultCounters, nil, &d)
		require.NoError(t, err)
		printed := map[string]string{}
		for _, line := range lines {
			if line.kind != label {
				printed[line.name] = line.kind
			}
		}
		for _, m := range metrics {
			there := (m.Since == "" || r.Since(m.Since)) && (m.Until == "" || r.Before(m.Until))
			byDefault := there && !strings.Contains(m.Optional, "--collectors")
			kind, has := printed[m.Name]
			delete(printed, m.Name)
			if has == byDefault && (!has || kind == string(m.Type)) {
				continue
			}
			key := version + " " + m.Name
			excused[key] = true
			assert.Contains(t, notInCatalogue(), key, "printed %v as %q, in the catalogue %v as %s", has, kind, byDefault, m.Type)
		}
		assert.Empty(t, printed, "%s prints what the catalogue does not know", version)
	}
	for key := range notInCatalogue() {
		assert.True(t, excused[key], "%s is excused but agrees", key)
	}
}

func TestEveryMetricOfTheCatalogueHasAValue(t *testing.T) {
	var csv strings.Builder
	var want []string
	for _, m := range catalogue.New().Of("dcgm") {
		if !strings.HasPrefix(m.Name, "DCGM_") {
			continue
		}
		csv.WriteString(m.Name + "," + string(m.Type) + ",some help\n")
		if m.Name != "DCGM_EXP_CLOCK_EVENTS_COUNT" { // a GPU that nothing holds back has none
			want = append(want, m.Name)
		}
	}
	w := worldOf(t, "gpus: [{count: 2, nvlinks: 4, load: 0.4}]\n")
	for _, version := range []string{"4.4.2-4.7.0", "4.5.3-4.8.2", "main"} {
		_, s := scrapeOf(t, w, fakes.Setup{Version: version, Args: []string{"-f", "own.csv"}, Files: map[string]string{"own.csv": csv.String()}})
		for _, name := range want {
			if version != "4.4.2-4.7.0" && (name == "DCGM_FI_DEV_XID_ERRORS" || strings.HasPrefix(name, "DCGM_FI_DEV_RETIRED_")) {
				assert.NotContains(t, s.Order, name, "blank on a GPU that is well")
				continue
			}
			assert.Contains(t, s.Order, name, version)
		}
	}
}

func TestTablesAreSound(t *testing.T) {
	known, err := fields()
	require.NoError(t, err)
	assert.Greater(t, len(known), 600)
	for name, f := range known {
		assert.Contains(t, []valueFormat{formatInt, formatDouble, formatString, formatNone}, f.format, name)
		assert.Contains(t, []entity{entityGPU, entityGPULink, entitySwitch, entitySwitchLink, entityCPU, entityCore}, f.entity, name)
		if l, ok := linkFieldOf(f); ok {
			assert.True(t, l.link >= -1 && l.link < 18, name)
		}
	}
	xids, err := xidTexts()
	require.NoError(t, err)
	assert.Equal(t, "GPU has fallen off the bus", xidText(xids, 79))
	assert.Equal(t, "Unknown Error", xidText(xids, 999))
	for _, file := range []string{"default-counters.csv", "dcp-metrics-included.csv", "1.x-compatibility-metrics.csv"} {
		for _, version := range Versions() {
			r, err := Canonical(version)
			require.NoError(t, err)
			d := dialectOf(r)
			lines, err := readCounters(imageDir+"/"+file, nil, &d)
			require.NoError(t, err, "%s at %s", file, version)
			assert.Greater(t, len(lines), 15)
		}
	}
}
