package report

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/internal/need"
)

var update = flag.Bool("update", false, "write the golden files")

// hostile is a title that means something in every format.
const hostile = "a|b `c` <script>alert(1)</script> @everyone [x](http://evil.example) #1 ]]> \x00\x1b[31m\ufffe\u202e\n::error::x\n##[error]y, 100% & \"q\""

// aLine is a line with text before the place that is meant which is one, two, three and
// four bytes wide: é, €, 😀 and a byte that is no text.
const aLine = "  \"é€😀\xff\": \"here\""

// everything is a run that has every status, every severity and every hostile text.
func everything() *Document {
	const board, other = "stack/boards/a b#1%.json", "stack/boards/other.json"
	d := &Document{
		Schema: Schema, Version: "v1.2.3", Stack: "./stack", Env: "embedded", Verdict: Fail, ExitCode: 1, FailOn: "error", DurationMS: 1234.5,
		Began: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Notes: []string{"a note of " + hostile},
		Counts: Counts{Dashboards: 2, Panels: 5, Queries: 6, OK: 2, Failed: 2, ExpectedEmpty: 1, Unchecked: 1, Skipped: 1, Targets: 3, TargetsUp: 2, Errors: 4, Warnings: 2, Infos: 1, Suppressed: 1},
		Dashboards: []Dashboard{
			{UID: "a", Title: "Triton " + hostile, File: board, Panels: []Panel{
				{ID: 1, Title: "Rate", Type: "timeseries", Row: "Traffic", File: board, Line: 10, Column: 5, RefIDs: []string{"A", "B"}},
				{ID: 2, Title: hostile, Type: "stat", File: board, Line: 30, Column: 5, RefIDs: []string{"A"}},
				{ID: 3, Type: "text", File: board, Line: 40, Column: 5, RefIDs: []string{}},
				{ID: 4, Title: "Rate", Type: "stat", Row: "Traffic", File: board, Line: 50, Column: 5, RefIDs: []string{"A"}},
			}},
			{UID: "b", File: other, Panels: []Panel{{ID: 1, Title: "Old", Type: "graph", File: other, Line: 3, Column: 5, RefIDs: []string{"A", "B"}}}},
		},
		Findings: []Finding{
			{Rule: "panel/no-data", Severity: "error", File: board, Line: 12, Column: 17, Dashboard: "a", DashboardTitle: "Triton " + hostile, Panel: "Rate", PanelID: 1, RefID: "B",
				Expr: "sum(rate(x[$w]))\n```\n::error::z", ExprRun: "sum(rate(x[1m]))", Empty: &Span{9, 14}, Message: "no data", Reason: "metric-missing",
				Evidence: []string{"no metric x", "nearest names: y"}, Fix: "write y", Mended: "sum(rate(y[$w]))"},
			{Rule: "panel/unit", Severity: "warning", File: board, Line: 15, Column: 3, Dashboard: "a", DashboardTitle: "Triton " + hostile, Panel: "Rate", PanelID: 1, RefID: "B", Message: "no unit", Evidence: []string{}},
			{Rule: "panel/query-error", Severity: "error", File: board, Line: 32, Column: 9, Dashboard: "a", DashboardTitle: "Triton " + hostile, Panel: hostile, PanelID: 2, RefID: "A", Message: hostile, Reason: "syntax", Evidence: []string{hostile}, Fix: hostile},
			{Rule: "dashboard/uid-missing", Severity: "error", File: board, Dashboard: "a", Message: "no uid", Evidence: []string{}},
			{Rule: "panel/unit", Severity: "info", File: other, Line: 3, Column: 5, Dashboard: "b", Panel: "Old", PanelID: 1, Message: "no unit", Evidence: []string{}},
			{Rule: "prometheus/target-down", Severity: "error", File: "stack/prometheus/prometheus.yml", Line: 2, Column: 11, Message: "job x at 127.0.0.1:9090 is down", Evidence: []string{}},
			{Rule: "panel/no-data", Severity: "error", File: board, Line: 52, Column: 9, Dashboard: "a", DashboardTitle: "Triton", Panel: "Rate", PanelID: 4, RefID: "A", Expr: "up", Message: "no data", Reason: "target-down", Evidence: []string{"down"}},
			{Rule: "alert/never-fires", Severity: "warning", File: "/elsewhere/rules.yml", Line: 4, Column: 3, Subject: `alert "X" of group "Y"`, Expr: "x > 1", Message: "it never fires", Evidence: []string{}},
			{Rule: "gate/of-tomorrow", Severity: "grave", Message: "in no file", Evidence: []string{}},
		},
		Suppressed: []Suppressed{{
			Finding: Finding{Rule: "panel/no-data", Severity: "error", File: board, Line: 12, Column: 17, Dashboard: "a", Panel: "Rate", PanelID: 1, RefID: "A", Message: "no data", Evidence: []string{}},
			Why:     "known since June " + hostile, By: "stack/panelgate.yml:3:5",
		}},
		Targets: []Target{{Job: "triton", Up: true}},
	}
	for _, q := range []Query{
		{PanelID: 1, Panel: "Rate", RefID: "A", Line: 11, Status: rule.StatusOK, DurationMS: 1.5},
		{PanelID: 1, Panel: "Rate", RefID: "B", Line: 12, Status: rule.StatusFailed, DurationMS: 2},
		{PanelID: 2, Panel: hostile, RefID: "A", Line: 32, Status: rule.StatusFailed, Why: hostile},
		{PanelID: 4, Panel: "Rate", RefID: "A", Line: 52, Status: rule.StatusFailed},
	} {
		q.Dashboard, q.DashboardTitle, q.DashboardFile, q.File = "a", "Triton "+hostile, board, board
		d.Queries = append(d.Queries, q)
	}
	for _, q := range []Query{
		{RefID: "A", Line: 5, Status: rule.StatusExpectedEmpty},
		{RefID: "B", Line: 6, Status: rule.StatusUnchecked, Why: "Loki is not run"},
		{RefID: "C", Line: 7, Status: rule.StatusSkipped, Why: "it is hidden " + hostile},
		{RefID: "D", Line: 8, Status: rule.StatusFailed, Why: "rule is off"},
	} {
		q.Dashboard, q.DashboardFile, q.File, q.PanelID, q.Panel = "b", other, other, 1, "Old"
		d.Queries = append(d.Queries, q)
	}
	d.Checkout = Checkout{Dir: "/repo/infra", Root: "/repo", Read: func(name string) ([]byte, error) {
		if name != board {
			return nil, errors.New("not there")
		}
		return []byte(strings.Repeat("\n", 11) + aLine + strings.Repeat("\n    \"a\": 1", 60)), nil
	}}
	return d
}

