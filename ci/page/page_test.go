package page

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/ci/drawing"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/rule"
)

const hostile = "</script><img src=x onerror=\"window.owned=1\"><!-- \u2028 \u202ertl"

// line is a series of an hour.
func line(name string, n int) drawing.Series {
	s := drawing.Series{Name: name, RefID: "A", Start: 1_780_000_000_000, Step: 60_000, Reduced: []drawing.Number{42.5}}
	for i := range 60 {
		s.Values = append(s.Values, drawing.Number(50+20*math.Sin(float64(i+n)/6)))
	}
	return s
}

// of makes a panel of a kind, eight wide, the nth of its section.
func of(kind drawing.Kind, id int64, title string, n, section int) drawing.Panel {
	return drawing.Panel{
		ID: id, Title: title, Type: string(kind), Kind: kind, Section: section, RefIDs: []string{"A"}, ExprRuns: []string{"up"},
		Grid: drawing.Grid{X: n % 3 * 8, Y: n / 3 * 8, W: 8, H: 8}, Field: drawing.Field{Unit: "percent", Line: drawing.Line{Width: 1, Fill: 10}},
		Look: drawing.Look{Legend: "list"}, From: 1_780_000_000_000, To: 1_780_003_600_000, Series: []drawing.Series{line("one", 0), line("two", 9)}, Calcs: []string{"lastNotNull"},
	}
}

func ptr[T any](v T) *T { return &v }

// fixture is a run with a panel of each kind, one of them broken, in three rows.
func fixture() *report.Document {
	table := of(drawing.Table, 5, "Table", 4, 1)
	table.Series, table.Columns = nil, &drawing.TableData{Columns: []drawing.Column{{Name: "host"}, {Name: "Value"}}, Rows: [][]drawing.Cell{
		{{Text: "b"}, {Number: ptr(drawing.Number(2))}}, {{Text: "a"}, {Number: ptr(drawing.Number(10))}},
	}}
	heat := of(drawing.Heatmap, 6, "Heat", 5, 1)
	heat.Series, heat.Buckets = nil, &drawing.BucketData{Start: heat.From, Step: 60_000, Names: []string{"1", "+Inf"}, Bounds: []drawing.Number{1, drawing.Number(math.Inf(1))}, Cells: [][]drawing.Number{{1, 2, 3}, {0, 1, 5}}}
	states := of(drawing.Timeline, 8, "States", 7, 1)
	states.Field.Mappings = []drawing.Mapping{{From: ptr(0.0), To: ptr(50.0), Text: "low", Color: "#73BF69"}, {From: ptr(50.0), To: ptr(100.0), Text: "high", Color: "#F2495C"}}
	broken := of(drawing.Graph, 10, "Broken", 0, 2)
	broken.Series, broken.ExprRuns = nil, []string{`sum(é_missing) + up`}
	prose := drawing.Panel{ID: 9, Title: "Prose", Type: "text", Kind: drawing.Text, Section: 1, Grid: drawing.Grid{X: 16, Y: 16, W: 8, H: 8}, Text: hostile}
	right := of(drawing.Graph, 11, "Two axes", 1, 2)
	right.Series[1].Field = &drawing.Field{Unit: "bytes", Line: drawing.Line{Right: true, Width: 1}}
	d := &drawing.Drawing{File: "boards/one.json", UID: "one", Title: "One", Panels: []drawing.Panel{
		of(drawing.Graph, 1, "Lines of "+hostile, 0, 0),
		{Title: "Open row", Type: "row", Kind: drawing.Row, Section: 1, Grid: drawing.Grid{W: 24, H: 1}},
		of(drawing.Graph, 1001, "Lines", 0, 1), of(drawing.Stat, 2, "Stat", 1, 1), of(drawing.Gauge, 3, "Gauge", 2, 1), of(drawing.BarGauge, 4, "Bars", 3, 1), table, heat, of(drawing.Pie, 7, "Pie", 6, 1), states, prose,
		{Title: "Row with a broken one", Type: "row", Kind: drawing.Row, Section: 2, Collapsed: true, Grid: drawing.Grid{W: 24, H: 1}}, broken, right,
		{Title: "Closed row", Type: "row", Kind: drawing.Row, Section: 3, Collapsed: true, Grid: drawing.Grid{W: 24, H: 1}}, of(drawing.None, 12, "Map", 0, 3), of(drawing.Graph, 13, "Unchecked", 1, 3),
	}}
	d.Panels[15].Type = "geomap"
	d.Panels[16].Series = nil
	document := &report.Document{
		Schema: report.Schema, Version: "v0", Stack: "stack", Env: "embedded", Verdict: report.Fail, DurationMS: 1234, Began: time.UnixMilli(1_780_003_600_000),
		Counts:     report.Counts{Dashboards: 1, Panels: 14, Queries: 13, Errors: 1, Warnings: 1, Targets: 2, TargetsUp: 1},
		Targets:    []report.Target{{Job: "up", URL: "http://a", Up: true}, {Job: "down", URL: "http://b", Error: "connection refused " + hostile}},
		Dashboards: []report.Dashboard{{UID: "one", Title: "One", File: "boards/one.json"}}, Drawings: []*drawing.Drawing{d},
		Findings: []report.Finding{
			{Rule: "panel/no-data", Severity: "error", File: "boards/one.json", Line: 7, Column: 3, Dashboard: "one", Panel: "Broken", PanelID: 10, RefID: "A", ExprRun: `sum(é_missing) + up`,
				Empty: &report.Span{Start: 4, End: 14}, Message: "no data in the hour", Reason: "metric-missing", Evidence: []string{"nearest names: é_there"}, Fix: "write é_there"},
			{Rule: "panel/unit", Severity: "warning", File: "boards/one.json", Dashboard: "one", Panel: "Stat", PanelID: 2, Message: "the unit is odd " + hostile},
			{Rule: "dashboard/uid", Severity: "warning", File: "boards/one.json", Dashboard: "one", Message: "of the dashboard"},
			{Rule: "stack/port", Severity: "warning", File: "compose.yml", Message: "of no dashboard"},
		},
		Suppressed: []report.Suppressed{{Finding: report.Finding{Rule: "panel/nan", Severity: "error", Message: "known"}, Why: "it is so", By: "panelgate.yml:3:1"}},
		Queries: []report.Query{
			{PanelID: 10, Panel: "Broken", RefID: "A", DashboardFile: "boards/one.json", Expr: "sum($m) + up", ExprRun: `sum(é_missing) + up`, Status: rule.StatusFailed},
			{PanelID: 13, Panel: "Unchecked", RefID: "A", DashboardFile: "boards/one.json", Expr: "up", Status: rule.StatusUnchecked, Why: "the datasource is of type loki"},
			{PanelID: 1001, Panel: "Lines", RefID: "A", DashboardFile: "boards/one.json", Expr: "rate(needle_total[5m])", ExprRun: "up", Status: rule.StatusOK, Series: 2, Samples: 120},
		},
	}
	return document
}

