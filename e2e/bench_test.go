package e2e

import (
	"strings"
	"testing"

	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/stack"
)

// BenchmarkVerify is one whole run on the shipped stack, at the dashboard's own
// range and with a day of history.
func BenchmarkVerify(b *testing.B) {
	for _, bc := range []struct{ name, from string }{{"1h", "now-1h"}, {"24h", "now-24h"}} {
		b.Run(bc.name, func(b *testing.B) {
			s, err := stack.Load(b.Context(), shippedDir)
			if err != nil {
				b.Fatal(err)
			}
			for _, d := range s.Dashboards {
				d.From.Value = strings.Replace(d.From.Value, "now-1h", bc.from, 1)
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := Verify(b.Context(), s, Options{Config: &config.Config{}, History: 25 * DefaultHistory / 24})
				if err != nil {
					b.Fatal(err)
				}
				if len(r.Queries) == 0 {
					b.Fatal("nothing was asked")
				}
			}
		})
	}
}
