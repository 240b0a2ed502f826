package selftest

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// boardOperators break dashboards as files.
func boardOperators() []Operator {
	return []Operator{
		{
			Name: "dashboard-json-broken", Does: "a comma is missing in a dashboard's JSON",
			Ought: by("dashboard/invalid"),
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				fields := b.Root.Fields()
				if len(fields) < 2 {
					return Mutant{}
				}
				second := s.offset(fields[1].KeyPos())
				comma := strings.LastIndexByte(s.text(b.File)[:second], ',')
				return s.mutant(splice{file: b.File, start: comma, end: comma + 1})
			}),
		},
		{
			Name: "dashboard-api-wrapper", Does: "a dashboard is saved as the HTTP API exchanges it",
			Ought: by("dashboard/api-wrapper"),
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				text := s.text(b.File)
				return s.mutant(splice{file: b.File, text: `{"dashboard": `}, splice{file: b.File, start: len(text), end: len(text), text: `}`})
			}),
		},
		{
			Name: "dashboard-v2", Does: "a dashboard is exported in the model of elements and layouts",
			Ought: by("dashboard/v2-in-file"),
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				v2 := `{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "metadata": {"name": ` + quoted(b.UID.Value) +
					`}, "spec": {"title": ` + quoted(b.Title.Value) + `, "elements": {}, "layout": {"kind": "GridLayout", "spec": {"items": []}}, "variables": []}}`
				return s.mutant(splice{file: b.File, end: len(s.text(b.File)), text: v2})
			}),
		},
		{
			Name: "dashboard-uid-duplicate", Does: "a dashboard is copied and keeps its uid",
			Ought: by("dashboard/uid-duplicate"), Outside: true,
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				return s.with(beside(b.File), strings.Replace(s.text(b.File), quoted(b.Title.Value), quoted(b.Title.Value+" (copy)"), 1))
			}),
		},
		{
			Name: "dashboard-title-clash", Does: "a dashboard is copied to the same folder and keeps its title",
			Ought: by("dashboard/uid-duplicate"), Outside: true,
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				uid := s.offset(b.UID.Pos)
				if b.UID.Pos.Line == 0 {
					return Mutant{}
				}
				text := s.text(b.File)
				return s.with(beside(b.File), text[:uid]+quoted("another-uid")+text[s.end(b.File, uid):])
			}),
		},
		{
			Name: "dashboard-uid-missing", Does: "a dashboard has no uid",
			Ought: by("dashboard/uid-missing"), Outside: true,
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant { return s.member(b.Root, "uid") }),
		},
		{
			Name: "dashboard-uid-too-long", Does: "a dashboard's uid is longer than Grafana takes",
			Ought: by("dashboard/uid-too-long"), Outside: true,
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				return s.set(b.Root, "uid", quoted(strings.Repeat("triton-", 8)))
			}),
		},
		{
			Name: "dashboard-id-set", Does: "a dashboard keeps the id of some database",
			Ought: by("dashboard/id-set"), Outside: true,
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant { return s.set(b.Root, "id", "137") }),
		},
		{
			Name: "dashboard-emptied", Does: "a dashboard has no panel",
			Ought: by("dashboard/empty", "gate/nothing-checked"),
			Mutants: onBoards(func(s *Subject, b *rule.Board) Mutant {
				if !b.Root.Get("panels").Exists() {
					return Mutant{}
				}
				return s.set(b.Root, "panels", "[]")
			}),
		},
	}
}