func TestTheDataCannotEndItsScript(t *testing.T) {
	d := fixture()
	d.Stack = hostile
	var out strings.Builder
	require.NoError(t, Write(&out, d, Options{}))
	assert.NotContains(t, out.String(), "<img")
	assert.Equal(t, 2, strings.Count(out.String(), "</script>"), "its data's and its own")
	data := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(out.String())
	require.Len(t, data, 2)
	assert.NotContains(t, data[1], "\u2028")
	var back content
	require.NoError(t, json.Unmarshal([]byte(data[1]), &back))
	assert.Equal(t, hostile, back.Stack)
}

func TestPolicyLetsOnlyALivePageConnect(t *testing.T) {
	policyOf := func(opts Options) string {
		var out strings.Builder
		require.NoError(t, Write(&out, fixture(), opts))
		return regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(out.String())[1]
	}
	assert.NotContains(t, policyOf(Options{}), "connect-src")
	assert.Contains(t, policyOf(Options{Live: true}), "connect-src")
	assert.NotContains(t, policyOf(Options{Live: true}), "unsafe")
}

func TestFindingsGoToTheirPanels(t *testing.T) {
	c := contentOf(fixture(), Options{})
	require.Len(t, c.Dashboards, 1)
	byTitle := map[string]*panel{}
	for _, p := range c.Dashboards[0].Panels {
		byTitle[p.Title] = p
	}
	assert.Equal(t, Broken, byTitle["Broken"].Status)
	assert.Equal(t, Warning, byTitle["Stat"].Status)
	assert.Equal(t, Unchecked, byTitle["Unchecked"].Status)
	assert.Equal(t, OK, byTitle["Lines"].Status)
	assert.Empty(t, byTitle["Open row"].Status)
	require.Len(t, c.Dashboards[0].Findings, 1)
	assert.Equal(t, "dashboard/uid", c.Dashboards[0].Findings[0].Rule)
	require.Len(t, c.Findings, 1)
	assert.Equal(t, "stack/port", c.Findings[0].Rule)
}

