package selftest

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/rule"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	one := func(legend string, values ...float64) *drawn {
		l := line{legend: legend, points: map[int64]float64{}}
		for i, v := range values {
			if v != -1 { // a gap
				l.points[int64(i)*1000] = v
			}
		}
		return &drawn{where: "P A", title: "P", unit: "s", lines: []line{l}}
	}
	nan := math.NaN()
	unit := one("a", 1, 2)
	unit.unit = "ms"
	failed := one("a")
	failed.lines, failed.failed = nil, "refused"
	for _, c := range []struct {
		name     string
		was, is  *drawn
		expected []string
	}{
		{"the same", one("a", 1, nan, 3), one("a", 1, nan, 3), nil},
		{"less than can be seen", one("a", 100, 200), one("a", 101, 203), nil},
		{"a small series of its own", one("a", 0.001, 0.002), one("a", 0.002, 0.004), []string{`P A: "a" 0.003 on average, was 0.0015 (×2)`}},
		{"values", one("a", 1, 3), one("a", 1000, 3000), []string{`P A: "a" 2000 on average, was 2 (×1000)`}},
		{"legend", one("a", 1), one("b", 1), []string{`P A: legend "b", was "a"`}},
		{"unit", one("a", 1, 2), unit, []string{`P A: unit "ms", was "s"`}},
		{"a gap", one("a", 1, 2, 3), one("a", 1, -1, 3), []string{`P A: "a" has 2 values, had 3`}},
		{"what only one was asked for", one("a", 1, 2), one("a", 1, 2, 3, 4), nil},
		{"no answer", one("a", 1), failed, []string{`P A: no answer (refused)`}},
		{"NaN", one("a", 1), one("a", nan), []string{`P A: "a" 0 on average, was 1`}},
	} {
		assert.Equal(t, c.expected, c.was.changes(c.is, time.UnixMilli(10_000)), c.name)
	}
	assert.Empty(t, one("a", 1, 2, 3).changes(one("a", 1, 2, 30), time.UnixMilli(1500)), "what comes after is not compared")
}

func TestLegendOf(t *testing.T) {
	t.Parallel()
	m := model.Metric{"gpu": "0", "instance": "a:1"}
	assert.Equal(t, "GPU 0 · a:1 ", legendOf("GPU {{gpu}} · {{ instance }} {{other}}", m))
	assert.Equal(t, "{{gpu", legendOf("{{gpu", m))
}

func TestBeyond(t *testing.T) {
	t.Parallel()
	f := func(id, message string, severity rule.Severity) rule.Finding {
		return rule.Finding{Rule: id, Message: message, Severity: severity}
	}
	base := &seen{findings: []rule.Finding{f("a/b", "line 12 is wrong", rule.Error)}}
	got := &seen{findings: []rule.Finding{f("a/b", "line 14 is wrong", rule.Error), f("a/b", "line 20 is wrong", rule.Error), f("c/d", "", rule.Info)}}
	assert.Equal(t, []rule.Finding{got.findings[1]}, base.beyond(got))
}