// unrun is a run that could not be run.
func unrun() *Document {
	return &Document{Schema: Schema, Version: "v1.2.3", Stack: "./stack", Env: "docker", Verdict: Failed, ExitCode: 3,
		Error: "start prometheus: no such image\n::error::" + hostile, Checkout: Checkout{Dir: "/repo", Root: "/repo"}}
}

func linted() *Document {
	d := everything()
	d.Env, d.Queries, d.Targets = "static", []Query{}, []Target{}
	return d
}

type writer func(io.Writer, *Document) error

func written(t *testing.T, write writer, d *Document) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, write(&out, d))
	return out.Bytes()
}

func TestFormats(t *testing.T) {
	for name, write := range map[string]writer{
		"junit.xml": JUnit, "sarif.json": SARIF, "markdown.md": Markdown, "code-quality.json": CodeQuality, "annotations.txt": Annotations,
		"text.txt": func(w io.Writer, d *Document) error { return Text(w, d, TextOptions{Verbose: true}) },
	} {
		for kind, d := range map[string]*Document{"everything": everything(), "unrun": unrun(), "lint": linted()} {
			t.Run(kind+"."+name, func(t *testing.T) {
				got := written(t, write, d)
				if name == "sarif.json" { // the rules change, and have tests of their own
					got = regexp.MustCompile(`(?s)        "driver": \{.*?\n        \}\n`).ReplaceAll(got, []byte("        \"driver\": {}\n"))
					got = regexp.MustCompile(`"ruleIndex": \d+`).ReplaceAll(got, []byte(`"ruleIndex": 0`))
				}
				golden(t, kind+"."+name, got)
			})
		}
	}
}

// The JSON and the stream hold what files say as it is: that is escaped by whoever shows it.
func TestDocumentsOfARun(t *testing.T) {
	golden(t, "failing.json", written(t, JSON, NewDocument(failing())))
	golden(t, "failing.ndjson", []byte(streamed(t, failing())))
}

