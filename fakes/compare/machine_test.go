package compare

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

func TestSeriesAreComparedWhereTheMachineIsTheSame(t *testing.T) {
	const recorded = `DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:03:00.0"} 5
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id="00000000:0A:00.0"} 5
`
	for name, tc := range map[string]struct {
		fake string
		want []Difference
	}{
		"another place on the bus": {`DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:11:00.0"} 5
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id="00000000:12:00.0"} 5
`, nil},
		"one place for both": {`DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:11:00.0"} 5
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id="00000000:11:00.0"} 5
`, []Difference{{
			Kind: Series, Family: "DCGM_FI_DEV_GPU_UTIL", Real: `DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id=#2}`,
			Fake: `DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id=#1}`,
		}}},
		"another order": {`DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id="00000000:12:00.0"} 5
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:11:00.0"} 5
`, []Difference{{Kind: Series}}},
		"one less": {`DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:11:00.0"} 5
`, []Difference{{
			Kind: Series, Family: "DCGM_FI_DEV_GPU_UTIL", Real: `DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id=#2}`, Fake: "no other series",
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Options{Machine: true}.Compare(catalogue.New(), "dcgm", Scrape{Body: []byte(recorded)}, Scrape{Body: []byte(tc.fake)})
			require.NoError(t, err)
			if name == "another order" { // their places on the bus are numbered otherwise then
				require.Len(t, got.Differences, 1)
				assert.Equal(t, Series, got.Differences[0].Kind)
				return
			}
			assert.Equal(t, tc.want, got.Differences)
		})
	}
}

func TestTheSameSeriesInAnotherOrder(t *testing.T) {
	a, b := "nv_inference_count{model=\"a\",version=\"1\"} 1\n", "nv_inference_count{model=\"b\",version=\"1\"} 1\n"
	for redacted, want := range map[bool]int{false: 1, true: 0} {
		got, err := Options{Machine: true}.Compare(catalogue.New(), "triton", Scrape{Body: []byte(a + b), Redacted: redacted}, Scrape{Body: []byte(b + a)})
		require.NoError(t, err)
		assert.Len(t, got.Differences, want)
	}
}

func TestOfAPartOfAPageNothingIsMissed(t *testing.T) {
	body := "nv_inference_count{model=\"a\",version=\"1\"} 1\n"
	more := body + "nv_inference_exec_count{model=\"a\",version=\"1\"} 1\n"
	got, err := Options{Machine: true, Partial: true}.Compare(catalogue.New(), "triton", Scrape{Body: []byte(body)}, Scrape{Body: []byte(more)})
	require.NoError(t, err)
	assert.Empty(t, got.Differences)
	got, err = Options{Machine: true, Partial: true}.Compare(catalogue.New(), "triton", Scrape{Body: []byte(more)}, Scrape{Body: []byte(body)})
	require.NoError(t, err)
	assert.Len(t, got.Differences, 1, "the fake lacks one")
}
