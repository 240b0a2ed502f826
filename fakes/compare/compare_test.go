package compare

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/standard"
)

const base = `# HELP nv_inference_count Number of inferences.
# TYPE nv_inference_count counter
nv_inference_count{model="a",version="1"} 12345678
nv_inference_count{model="b",version="1"} 2
# HELP nv_cpu_utilization CPU.
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.5
`

func TestDifferences(t *testing.T) {
	for name, test := range map[string]struct {
		recorded, fake string
		want, asides   []Difference
	}{
		"the same": {base, base, nil, nil},
		"another machine": {base, `# HELP nv_inference_count Number of inferences.
# TYPE nv_inference_count counter
nv_inference_count{model="x",version="3"} 7
# HELP nv_cpu_utilization CPU.
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.25
`, nil, nil},
		"HELP, TYPE and format": {base, `# HELP nv_inference_count Inferences.
# TYPE nv_inference_count gauge
nv_inference_count{model="a",version="1"} 1.2345678e+07
nv_inference_count{model="b",version="1"} 2
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.5
`, []Difference{
			{Kind: Type, Family: "nv_inference_count", Real: "counter", Fake: "gauge"},
			{Kind: Help, Family: "nv_inference_count", Real: "Number of inferences.", Fake: "Inferences."},
			{Kind: NumberFormat, Family: "nv_inference_count", Real: "12345678 (written out)", Fake: "1.2345678e+07 (as Go's client)"},
			{Kind: Help, Family: "nv_cpu_utilization", Real: "CPU.", Fake: "no HELP line"},
		}, nil},
		"order": {base, `# HELP nv_cpu_utilization CPU.
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.5
# TYPE nv_inference_count counter
# HELP nv_inference_count Number of inferences.
nv_inference_count{version="1",model="b"} 2
nv_inference_count{version="1",model="a"} 12345678
`, []Difference{
			{Kind: HeaderOrder, Family: "nv_inference_count", Real: "HELP, TYPE", Fake: "TYPE, HELP"},
			{Kind: LabelOrder, Family: "nv_inference_count", Real: "{model,version}", Fake: "{version,model}"},
			{
				Kind: FamilyOrder, Family: "nv_inference_count", Real: "nv_inference_count, nv_cpu_utilization",
				Fake: "nv_cpu_utilization, nv_inference_count", Note: "from the 1st shared family on",
			},
		}, nil},
		"order of series": {base, `# HELP nv_inference_count Number of inferences.
# TYPE nv_inference_count counter
nv_inference_count{model="b",version="1"} 2
nv_inference_count{model="a",version="1"} 12345678
# HELP nv_cpu_utilization CPU.
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.5
`, []Difference{{
			Kind: SeriesOrder, Family: "nv_inference_count", Real: `nv_inference_count{model="a",version="1"}, nv_inference_count{model="b",version="1"}`,
			Fake: `nv_inference_count{model="b",version="1"}, nv_inference_count{model="a",version="1"}`,
		}}, nil},
		"labels and families": {base + "# TYPE own gauge\nown 1\n# TYPE nv_new gauge\nnv_new 1\n", `# HELP nv_inference_count Number of inferences.
# TYPE nv_inference_count counter
nv_inference_count{gpu_uuid="GPU-1",model="b",version="1"} 2
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="a",version="1"} 2
`, []Difference{
			{Kind: Labels, Family: "nv_inference_count", Real: "{model,version}", Fake: "{gpu_uuid,model,version}"},
			{Kind: FamilyMissing, Family: "nv_new", Note: "the catalogue does not know it"},
			{Kind: FamilyExtra, Family: "nv_inference_request_success", Note: "since 18.11"},
		}, []Difference{
			{Kind: FamilyMissing, Family: "nv_cpu_utilization", Note: "needs --allow-cpu-metrics, which is the default since 22.09"},
			{Kind: FamilyMissing, Family: "own", Note: "no family of the exporter itself: a back end or a program of one's own adds it"},
		}},
		"samples alone": {"nv_inference_count{model=\"a\",version=\"1\"} 5\nnv_cpu_utilization 0.5\n", base, nil,
			[]Difference{{Kind: Type, Note: "the real scrape has samples alone, without HELP and TYPE: these were not compared"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Compare(catalogue.New(), "triton", Scrape{Body: []byte(test.recorded)}, Scrape{Body: []byte(test.fake)})
			require.NoError(t, err)
			assert.Equal(t, test.want, got.Differences)
			assert.Equal(t, test.asides, got.Asides)
		})
	}
}

func TestNearerLabelsAreNearer(t *testing.T) {
	recorded := Scrape{Body: []byte("DCGM_A{gpu=\"0\",Hostname=\"h\",pod=\"p\"} 1\n")}
	for fake, want := range map[string]int{
		"DCGM_A{gpu=\"0\",Hostname=\"h\"} 1\n": 1, "DCGM_A{gpu=\"0\",hostname=\"h\"} 1\n": 3, "DCGM_A{gpu=\"1\",Hostname=\"i\",pod=\"q\"} 1\n": 0,
	} {
		got, err := Compare(catalogue.New(), "dcgm", recorded, Scrape{Body: []byte(fake)})
		require.NoError(t, err)
		assert.Equal(t, want, got.LabelNames, fake)
	}
}

func TestOptionalFamiliesAreToldAside(t *testing.T) {
	c := catalogue.New()
	for _, m := range c.Of("triton") {
		if m.Optional == "" {
			continue
		}
		got, err := Compare(c, "triton", Scrape{Body: []byte(base + "# TYPE " + m.Name + " gauge\n" + m.Name + " 1\n")}, Scrape{Body: []byte(base)})
		require.NoError(t, err)
		assert.Empty(t, got.Differences, m.Name)
		assert.Equal(t, []Difference{{Kind: FamilyMissing, Family: m.Name, Note: "needs " + m.Optional}}, got.Asides)
		return
	}
	t.Fatal("the catalogue has no optional metric")
}

func TestContentTypesAreComparedWhereKnown(t *testing.T) {
	for recorded, want := range map[string]int{"": 0, "text/plain": 1, "text/plain; charset=utf-8": 0} {
		got, err := Compare(catalogue.New(), "triton", Scrape{Body: []byte(base), ContentType: recorded}, Scrape{Body: []byte(base), ContentType: "text/plain; charset=utf-8"})
		require.NoError(t, err)
		assert.Len(t, got.Differences, want, recorded)
	}
}

func TestRedactedValuesAreInNoOrder(t *testing.T) {
	a, b := "x{a=\"1\"} 1\nx{a=\"2\"} 1\n", "x{a=\"2\"} 1\nx{a=\"1\"} 1\n"
	for redacted, want := range map[bool]int{true: 0, false: 1} {
		got, err := Compare(catalogue.New(), "node", Scrape{Body: []byte(a), Redacted: redacted}, Scrape{Body: []byte(b)})
		require.NoError(t, err)
		assert.Len(t, got.Differences, want)
	}
}

func TestAFakeIsLikeItself(t *testing.T) {
	scenario, err := fakes.BuiltinScenario(fakes.DefaultScenario)
	require.NoError(t, err)
	w := fakes.NewWorld(scenario, time.Unix(1_800_000_000, 0))
	c := catalogue.New()
	for _, name := range standard.Names() {
		one, err := standard.ByName(name, "one", w, fakes.Setup{})
		require.NoError(t, err)
		two, err := standard.ByName(name, "two", w, fakes.Setup{})
		require.NoError(t, err)
		own := Scrape{Body: one.AppendScrape(nil, w.Start().Add(time.Hour)), ContentType: one.ContentType()}
		other := Scrape{Body: two.AppendScrape(nil, w.Start().Add(2*time.Hour)), ContentType: two.ContentType()}
		got, err := Compare(c, name, own, other)
		require.NoError(t, err)
		assert.Empty(t, got.Differences, name)
		assert.Empty(t, got.Asides, name)
		guessed, err := Guess(c, own.Body)
		require.NoError(t, err)
		assert.Equal(t, name, guessed)
	}
}