// panelOperators break panels and what they refer to.
func panelOperators() []Operator {
	return []Operator{
		{
			Name: "panel-uid-broken", Does: "a panel names a datasource that is not provisioned",
			Ought: by("datasource/uid-unknown"),
			Mutants: onPanels(func(s *Subject, p panel) []Mutant {
				return []Mutant{s.set(p.Node, "datasource", `{"type": "prometheus", "uid": "PBFA97CFB590B2093"}`)}
			}),
		},
		{
			Name: "target-uid-broken", Does: "a query names a datasource that is not provisioned",
			Ought: by("datasource/uid-unknown"),
			Mutants: onTargets(func(s *Subject, t *source.Node) Mutant {
				return s.set(t, "datasource", `{"type": "prometheus", "uid": "prometheus-old"}`)
			}),
		},
		{
			Name: "ds-input-left", Does: "a query keeps the ${DS_PROMETHEUS} of an export for sharing",
			Ought: by("datasource/input-unresolved"),
			Mutants: onTargets(func(s *Subject, t *source.Node) Mutant {
				return s.set(t, "datasource", `{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}`)
			}),
		},
		{
			Name: "target-type-wrong", Does: "a query says that its datasource is of another type",
			Ought: by("datasource/type-mismatch"),
			Mutants: onTargets(func(s *Subject, t *source.Node) Mutant {
				return s.value(t.At("datasource", "type"), `"loki"`)
			}),
		},
		{
			Name: "panel-id-duplicate", Does: "two panels share an id",
			Ought: by("panel/id-duplicate"), Outside: true,
			Mutants: func(s *Subject) []Mutant {
				panels := s.panels()
				var out []Mutant
				for i := 1; i < len(panels); i++ {
					if id := panels[i-1].ID.Value; id != "" && panels[i].board == panels[i-1].board {
						out = append(out, s.value(panels[i].Node.Get("id"), id))
					}
				}
				return out
			},
		},
		{
			Name: "panel-type-removed", Does: "a panel is of a type that Grafana has no more",
			Ought: by("panel/type-removed"), Outside: true,
			Mutants: onPanels(func(s *Subject, p panel) []Mutant {
				return []Mutant{s.value(p.Node.Get("type"), `"graph"`), s.value(p.Node.Get("type"), `"singlestat"`)}
			}),
		},
		{
			Name: "panel-plugin-missing", Does: "a panel is of a type that nobody installs",
			Ought: by("panel/plugin-missing"), Outside: true,
			Mutants: onPanels(func(s *Subject, p panel) []Mutant {
				return []Mutant{s.value(p.Node.Get("type"), `"acme-speedometer-panel"`)}
			}),
		},
		{
			Name: "unit-changed", Does: "a panel shows its values in another unit",
			Ought: by("panel/unit-mismatch", untrue),
			Mutants: onPanels(func(s *Subject, p panel) []Mutant {
				var out []Mutant
				for _, other := range otherUnits()[p.Unit.Value] {
					out = append(out, s.at(p.Unit.Pos, quoted(other)))
				}
				return out
			}),
		},
		{
			Name: "legend-label-renamed", Does: "a legend names a label that its series have not",
			Ought: by("panel/legend-label-missing"),
			Mutants: onPanels(func(s *Subject, p panel) []Mutant {
				var out []Mutant
				for _, t := range p.Targets {
					legend := t.LegendFormat
					at := strings.Index(legend.Value, "{{")
					end := strings.Index(legend.Value, "}}")
					if at < 0 || end < at+2 {
						continue
					}
					label := legend.Value[at+2 : end]
					start := s.offset(legend.PosAt(at + 2))
					out = append(out, s.mutant(splice{file: legend.Pos.File, start: start, end: start + len(label), text: misspelled(strings.TrimSpace(label))}))
				}
				return out
			}),
		},
		{
			Name: "min-step-too-short", Does: "a query's min step makes $__rate_interval shorter than four scrapes",
			Ought: slices.Concat(by("promql/rate-window"), empty("window-too-short")),
			Mutants: func(s *Subject) []Mutant {
				return onSites(s, func(at *site) Mutant {
					if s.Stack.Prometheus == nil || !strings.Contains(at.question.Target.Expr.Value, "__rate_interval") {
						return Mutant{}
					}
					third := model.Duration(s.Stack.Prometheus.ScrapeInterval / 3)
					return s.set(at.question.Target.Node, "interval", quoted(third.String()))
				})
			},
		},
		{
			Name: "query-emptied", Does: "a query's text is lost",
			Ought: by("panel/no-data", "panel/query-error"),
			Mutants: onTargets(func(s *Subject, t *source.Node) Mutant {
				return s.value(t.Get("expr"), `""`)
			}),
		},
	}
}

