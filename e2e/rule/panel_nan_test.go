package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/why"
)

func TestPanelNaN(t *testing.T) {
	const expr = `sum(rate(up[$__rate_interval])) / sum(x)`
	divided := func(a *Asked) {
		a.Samples, a.Series = 4, 1
		at := len(a.Request.Expr) - len("sum(x)")
		a.Diagnosis = &why.Diagnosis{Reason: why.NoTraffic, Start: at, End: len(a.Request.Expr),
			Message: "the divisor counts events", Evidence: []string{"sum(x) is zero"}, Fix: "choose a scenario with traffic"}
	}
	for _, c := range []struct {
		name   string
		answer func(*Asked)
		want   []expected
	}{
		{name: "NaN, and why", answer: divided, want: []expected{{at: "sum(x)", says: "every sample (4 of 1 series) is NaN or Inf in the 1h",
			evidence: "the divisor counts events\nsum(x) is zero", fix: "scenario"}}},
		{name: "NaN, nobody knows why", answer: func(a *Asked) { a.Samples = 4 }, want: []expected{{at: `"sum(rate`, fix: "divides by"}}},
		{name: "one number among them", answer: func(a *Asked) { a.Samples, a.Finite = 4, 1 }},
		{name: "no data", answer: func(*Asked) {}},
		{name: "an error", answer: func(a *Asked) { a.Samples, a.Err = 4, errors.New("refused") }},
		{name: "expected to be empty", answer: func(a *Asked) { a.Samples, a.Status = 4, StatusExpectedEmpty }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", panelWith(1, "a", expr)))
			in := f.live()
			c.answer(f.ask(in, "a"))
			found := panelNaN().Live(in)
			f.expect(found, c.want)
			if c.name == "NaN, and why" {
				assert.Equal(t, "no-traffic", found[0].Reason)
				assert.Equal(t, "sum(x)", found[0].ExprRun[found[0].Empty.Start:found[0].Empty.End])
			}
		})
	}
}