func TestFormatsOfAMatrix(t *testing.T) {
	for name, write := range map[string]func(io.Writer, MatrixResult) error{
		"junit.xml": MatrixJUnit, "markdown.md": MatrixMarkdown, "annotations.txt": MatrixAnnotations,
	} {
		never := MatrixResult{Verdict: Failed, ExitCode: 2, Err: errors.New("no such file")}
		for kind, m := range map[string]MatrixResult{"matrix": tried(t), "matrix-never-begun": never} {
			t.Run(kind+"."+name, func(t *testing.T) {
				var out bytes.Buffer
				require.NoError(t, write(&out, m))
				golden(t, kind+"."+name, out.Bytes())
				assert.ErrorContains(t, write(full{}, m), "no room")
			})
		}
	}
}

// golden compares with what is known to be right, and clean of what a terminal would obey.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "formats", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	assert.NotContains(t, string(got), "\x1b")
	assert.NotContains(t, string(got), "\u202e")
}

func TestFormatsSayWhereTheyCouldNotWrite(t *testing.T) {
	for want, write := range map[string]writer{
		"write the JUnit report": JUnit, "write the SARIF report": SARIF, "write the Markdown report": Markdown,
		"write the code quality report": CodeQuality, "write the annotations": Annotations,
	} {
		assert.ErrorContains(t, write(full{}, everything()), want)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestJUnitIsValid(t *testing.T) {
	lint := need.Program(t, "xmllint")
	for kind, d := range map[string]*Document{"everything": everything(), "unrun": unrun(), "lint": linted(), "empty": {Verdict: Fail}} {
		file := filepath.Join(t.TempDir(), "junit.xml")
		require.NoError(t, os.WriteFile(file, written(t, JUnit, d), 0o644))
		out, err := exec.CommandContext(t.Context(), lint, "--noout", "--schema", "testdata/schema/junit.xsd", file).CombinedOutput()
		assert.NoError(t, err, "%s: %s", kind, out)
	}
}

func TestJUnitAddsUp(t *testing.T) {
	for kind, d := range map[string]*Document{"everything": everything(), "unrun": unrun(), "lint": linted(), "empty": {Verdict: Fail}} {
		var all xmlSuites
		require.NoError(t, xml.Unmarshal(written(t, JUnit, d), &all), kind)
		var tests, failures, errs int
		for _, s := range all.Suites {
			var failed, wrong, skipped int
			names := map[string]bool{}
			for _, c := range s.Cases {
				assert.False(t, names[c.Name], "%s: %s twice", kind, c.Name)
				names[c.Name] = true
				if c.Failure != nil {
					failed++
				}
				if c.Error != nil {
					wrong++
				}
				if c.Skipped != nil {
					skipped++
				}
			}
			assert.Equal(t, []int{len(s.Cases), failed, wrong, skipped}, []int{s.Tests, s.Failures, s.Errors, s.Skipped}, "%s: %s", kind, s.Name)
			tests, failures, errs = tests+s.Tests, failures+s.Failures, errs+s.Errors
		}
		assert.Equal(t, []int{tests, failures, errs}, []int{all.Tests, all.Failures, all.Errors}, kind)
		assert.Equal(t, d.ExitCode == 3, errs > 0, kind)
		assert.Equal(t, d.Verdict == Fail, failures > 0, kind)
	}
}

// Whatever a run is told to mind, its JUnit fails where it does and nowhere else, and
// tells of every finding.
func TestJUnitFailsWithTheRun(t *testing.T) {
	for failOn, failing := range map[string]bool{"error": false, "warning": true, "info": true} {
		d := everything()
		d.FailOn = failOn
		d.Findings = slices.DeleteFunc(d.Findings, func(f Finding) bool { return f.Weight() == rule.Error })
		if !failing {
			d.Verdict = Pass
		}
		var all xmlSuites
		out := written(t, JUnit, d)
		require.NoError(t, xml.Unmarshal(out, &all))
		assert.Equal(t, failing, all.Failures > 0, failOn)
		for _, f := range d.Findings {
			assert.Contains(t, string(out), f.Severity+" "+f.Rule, failOn)
		}
	}
}

func TestXMLTextHasNoForbiddenCharacter(t *testing.T) {
	for c := rune(0); c < 0x20; c++ {
		want := "\ufffd"
		if c == '\t' || c == '\n' {
			want = string(c)
		}
		assert.Equal(t, want, xmlText(string(c)))
	}
	assert.Equal(t, "\ufffd\ufffd\ufffd", xmlText("\ufffe\uffff\xff"))
}

// sarifSchema is OASIS' own, from a module that the linters need anyway.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	root := material.ModuleRoot(t)
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "-modfile="+filepath.Join("tools", "go.mod"), "github.com/securego/gosec/v2")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err, "fetch the module that has the schema: %s", out)
	var module struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &module))
	f, err := os.Open(filepath.Join(module.Dir, "report", "sarif", "testdata", "sarif-schema-2.1.0.json"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	document, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("sarif.json", document))
	schema, err := c.Compile("sarif.json")
	require.NoError(t, err)
	return schema
}