// TestCopiesHaveTheirOwnFindings holds what is said of one copy of a repeated panel
// against the others.
func TestCopiesHaveTheirOwnFindings(t *testing.T) {
	d := fixture()
	one, two := of(drawing.Graph, 50, "Repeated", 0, 0), of(drawing.Graph, 50, "Repeated", 1, 0)
	one.ExprRuns, two.ExprRuns, two.Copy = []string{`x{h="a"}`}, []string{`x{h="b"}`}, 1
	d.Drawings[0].Panels = []drawing.Panel{one, two}
	finding := report.Finding{Rule: "panel/no-data", Severity: "error", File: "boards/one.json", Panel: "Repeated", PanelID: 50, RefID: "A", ExprRun: `x{h="b"}`}
	d.Findings = []report.Finding{finding}
	panels := contentOf(d, Options{}).Dashboards[0].Panels
	assert.Empty(t, panels[0].Findings)
	assert.Len(t, panels[1].Findings, 1)
	d.Findings[0].ExprRun = ""
	panels = contentOf(d, Options{}).Dashboards[0].Panels
	assert.Len(t, panels[0].Findings, 1, "what is about the panel is about each copy")
}

// TestWithoutDrawings makes a page of a report that was read from its JSON.
func TestWithoutDrawings(t *testing.T) {
	d := fixture()
	d.Drawings = nil
	d.Dashboards[0].Panels = []report.Panel{{ID: 10, Title: "Broken", Type: "timeseries", File: "boards/one.json", Line: 5, Column: 1, RefIDs: []string{"A"}}}
	p := contentOf(d, Options{}).Dashboards[0].Panels[0]
	assert.Equal(t, Broken, p.Status)
	assert.Equal(t, "boards/one.json:5:1", p.Place)
	assert.NotEmpty(t, p.Notes)
}