// otherUnits are units of Grafana that look like another and mean something else.
func otherUnits() map[string][]string {
	return map[string][]string{
		"ns": {"µs", "s"}, "µs": {"ms", "s", "percent"}, "ms": {"s", "µs"}, "s": {"ms", "bytes"}, "percent": {"percentunit", "s"}, "percentunit": {"percent"},
		"bytes": {"mbytes", "bits"}, "decbytes": {"decmbytes"}, "mbytes": {"bytes", "decgbytes"}, "watt": {"kwatt", "joule"}, "celsius": {"fahrenheit", "percent"},
		"reqps": {"s", "percent"}, "ops": {"ms"}, "cps": {"ms"}, "rps": {"ms"}, "Bps": {"MBs", "bps"}, "binBps": {"bps"}, "short": {"percentunit", "s"}, "hertz": {"rotmhz"}, "joule": {"watt"},
	}
}

// variableOperators break variables and the use of them.
func variableOperators() []Operator {
	return []Operator{
		{
			Name: "variable-undefined", Does: "a query uses a variable of a misspelled name",
			Ought: by("variable/undefined"),
			Mutants: func(s *Subject) []Mutant {
				var out []Mutant
				for _, site := range s.sites {
					for _, v := range site.question.Board.Variables {
						out = append(out, s.misspell(site, v.Name.Value))
					}
				}
				return out
			},
		},
		{
			Name: "variable-removed", Does: "a dashboard loses a variable that its queries use",
			Ought: by("variable/undefined"),
			Mutants: onVariables("", func(s *Subject, v *source.Node) Mutant {
				return s.value(v.Get("name"), quoted(misspelled(v.Get("name").Str())))
			}),
		},
		{
			Name: "variable-metric-renamed", Does: "a variable's query reads a metric of a misspelled name",
			Ought:   by("variable/empty"),
			Mutants: onVariables("query", inQuery(func(q string) string { return renameIn(q, metricIn(q)) })),
		},
		{
			Name: "variable-label-renamed", Does: "a variable asks for a label that its metric has not",
			Ought: by("variable/empty"),
			Mutants: onVariables("query", inQuery(func(q string) string {
				if !strings.HasPrefix(q, "label_values(") {
					return q
				}
				at := strings.LastIndexByte(q, ',') + 1
				return q[:at] + " " + misspelled(strings.TrimSpace(strings.TrimSuffix(q[at:], ")"))) + ")"
			})),
		},
		{
			Name: "variable-query-broken", Does: "a variable's query lacks a closing bracket",
			Ought: by("variable/query-error", "variable/empty"),
			Mutants: onVariables("query", inQuery(func(q string) string {
				for _, bracket := range []string{"}", ")"} {
					if at := strings.LastIndex(strings.TrimSuffix(q, ")"), bracket); at >= 0 {
						return q[:at] + q[at+1:]
					}
				}
				return q
			})),
		},
		{
			Name: "variable-regex-matches-nothing", Does: "a variable's regex lets no option through",
			Ought: by("variable/empty"),
			Mutants: onVariables("query", func(s *Subject, v *source.Node) Mutant {
				return s.set(v, "regex", `"/^no-such-value$/"`)
			}),
		},
		{
			Name: "variable-uid-broken", Does: "a variable names a datasource that is not provisioned",
			Ought: by("datasource/uid-unknown"),
			Mutants: onVariables("query", func(s *Subject, v *source.Node) Mutant {
				return s.set(v, "datasource", `{"type": "prometheus", "uid": "prometheus-old"}`)
			}),
		},
		{
			Name: "variable-datasource-type-wrong", Does: "a datasource variable offers those of a type that is not provisioned",
			Ought: by("variable/empty", "datasource/uid-unknown", "variable/default-missing", "datasource/type-mismatch"),
			Mutants: onVariables("datasource", func(s *Subject, v *source.Node) Mutant {
				return s.value(v.Get("query"), `"influxdb"`)
			}),
		},
		{
			Name: "variable-default-gone", Does: "a variable's saved value is not among its options",
			Ought: by("variable/default-missing"),
			Mutants: onVariables("query", func(s *Subject, v *source.Node) Mutant {
				value := `{"text": "retired", "value": "retired"}`
				if v.Get("multi").Bool() {
					value = `{"text": ["retired"], "value": ["retired"]}`
				}
				return s.set(v, "current", value)
			}),
		},
	}
}