func TestSARIFIsValid(t *testing.T) {
	schema := sarifSchema(t)
	for kind, d := range map[string]*Document{"everything": everything(), "unrun": unrun(), "lint": linted(), "empty": {Verdict: Fail}} {
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, SARIF, d)))
		require.NoError(t, err, kind)
		assert.NoError(t, schema.Validate(instance), kind)
	}
	broken := bytes.Replace(written(t, SARIF, everything()), []byte(`"level": "error"`), []byte(`"level": "grave"`), 1)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(broken))
	require.NoError(t, err)
	assert.Error(t, schema.Validate(instance), "the schema is asked")
}

func sarifOf(t *testing.T, d *Document) sarifRun {
	t.Helper()
	var log sarifLog
	require.NoError(t, json.Unmarshal(written(t, SARIF, d), &log))
	require.Len(t, log.Runs, 1)
	return log.Runs[0]
}

func TestSARIFNamesItsRules(t *testing.T) {
	run := sarifOf(t, everything())
	rules := run.Tool.Driver.Rules
	ids := map[string]bool{}
	for _, r := range rules {
		assert.False(t, ids[r.ID], "%s is there twice", r.ID)
		ids[r.ID] = true
	}
	for _, r := range rule.All() {
		assert.True(t, ids[r.ID], r.ID)
	}
	for _, r := range run.Results {
		assert.Equal(t, r.RuleID, rules[r.RuleIndex].ID)
		assert.NotEmpty(t, r.Locations, "GitHub refuses a file in which a result has no place")
	}
	i := slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == "panel/no-data" })
	assert.Equal(t, ruleDocs+"panel/no-data.md", rules[i].HelpURI)
	assert.Contains(t, rules[i].Help.Markdown, "("+ruleDocs+"panel/nan.md)", "a link leads somewhere from elsewhere too")
	assert.NotRegexp(t, `\]\([a-z.]`+`[^:)]*\.md`, rules[i].Help.Markdown)
}

func TestSARIFPlaces(t *testing.T) {
	run := sarifOf(t, everything())
	first := run.Results[0].Locations[0].Physical
	assert.Equal(t, sarifArtifact{URI: "infra/stack/boards/a%20b%231%25.json", Base: sourceRoot}, first.Artifact)
	require.Equal(t, `"here"`, aLine[16:])
	// Byte 17 is the quote before it. Two spaces, a quote, é, €, 😀, which takes two, the
	// byte that is no text and `": ` come before.
	assert.Equal(t, &sarifRegion{StartLine: 12, StartColumn: 12}, first.Region)
	assert.Equal(t, "utf16CodeUnits", run.ColumnKind)
	assert.Equal(t, 0, run.Results[5].Locations[0].Physical.Region.StartColumn, "what cannot be read has a line and no column")
	assert.Equal(t, "file:///elsewhere/rules.yml", run.Results[7].Locations[0].Physical.Artifact.URI)
	assert.Empty(t, run.Results[7].Locations[0].Physical.Artifact.Base)
	assert.Equal(t, "infra/stack", run.Results[8].Locations[0].Physical.Artifact.URI)
}