func TestPage(t *testing.T) {
	b := browse(t)
	file := written(t, fixture(), Options{})
	b.size(1440, 1200, "dark")
	b.open(file, "")

	t.Run("head", func(t *testing.T) {
		b := b.in(t)
		assert.Contains(t, b.text(".top"), "Fail")
		assert.Contains(t, b.text(".targets"), "1 of 2 targets up")
		assert.Contains(t, b.text(".targets"), "connection refused")
		assert.Contains(t, b.text("main"), "Suppressed (1)")
	})
	t.Run("hostile text does nothing", func(t *testing.T) {
		b := b.in(t)
		assert.Equal(t, "undefined", eval[string](b, `typeof window.owned`))
		assert.Zero(t, eval[int](b, `document.images.length`))
		assert.Contains(t, b.text(".panel h4"), "<img")
		assert.Equal(t, hostile, eval[string](b, `document.querySelector(".prose")?.textContent ?? (page.panels.find(c => c.title === "Prose").draw(), document.querySelector(".prose").textContent)`))
	})
	t.Run("a broken panel shows its finding", func(t *testing.T) {
		b := b.in(t)
		b.run(chromedp.Evaluate(`page.panels.find(c => c.title === "Broken").article.scrollIntoView()`, nil))
		b.until(`document.querySelector(".panel.broken mark") !== null`)
		shown := b.text(".panel.broken")
		for _, want := range []string{"panel/no-data", "no data in the hour", "metric-missing", "nearest names: é_there", "write é_there", "boards/one.json:7:3"} {
			assert.Contains(t, shown, want)
		}
		assert.Equal(t, "é_missing", b.text(".panel.broken mark"), "the span is in bytes")
	})
	t.Run("collapsed rows open", func(t *testing.T) {
		b := b.in(t)
		assert.Equal(t, []string{"true", "true", "false"}, eval[[]string](b, `[...document.querySelectorAll(".row button")].map(r => r.ariaExpanded)`), "the one with something broken is open")
		before := b.count(".panel")
		b.run(chromedp.Evaluate(`[...document.querySelectorAll(".row button")].at(-1).click()`, nil))
		assert.Equal(t, before+2, b.count(".panel"))
		b.run(chromedp.Evaluate(`page.panels.at(-1).article.scrollIntoView()`, nil))
		b.until(`page.panels.at(-1).drawn`)
		assert.Contains(t, eval[string](b, `page.panels.at(-1).article.innerText`), "not checked: the datasource is of type loki")
		assert.Contains(t, eval[string](b, `page.panels.at(-2).article.innerText`), "not drawn: panel type geomap, 2 series")
		b.run(chromedp.Evaluate(`[...document.querySelectorAll(".row button")].at(-1).click()`, nil))
	})
	t.Run("filters", func(t *testing.T) {
		b := b.in(t)
		for _, tt := range []struct {
			filter string
			want   int
		}{{"broken", 1}, {"warning", 1}, {"unchecked", 1}, {"all", 12}} {
			b.run(chromedp.Click(`[data-filter="`+tt.filter+`"]`, chromedp.ByQuery))
			assert.Equal(t, tt.want, b.count(".panel"), tt.filter)
		}
	})
	t.Run("search and keys", func(t *testing.T) {
		b := b.in(t)
		// The key alone: a driver sends the character too, which a browser keeps back.
		b.run(input.DispatchKeyEvent(input.KeyRawDown).WithKey("/").WithCode("Slash"))
		b.until(`document.activeElement.id === "search"`)
		b.key("needle_total")
		b.until(`document.getElementById("found").textContent === "1 of 14 panels"`)
		assert.Equal(t, 1, b.count(".panel"))
		b.key("\x1b")
		b.until(`document.getElementById("search").value === "" && document.activeElement.id !== "search"`)
		assert.Equal(t, 12, b.count(".panel"))
		b.key("j")
		b.until(`document.activeElement.dataset.status === "broken"`)
		b.run(input.DispatchKeyEvent(input.KeyRawDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13))
		b.until(`document.querySelector("dialog[open]")?.innerText.includes("sum($m) + up")`)
		b.key("\x1b")
		b.until(`!document.querySelector("dialog")`)
		b.key("?")
		b.until(`document.querySelector("dialog[open]")?.innerText.includes("next broken panel")`)
		b.key("\x1b")
		b.until(`!document.querySelector("dialog")`)
	})
	t.Run("a table sorts", func(t *testing.T) {
		b := b.in(t)
		b.run(chromedp.Evaluate(`page.panels.find(c => c.title === "Table").draw(); document.querySelectorAll("table.data th button")[1].click()`, nil))
		assert.Equal(t, "a", b.text("table.data td"), "the greatest first")
	})
	t.Run("every chart says in words what it shows", func(t *testing.T) {
		b := b.in(t)
		b.run(chromedp.Evaluate(`page.panels.forEach(c => c.article.checkVisibility() && !c.drawn && c.draw())`, nil))
		assert.Zero(t, eval[int](b, `[...document.querySelectorAll(".body > .data")].filter(d => !d.ariaLabel).length`))
		assert.Contains(t, eval[string](b, `page.panels.find(c => c.title === "Lines").article.querySelector(".data").ariaLabel`), "Time series, 2 series from 2026-05-28")
	})
	t.Run("the theme is switched", func(t *testing.T) {
		b := b.in(t)
		b.run(chromedp.Click(`#theme`, chromedp.ByQuery))
		assert.Equal(t, "light", eval[string](b, `document.documentElement.dataset.theme`))
	})
	b.quiet()
}

// TestLooks holds the page against Grafana's grid at three widths, in both themes.
func TestLooks(t *testing.T) {
	b := browse(t)
	file := written(t, fixture(), Options{})
	for _, width := range []int64{390, 820, 1440} {
		for _, theme := range []string{"dark", "light"} {
			t.Run(fmt.Sprintf("%s at %d", theme, width), func(t *testing.T) {
				b := b.in(t)
				b.size(width, 1400, theme)
				b.open(file, "")
				assert.Equal(t, theme, eval[string](b, `document.documentElement.dataset.theme`))
				assert.LessOrEqual(t, eval[float64](b, `document.documentElement.scrollWidth`), float64(width), "nothing stands out to the right")
				b.run(chromedp.Evaluate(`page.panels.forEach(c => c.article.checkVisibility() && !c.drawn && c.draw())`, nil))
				assert.LessOrEqual(t, eval[float64](b, `document.documentElement.scrollWidth`), float64(width), "not when all is drawn either")
				assert.Empty(t, eval[[]string](b, misplaced), "panels are where the grid says")
				assert.Empty(t, eval[[]string](b, overflowing), "no canvas and no picture is larger than its panel")
				assert.Empty(t, eval[[]string](b, faint), "text is dark enough on what is behind it")
				shot(t, b, fmt.Sprintf("%s-%d.png", theme, width))
			})
		}
	}
	b.quiet()
}