func onBoards(change func(*Subject, *rule.Board) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		for _, b := range s.classic() {
			out = append(out, change(s, b))
		}
		return out
	}
}

// onPanels changes panels that ask something.
func onPanels(change func(*Subject, panel) []Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		for _, p := range s.panels() {
			if len(p.Targets) > 0 {
				out = append(out, change(s, p)...)
			}
		}
		return out
	}
}

// onTargets changes queries that are asked.
func onTargets(change func(*Subject, *source.Node) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		return onSites(s, func(at *site) Mutant { return change(s, at.question.Target.Node) })
	}
}

// onVariables changes variables of a type, all that queries use where that is "".
func onVariables(kind string, change func(*Subject, *source.Node) Mutant) func(*Subject) []Mutant {
	return func(s *Subject) []Mutant {
		var out []Mutant
		for _, b := range s.classic() {
			for _, v := range b.Variables {
				if v.Node.Exists() && (kind == v.Type.Value || kind == "" && s.uses(b, v.Name.Value)) {
					out = append(out, change(s, v.Node))
				}
			}
		}
		return out
	}
}

// uses says whether a query of the dashboard names a variable.
func (s *Subject) uses(b *rule.Board, name string) bool {
	return slices.ContainsFunc(s.sites, func(at *site) bool {
		return at.question.Board == b && strings.Contains(at.question.Target.Expr.Value, "$"+name)
	})
}

// misspell changes the name of a variable where an expression first uses it.
func (s *Subject) misspell(at *site, name string) Mutant {
	expr := at.question.Target.Expr
	for from := 0; ; {
		i := strings.Index(expr.Value[from:], "$"+name)
		if i < 0 {
			return Mutant{}
		}
		start := from + i + 1
		end := start + len(name)
		if end < len(expr.Value) && (isLetter(expr.Value[end]) || expr.Value[end] == '_' || expr.Value[end] >= '0' && expr.Value[end] <= '9') {
			from = end // a longer name
			continue
		}
		file := expr.Pos.File
		return s.mutant(splice{file: file, start: s.offset(expr.PosAt(start)), end: s.offset(expr.PosAt(end)), text: misspelled(name)})
	}
}

// inQuery changes the text of a variable's query, which is a string or stands in an
// object.
func inQuery(change func(string) string) func(*Subject, *source.Node) Mutant {
	return func(s *Subject, v *source.Node) Mutant {
		n := v.Get("query")
		if inner := n.Get("query"); inner.Exists() {
			n = inner
		}
		if n.Str() == "" || change(n.Str()) == n.Str() {
			return Mutant{}
		}
		return s.value(n, quoted(change(n.Str())))
	}
}

// metricIn is the metric that a variable's query reads first, "" where that is not
// plain to see.
func metricIn(q string) string {
	open := strings.IndexByte(q, '(')
	if open < 0 || !strings.HasPrefix(q, "label_values(") && !strings.HasPrefix(q, "query_result(") {
		return ""
	}
	for _, t := range lex(q[open+1:]) {
		if strings.Contains(t.Val, "_") && !strings.HasPrefix(t.Val, `"`) {
			return t.Val
		}
	}
	return ""
}

// renameIn misspells a name everywhere in a text.
func renameIn(text, name string) string {
	if name == "" {
		return text
	}
	return strings.ReplaceAll(text, name, misspelled(name))
}

// beside is a name for a copy of a file.
func beside(file string) string {
	ext := path.Ext(file)
	return strings.TrimSuffix(file, ext) + "-copy-" + strconv.Itoa(2) + ext
}
