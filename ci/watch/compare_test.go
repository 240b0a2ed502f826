package watch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/ci/watch"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	at := func(rule, panel string, line int) report.Finding {
		return report.Finding{Rule: rule, File: "a.json", Panel: panel, Line: line}
	}
	a, moved, b, twice := at("panel/no-data", "GPU", 3), at("panel/no-data", "GPU", 9), at("panel/nan", "GPU", 3), at("panel/no-data", "GPU", 12)
	for _, c := range []struct {
		name             string
		before, now      []report.Finding
		gone, come       []report.Finding
		withoutAnyBefore bool
	}{
		{name: "the first run", now: []report.Finding{a}, withoutAnyBefore: true},
		{name: "nothing", before: []report.Finding{a}, now: []report.Finding{a}},
		{name: "it has moved", before: []report.Finding{a}, now: []report.Finding{moved}},
		{name: "fixed", before: []report.Finding{a, b}, now: []report.Finding{b}, gone: []report.Finding{a}},
		{name: "new", before: []report.Finding{b}, now: []report.Finding{b, a}, come: []report.Finding{a}},
		{name: "one of two", before: []report.Finding{a, twice}, now: []report.Finding{a}, gone: []report.Finding{twice}},
		{name: "another", before: []report.Finding{a}, now: []report.Finding{b}, gone: []report.Finding{a}, come: []report.Finding{b}},
	} {
		before := &report.Document{Findings: c.before}
		if c.withoutAnyBefore {
			before = nil
		}
		gone, come := watch.Compare(before, &report.Document{Findings: c.now})
		assert.Equal(t, c.gone, gone, c.name)
		assert.Equal(t, c.come, come, c.name)
	}
}