// misplaced lists the panels that are not at their place on the grid, or, on a phone,
// not below one another at the full width.
const misplaced = `page.panels.filter(c => c.article.checkVisibility()).filter(c => {
	const g = c.article.parentElement.getBoundingClientRect(), r = c.article.getBoundingClientRect(), { x, y, w, h } = c.p.grid, off = (a, b) => Math.abs(a - b) > 1;
	if (innerWidth <= 700) return off(r.width, g.width);
	const column = (g.width - 23 * 8) / 24;
	return off(r.left - g.left, x * (column + 8)) || off(r.width, w * column + (w - 1) * 8) || off(r.top - g.top, y * 38) || off(r.height, h * 38 - 8);
}).map(c => c.title)`

const overflowing = `[...document.querySelectorAll(".panel canvas, .panel svg, .panel .legend, .panel .findings")].filter(e => {
	const p = e.closest(".panel").getBoundingClientRect(), r = e.getBoundingClientRect();
	return r.width > 0 && (r.right > p.right + 1 || r.bottom > p.bottom + 1 || r.left < p.left - 1);
}).map(e => e.closest(".panel").state.title + ": " + (e.className.baseVal ?? e.className))`

// faint lists text whose contrast to the panel or the page is below 4.5.
const faint = `(() => {
	const probe = document.createElement("canvas").getContext("2d");
	const hexOf = color => { probe.fillStyle = color; return probe.fillStyle; };
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== "rgba(0, 0, 0, 0)") return hexOf(c); } return "#ffffff"; };
	return [...new Set([...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && e.closest("body") && !e.closest("script, svg, .entry.off") && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
		.filter(e => contrast(hexOf(getComputedStyle(e).color), ground(e)) < 4.5).map(e => e.tagName + "." + e.className + " " + getComputedStyle(e).color + " on " + ground(e)))];
})()`

// shot keeps a picture of the whole page where PANELGATE_SHOTS says, for people to look at.
func shot(t *testing.T, b *browser, name string) {
	t.Helper()
	dir := os.Getenv("PANELGATE_SHOTS")
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	require.NotEmpty(t, png)
	if dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o644))
	}
}

func TestPicture(t *testing.T) {
	d := fixture()
	second := *d.Drawings[0]
	second.File, second.Title = "boards/two.json", "Two"
	d.Drawings = append(d.Drawings, &second)
	d.Dashboards = append(d.Dashboards, report.Dashboard{UID: "two", Title: "Two", File: "boards/two.json"})
	b := browse(t)
	b.size(1440, 600, "light")
	file := written(t, d, Options{})
	b.open(file, "#picture=1")
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll("[data-dashboard]").length`))
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll('[data-dashboard="1"]').length`))
	assert.Zero(t, b.count(".controls, .top"))
	assert.Zero(t, eval[int](b, `[...document.querySelectorAll(".panel")].filter(p => p.checkVisibility() && !p.dataset.drawn).length`), "all of it is drawn, not what is in view alone")
	b.run(chromedp.Evaluate(`location.hash = "picture=0"`, nil))
	b.until(`document.querySelector('[data-dashboard="0"]') && document.documentElement.dataset.ready === "true"`)
	b.quiet()
}

func TestLinkToAPanel(t *testing.T) {
	b := browse(t)
	b.size(1000, 700, "dark")
	b.open(written(t, fixture(), Options{}), "#d=0&p=12")
	b.until(`document.activeElement.state?.p.id === 12`)
	assert.Equal(t, 14, b.count(".panel"), "its row was closed")
	b.quiet()
}