func TestColumnsCountUTF16(t *testing.T) {
	c := everything().Checkout.columns()
	const board = "stack/boards/a b#1%.json"
	for column, want := range map[int]int{1: 1, 3: 3, 4: 4, 6: 5, 9: 6, 13: 8, 14: 9, 18: 13, 22: 17, 23: 18, 24: 0, 0: 0} {
		assert.Equal(t, want, c.of(board, 12, column), "byte %d of %q", column, aLine)
	}
	assert.Equal(t, 0, c.of(board, 0, 1))
	assert.Equal(t, 0, c.of(board, 1000, 1))
	assert.Equal(t, 0, c.of("nowhere", 1, 1))
}

func TestRel(t *testing.T) {
	c := Checkout{Dir: "/repo/infra", Root: "/repo"}
	for file, want := range map[string]string{
		"stack/a.json": "infra/stack/a.json", "../other/a.json": "other/a.json", "/repo/x.json": "x.json",
		"../../out.json": "!/out.json", "/repository/x.json": "!/repository/x.json", "..a/b.json": "infra/..a/b.json",
	} {
		name, inside := c.Rel(file)
		if !inside {
			name = "!" + name
		}
		assert.Equal(t, want, name, file)
	}
	name, inside := Checkout{}.Rel("./stack/a.json")
	assert.Equal(t, "stack/a.json", name, "a document of which nothing is known names files as it does")
	assert.True(t, inside)
}

func fingerprintsOf(d *Document) []string {
	prints := d.fingerprints()
	var out []string
	for _, f := range d.Findings {
		out = append(out, prints.of(f))
	}
	return out
}

func TestFingerprints(t *testing.T) {
	before := fingerprintsOf(everything())
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(before))), len(before), "they are unique")

	moved := everything()
	for i := range moved.Findings {
		moved.Findings[i].Line += 7
		moved.Findings[i].Column++
		moved.Findings[i].Message = strings.ReplaceAll(moved.Findings[i].Message, "9090", "41234")
	}
	assert.Equal(t, before, fingerprintsOf(moved), "lines and ports move")

	added := everything()
	added.Findings = slices.Insert(added.Findings, 0, Finding{Rule: "panel/no-data", Severity: "error", File: "stack/boards/a b#1%.json", Dashboard: "a", Panel: "New", PanelID: 9, RefID: "A", Expr: "up"})
	assert.Equal(t, before, fingerprintsOf(added)[1:], "another panel has been added")

	elsewhere := everything()
	elsewhere.Checkout.Dir = "/repo"
	for i, f := range elsewhere.Findings {
		if f.File != "" && !filepath.IsAbs(f.File) {
			elsewhere.Findings[i].File = "infra/" + f.File
		}
	}
	elsewhere.Findings = elsewhere.Findings[:8] // the last is in no file
	assert.Equal(t, before[:8], fingerprintsOf(elsewhere), "it was run from another directory")

	twice := everything()
	twice.Findings = append(twice.Findings, twice.Findings[0])
	after := fingerprintsOf(twice)
	assert.NotContains(t, before, after[len(after)-1])

	var seen []string
	for _, issue := range codeQualityOf(t, everything()) {
		seen = append(seen, issue.Fingerprint)
	}
	assert.Equal(t, before, seen)
}

func codeQualityOf(t *testing.T, d *Document) (issues []codeQualityIssue) {
	t.Helper()
	require.NoError(t, json.Unmarshal(written(t, CodeQuality, d), &issues))
	return issues
}

func TestCodeQuality(t *testing.T) {
	issues := codeQualityOf(t, everything())
	require.Len(t, issues, 9)
	assert.Equal(t, "major", issues[0].Severity)
	assert.Equal(t, codeQualityLocation{Path: "infra/stack/boards/a b#1%.json", Lines: codeQualityLines{12}}, issues[0].Location)
	for _, i := range issues {
		assert.NotEmpty(t, i.Location.Path)
		assert.Positive(t, i.Location.Lines.Begin)
	}
	assert.Equal(t, "[]\n", string(written(t, CodeQuality, &Document{Verdict: Pass})), "no finding is an empty list and no null")
	unrunIssues := codeQualityOf(t, unrun())
	require.Len(t, unrunIssues, 1, "a run that could not be run has not mended anything")
	assert.Equal(t, "blocker", unrunIssues[0].Severity)
}

