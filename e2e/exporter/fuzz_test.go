package exporter

import (
	"slices"
	"strings"
	"testing"

	"github.com/panelgate/panelgate/fakes/standard"
)

// FuzzVersions wants releases that are acted out, each once, and that reading them again changes nothing.
func FuzzVersions(f *testing.F) {
	for _, seed := range [][2]string{
		{"triton", "20.06..24.07"}, {"triton", "24.07.., 26.06"}, {"dcgm", "3.3.5,..4.0.0"}, {"vllm", ".."}, {"node", "v1.9.1,1.9.1"}, {"triton", "24.07..20.06"}, {"node", ",\x1b[2J"}, {"dcgm", "main....main"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if !slices.Contains(standard.Names(), name) {
			return
		}
		known := standard.Versions(name)
		got, err := Versions(name, text)
		if err != nil {
			if got != nil || !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), "no release") {
				t.Fatalf("%q: %q does not say what of", text, err)
			}
			return
		}
		if len(got) == 0 || len(got) > len(known) {
			t.Fatalf("%q: %d of %d releases", text, len(got), len(known))
		}
		for i, v := range got {
			if !slices.Contains(known, v) || slices.Contains(got[:i], v) {
				t.Fatalf("%q: %q is not acted out, or there twice", text, v)
			}
		}
		again, err := Versions(name, strings.Join(got, ","))
		if err != nil || !slices.Equal(again, got) {
			t.Fatalf("%q is read as %q, and that as %q: %v", text, got, again, err)
		}
	})
}
