package dcgm

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func world(t testing.TB) *fakes.World {
	t.Helper()
	s, err := fakes.BuiltinScenario("steady")
	require.NoError(t, err)
	return fakes.NewWorld(s, start)
}

func TestFamiliesAreThoseOfCapturedScrapes(t *testing.T) {
	e := New(world(t), "box:9400")
	fake := scrapetest.Parse(t, e.AppendScrape(nil, start), e.ContentType())
	for _, file := range []string{"dcgm-4.x-l4-kops-a.prom", "dcgm-4.x-l40s-upcloud.prom"} {
		t.Run(file, func(t *testing.T) {
			captured := scrapetest.Parse(t, scrapetest.Captured(t, file), "text/plain")
			assert.Equal(t, len(fake.Order), scrapetest.SameFamilies(t, fake, captured, nil))
			assert.Equal(t, captured.Order, fake.Order, "print order, and nothing more or less")
		})
	}
}

func TestLinesAreWrittenAsDcgmExporterDoes(t *testing.T) {
	id := fakes.IdentityOf("box:9400")
	body := string(New(world(t), "box:9400").AppendScrape(nil, start.Add(time.Hour)))
	labels := `\{gpu="1",UUID="` + id.GPUUUID(1) + `",pci_bus_id="00000000:[0-9A-F]{2}:00\.0",device="nvidia1",modelName="NVIDIA L4",Hostname="` +
		id.ContainerID("dcgm-exporter") + `",DCGM_FI_DRIVER_VERSION="580\.105\.08"\} `
	assert.Regexp(t, `(?m)^DCGM_FI_DEV_GPU_UTIL`+labels+`\d+$`, body)
	assert.Regexp(t, `(?m)^DCGM_FI_DEV_POWER_USAGE`+labels+`\d+\.\d{6}$`, body)
	assert.Regexp(t, `(?m)^DCGM_FI_PROF_GR_ENGINE_ACTIVE`+labels+`0\.\d{6}$`, body)
	assert.Regexp(t, `(?m)^DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION`+labels+`\d+$`, body)
	assert.Regexp(t, `(?m)^DCGM_FI_PROF_PCIE_TX_BYTES`+labels+`\d+$`, body)
	assert.NotContains(t, body, "DCGM_FI_DEV_XID_ERRORS", "a healthy GPU leaves it blank")
	assert.True(t, strings.HasSuffix(body, "\n"))
}

func TestValuesAreTheWorldsAtTheLastCollection(t *testing.T) {
	w := world(t)
	e := New(w, "box:9400")
	at := start.Add(7*time.Hour + 29*time.Second)
	collected := start.Add(7 * time.Hour)
	assert.Equal(t, e.AppendScrape(nil, collected), e.AppendScrape(nil, at))
	assert.NotEqual(t, e.AppendScrape(nil, collected), e.AppendScrape(nil, at.Add(time.Second)))
	assert.Equal(t, e.AppendScrape(nil, start), e.AppendScrape(nil, start.Add(-time.Hour)))

	s := scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
	for _, gpu := range w.GPUs() {
		value := func(name string) float64 {
			for series, v := range s.Series {
				if strings.Contains(series, `"`+name+`"`) && strings.Contains(series, fakes.IdentityOf("box").GPUUUID(gpu.Index())) {
					return v
				}
			}
			t.Fatalf("no %s", name)
			return 0
		}
		assert.InDelta(t, 100*gpu.Utilization(collected), value("DCGM_FI_DEV_GPU_UTIL"), 0.5)
		assert.InDelta(t, gpu.Utilization(collected), value("DCGM_FI_PROF_GR_ENGINE_ACTIVE"), 1e-6)
		assert.InDelta(t, gpu.Power(collected), value("DCGM_FI_DEV_POWER_USAGE"), 0.0005)
		assert.InDelta(t, gpu.Temperature(collected), value("DCGM_FI_DEV_GPU_TEMP"), 0.5)
		assert.InDelta(t, gpu.MemoryUsed(collected)/bytesPerMiB, value("DCGM_FI_DEV_FB_USED"), 0.5)
		assert.InDelta(t, 23034, value("DCGM_FI_DEV_FB_USED")+value("DCGM_FI_DEV_FB_FREE")+value("DCGM_FI_DEV_FB_RESERVED"), 0)
		assert.InDelta(t, 1000*(gpu.EnergyBeforeStart()+gpu.Energy(collected)), value("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), 1)
	}
}

func TestCountersNeverFall(t *testing.T) {
	e := New(world(t), "box")
	last := map[string]float64{}
	for at := start; at.Before(start.Add(12 * time.Hour)); at = at.Add(97 * time.Second) {
		s := scrapetest.Parse(t, e.AppendScrape(nil, at), e.ContentType())
		for series, v := range s.Series {
			name, _, _ := strings.Cut(afterFirst(series, `__name__="`), `"`)
			require.GreaterOrEqual(t, v, 0.0)
			if s.Families[name].Type == counter {
				require.GreaterOrEqual(t, v, last[series], series)
			}
		}
		last = s.Series
	}
}

func TestHandler(t *testing.T) {
	e := New(world(t), "box")
	at := start.Add(time.Hour)
	server := httptest.NewServer(e.Handler(func() time.Time { return at }))
	defer server.Close()
	for _, tc := range []struct {
		path        string
		status      int
		kind        string
		nosniff     string
		bodyPattern string
	}{
		{"/metrics", 200, "text/plain; charset=utf-8", "nosniff", `^# HELP DCGM_FI_DEV_SM_CLOCK `},
		{"/health", 200, "text/plain; charset=utf-8", "nosniff", `^OK$`},
		{"/", 200, "text/html; charset=utf-8", "nosniff", `href="\./metrics"`},
		{"/nothing", 404, "text/plain; charset=utf-8", "nosniff", "not found"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+tc.path, nil)
		require.NoError(t, err)
		response, err := server.Client().Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, tc.status, response.StatusCode, tc.path)
		assert.Equal(t, tc.kind, response.Header.Get("Content-Type"), tc.path)
		assert.Equal(t, tc.nosniff, response.Header.Get("X-Content-Type-Options"), tc.path)
		assert.Regexp(t, tc.bodyPattern, string(body), tc.path)
	}
}

func BenchmarkScrape(b *testing.B) {
	e := New(world(b), "box")
	var body []byte
	for i := 0; b.Loop(); i++ {
		body = e.AppendScrape(body[:0], start.Add(time.Duration(i%5760)*15*time.Second))
	}
}

// afterFirst is what follows the first occurrence of sep.
func afterFirst(s, sep string) string {
	_, after, _ := strings.Cut(s, sep)
	return after
}

func BenchmarkBuild(b *testing.B) {
	w := world(b)
	for b.Loop() {
		_, err := Build(w, "box", fakes.Setup{Version: "3.3.5"})
		require.NoError(b, err)
	}
}