func TestMarkdownIsBounded(t *testing.T) {
	d := everything()
	for i := range 1000 {
		f := d.Findings[0]
		f.PanelID, f.Message = int64(i+10), strings.Repeat(hostile, 10)
		d.Findings = append(d.Findings, f)
		d.Dashboards = append(d.Dashboards, d.Dashboards[0])
	}
	out := string(written(t, Markdown, d))
	assert.LessOrEqual(t, len(out), mostMarkdown)
	assert.True(t, strings.HasPrefix(out, MarkdownMark+"\n"))
	m := regexp.MustCompile(`\*\*(\d+) findings left out`).FindStringSubmatch(out)
	require.NotNil(t, m)
	told := strings.Count(out, "<details><summary>")
	var left int
	_, err := fmt.Sscan(m[1], &left)
	require.NoError(t, err)
	assert.Positive(t, left)
	// One for information is not told, and one is the end of another's story, left out too.
	assert.Equal(t, len(d.Findings)-1, told+left)
	assert.Regexp(t, `… and \d+ dashboards more`, out)
	assert.Equal(t, told, strings.Count(out, "</details>"), "nothing is left open")
}

func TestMarkdownEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"a|b": `a\|b`, "`x`": "\\`x\\`", "<img>": "&lt;img&gt;", "@me": "@&#8203;me", "[a](b)": `\[a\](b)`, "# x": "#&#8203; x",
		"http://x.y": "http:&#8203;//x.y", "www.x.y": "www&#8203;.x.y", "GH-1": "GH-&#8203;1", "- x": "&#8203;- x", "1. x": "&#8203;1. x",
		"a_b*c~d": `a\_b\*c\~d`, "&lt;": "&amp;lt;", `\`: `\\`, "a\n\nb": "a b", "x\u202ey": "x\ufffdy",
	} {
		assert.Equal(t, want, inline(in), in)
	}
	assert.Equal(t, "&lt;b&gt; @&#8203;me #&#8203;1 &amp; http:&#8203;//x it&#39;s", summary("<b> @me #1 & http://x it's"))
	assert.Equal(t, "a<br>\\`b\\`", paragraph("a\n`b`"))
	assert.Equal(t, "`` a`b ``", "`` "+strings.Trim(code("a`b"), "`")+" ``")
	assert.Equal(t, "````x\n```\n````", fenced("x", "```"))
}

func TestAnnotationsAreFewAndGraveFirst(t *testing.T) {
	d := everything()
	d.Findings = nil
	for i := range 12 {
		for _, s := range []string{"info", "warning", "error"} {
			d.Findings = append(d.Findings, Finding{Rule: "panel/no-data", Severity: s, File: "stack/x.json", Line: i + 1, Message: "m"})
		}
	}
	var kinds []string
	out := string(written(t, Annotations, d))
	for line := range strings.Lines(out) {
		kind, _, _ := strings.Cut(line, " ")
		kinds = append(kinds, kind)
	}
	want := slices.Concat(slices.Repeat([]string{"::error"}, 10), slices.Repeat([]string{"::warning"}, 10), slices.Repeat([]string{"::notice"}, 10))
	assert.Equal(t, want, kinds)
	assert.Contains(t, out, "7 findings more: GitHub shows ten of a kind")
}

func TestAnnotationsAreOneLineEach(t *testing.T) {
	d := everything()
	out := string(written(t, Annotations, d))
	assert.Len(t, slices.Collect(strings.Lines(out)), len(d.Findings))
	for line := range strings.Lines(out) {
		m := regexp.MustCompile(`^::(error|warning|notice) (file=[^,:]+,line=\d+(,col=\d+)?,title=[^,:]+)::.+\n$`).FindStringSubmatch(line)
		assert.NotNil(t, m, line)
	}
	assert.Contains(t, out, "file=infra/stack/boards/a b#1%25.json,line=12,col=12,title=panel/no-data::")
}

func TestDisarm(t *testing.T) {
	for in, want := range map[string]string{
		"a\n::error::x\n":      "a\n:\u200b:error::x\n",
		"\t  ::stop-commands:": "\t  :\u200b:stop-commands:",
		"why ##[error]x":       "why #\u200b#[error]x",
		"a::b\n:c":             "a::b\n:c",
		"\r::x":                "\r:\u200b:x",
	} {
		assert.Equal(t, want, string(Disarm([]byte(in))), in)
	}
}
