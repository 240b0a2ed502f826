package paneltest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"GPU Temperature":         "GPU_Temperature",
		"Latency p99.9 (ms)":      "Latency_p99.9_ms",
		"in / out":                "in_out",
		"Größe – 大きさ":             "Größe_大きさ",
		" \x1b[31m":               "31m",
		"$model | $gpu":           "model_gpu",
		"?!":                      "",
		"already_fine-with.signs": "already_fine-with.signs",
	} {
		assert.Equal(t, want, slug(title), title)
	}
}

func text(s string) source.Text { return source.Text{Value: s} }

func at(line int) source.Pos { return source.Pos{File: "boards/a.json", Line: line, Column: 1} }

// names are the subtests and, behind a colon, what is found at each.
func names(n *node, above string) []string {
	var out []string
	for _, c := range n.below {
		name := above + c.name
		for _, f := range c.findings {
			name += ":" + f.Message
		}
		out = append(append(out, name), names(c, name+"/")...)
	}
	return out
}

func TestPlanTellsThingsOfOneNameApart(t *testing.T) {
	target := func(line int) *dashboard.Target { return &dashboard.Target{RefID: text("A"), Pos: at(line)} }
	row := &dashboard.Panel{ID: text("9"), Type: text("row"), Title: text("Dashboard!"), Pos: at(10)}
	first := &dashboard.Panel{ID: text("1"), Title: text("CPU %"), Pos: at(20), Targets: []*dashboard.Target{target(22), target(24)}}
	second := &dashboard.Panel{ID: text("2"), Title: text("CPU"), Pos: at(30), Row: row}
	copied := &dashboard.Panel{ID: text("1"), Title: text("CPU %"), Pos: at(40), Targets: []*dashboard.Target{target(42)}}
	untitled := &dashboard.Panel{ID: text("7"), Pos: at(50)}
	board := func(uid, file string) *rule.Board {
		return &rule.Board{Board: &stack.Board{Dashboard: &dashboard.Dashboard{File: file, UID: text(uid), Title: text("Stack"),
			Panels: []*dashboard.Panel{row, first, second, copied, untitled}}}}
	}
	a, b := board("a", "boards/a.json"), board("b", "boards/b.json")
	query := func(p *dashboard.Panel, target *dashboard.Target) *rule.Asked {
		return &rule.Asked{Question: &rule.Question{Board: a, Panel: p, Target: target}}
	}
	cpu := rule.Finding{Dashboard: "a", DashboardTitle: "Stack", Panel: "CPU %", PanelID: 1}
	finding := func(message string, line int, of rule.Finding, refID string) rule.Finding {
		of.Message, of.Pos, of.RefID = message, at(line), refID
		return of
	}
	page := rule.Finding{Dashboard: "a", DashboardTitle: "Stack"}
	r := &e2e.Report{
		Boards:  []*rule.Board{a, b},
		Queries: []*rule.Asked{query(first, first.Targets[0]), query(first, first.Targets[1]), query(second, nil), query(copied, copied.Targets[0]), query(untitled, nil)},
		Findings: []rule.Finding{
			finding("second query", 25, cpu, "A"), finding("copy", 42, cpu, "A"), finding("copy's panel", 41, cpu, ""),
			finding("variable", 5, page, ""), finding("port", 1, rule.Finding{}, ""),
			finding("alert", 1, rule.Finding{Dashboard: "a", DashboardTitle: "Stack", Subject: "alert X"}, ""),
			finding("no such dashboard", 1, rule.Finding{Dashboard: "c"}, ""),
		},
	}
	assert.Equal(t, []string{
		"stack:port:alert:no such dashboard",
		"Stack", "Stack/dashboard:variable",
		"Stack/no_row",
		"Stack/no_row/CPU", "Stack/no_row/CPU/A", "Stack/no_row/CPU/A_line_24:second query",
		"Stack/no_row/CPU_id_1", "Stack/no_row/CPU_id_1/A:copy", "Stack/no_row/CPU_id_1/panel:copy's panel",
		"Stack/no_row/panel_7", "Stack/no_row/panel_7/panel",
		"Stack/Dashboard", "Stack/Dashboard/CPU", "Stack/Dashboard/CPU/panel",
		"Stack_b", "Stack_b/dashboard",
	}, names(plan(r), ""))
}

// What is mild or excluded at a query's own place is why it may fail in peace.
func TestBlamed(t *testing.T) {
	grave, mild := []rule.Finding{{Severity: rule.Error}}, []rule.Finding{{Severity: rule.Info}}
	stackNode := &node{name: "stack", of: part(ofTheStack), findings: grave}
	quiet := &node{name: "dashboard", of: part(ofTheDashboard), findings: mild}
	panel := func(n node) *node { n.name, n.of = "panel", part(ofThePanel); return &n }
	x := &teller{failOn: rule.Error}
	for name, c := range map[string]struct {
		own   node
		above []*node
		want  *node
	}{
		"nothing is found anywhere":     {node{}, []*node{quiet}, nil},
		"its own finding":               {node{findings: grave}, []*node{stackNode}, nil},
		"its own mild finding":          {node{findings: mild}, []*node{stackNode}, nil},
		"its own exclusion":             {node{excluded: []rule.Excluded{{}}}, []*node{stackNode}, nil},
		"its panel's mild finding":      {node{}, []*node{panel(node{findings: mild}), stackNode}, nil},
		"the stack's, past the panel's": {node{}, []*node{panel(node{}), quiet, stackNode}, stackNode},
	} {
		t.Run(name, func(t *testing.T) { assert.Same(t, c.want, x.blamed(&c.own, c.above)) })
	}
}