// TestUnits holds the texts of values against those that Grafana writes.
func TestUnits(t *testing.T) {
	b := browse(t)
	b.open(written(t, fixture(), Options{}), "")
	for _, tt := range []struct {
		value, unit, decimals, want string
	}{
		{"0", "", "", "0"}, {"3", "none", "", "3"}, {"1234.5678", "none", "", "1235"}, {"0.012345", "none", "", "0.0123"},
		{"1234567", "short", "", "1.23 Mil"}, {"999", "short", "", "999"}, {"42.4242", "percent", "1", "42.4%"}, {"0.4242", "percentunit", "", "42.4%"},
		{"71560", "µs", "", "71.6 ms"}, {"250", "µs", "", "250 µs"}, {"0", "µs", "", "0 µs"}, {"90", "s", "", "1.50 min"}, {"0.002", "s", "", "2 ms"}, {"7200", "s", "", "2 hours"}, {"1500", "ms", "", "1.50 s"},
		{"1024", "bytes", "", "1 KiB"}, {"1024", "mbytes", "", "1 GiB"}, {"1500", "decbytes", "", "1.50 kB"}, {"2500000", "Bps", "", "2.50 MB/s"}, {"8000", "bps", "", "8 kb/s"},
		{"12345", "reqps", "", "12.3 K req/s"}, {"5", "ops", "", "5 ops/s"}, {"36.6", "celsius", "", "36.6 °C"}, {"250", "watt", "", "250 W"}, {"1500", "watt", "", "1.50 kW"}, {"1500", "mwatt", "", "1.50 W"}, {"2e9", "hertz", "", "2 GHz"},
		{"1", "bool_on_off", "", "On"}, {"3", "tasks", "", "3 tasks"}, {"3", "suffix: x", "", "3 x"}, {"3", "constructor", "", "3 constructor"}, {"null", "bytes", "", "NaN"}, {`"+Inf"`, "bytes", "", "∞"}, {"-1500", "short", "", "-1.50 K"},
	} {
		field := fmt.Sprintf(`{unit: %q}`, tt.unit)
		if tt.decimals != "" {
			field = fmt.Sprintf(`{unit: %q, decimals: %s}`, tt.unit, tt.decimals)
		}
		assert.Equal(t, tt.want, eval[string](b, fmt.Sprintf(`format(%s, %s)`, tt.value, field)), "%s %s", tt.value, tt.unit)
	}
	b.quiet()
}

// thousand is a run of a thousand panels.
func thousand() *report.Document {
	d := fixture()
	d.Findings, d.Queries = nil, nil
	panels := make([]drawing.Panel, 1000)
	for i := range panels {
		panels[i] = of(drawing.Graph, int64(i+1), fmt.Sprintf("Panel %d", i), i, 0)
		for n := range panels[i].Series {
			panels[i].Series[n].Values = make([]drawing.Number, 360)
			for k := range 360 {
				panels[i].Series[n].Values[k] = drawing.Number(100 * math.Sin(float64(k*(n+1)+i)/30))
			}
			panels[i].Series[n].Step = 10_000
		}
	}
	d.Drawings[0].Panels = panels
	return d
}

// TestOnlyWhatIsInViewIsDrawn is why a page of a thousand panels opens at once.
func TestOnlyWhatIsInViewIsDrawn(t *testing.T) {
	b := browse(t)
	b.size(1440, 900, "dark")
	b.open(written(t, thousand(), Options{}), "")
	assert.Equal(t, 1000, eval[int](b, `page.panels.length`))
	drawn := eval[int](b, `page.panels.filter(c => c.drawn).length`)
	assert.Positive(t, drawn)
	assert.Less(t, drawn, 40)
	b.run(chromedp.Evaluate(`page.panels.at(-1).article.scrollIntoView()`, nil))
	b.until(`page.panels.at(-1).drawn`)
	assert.Less(t, eval[int](b, `page.panels.filter(c => c.drawn).length`), 100, "those that were passed over are not drawn")
	b.quiet()
}

// BenchmarkOpen is the time until a page of a thousand panels is ready.
func BenchmarkOpen(b *testing.B) {
	file := written(b, thousand(), Options{})
	tab := browse(b)
	tab.size(1440, 900, "dark")
	for b.Loop() {
		tab.open(file, "")
	}
}

func BenchmarkWrite(b *testing.B) {
	d := thousand()
	for b.Loop() {
		var out strings.Builder
		if err := Write(&out, d, Options{}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(out.Len()))
	}
}
