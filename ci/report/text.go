package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/story"
)

// TextOptions choose how much is said to people, and whether in colour.
type TextOptions struct {
	Color, Verbose bool
	// Info shows findings of severity info too, as Verbose does.
	Info bool
}

// Text writes a document for people: a line a dashboard, each finding, a count.
func Text(w io.Writer, d *Document, opts TextOptions) error {
	t := &text{Document: d, TextOptions: opts, asked: map[string][]*Query{}, worst: map[string]rule.Severity{}}
	for i, q := range d.Queries {
		t.asked[q.DashboardFile] = append(t.asked[q.DashboardFile], &d.Queries[i])
	}
	for _, f := range d.Findings {
		t.worst[f.File] = max(t.worst[f.File], f.Weight())
	}
	for _, b := range d.Dashboards {
		t.dashboard(b)
	}
	hidden := 0
	for _, f := range d.Findings {
		if f.Weight() == rule.Info && !opts.Verbose && !opts.Info {
			hidden++
			continue
		}
		if cause := t.cause(f); cause != "" {
			t.follow(f, cause)
			continue
		}
		if t.told++; t.told <= mostFindings || opts.Verbose {
			t.finding(f)
		}
	}
	if more := t.told - mostFindings; more > 0 && !opts.Verbose {
		t.printf("\n… and %s more: -v or --json tells all\n", plural(more, "finding"))
	}
	for _, c := range t.consequences {
		t.consequence(c)
	}
	if opts.Verbose {
		t.excluded()
		t.stages()
	}
	for _, n := range d.Notes {
		t.printf("\n%s  %s\n", t.paint(dim, "note"), Clean(n))
	}
	t.summary(hidden)
	if _, err := w.Write(t.buf.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type text struct {
	*Document
	TextOptions
	buf          bytes.Buffer
	consequences []*consequence
	told         int                      // findings with a story of their own
	asked        map[string][]*Query      // by the dashboard's file
	worst        map[string]rule.Severity // of the findings in a file
}

// mostFindings is how many findings, and places of one consequence, are printed
// in full: nobody reads more, and the first ones are the gravest.
const mostFindings = 50

// consequence gathers findings that another one already explains.
type consequence struct {
	severity          rule.Severity
	rule, reason, see string
	findings          []Finding
}

func (t *text) printf(format string, args ...any) {
	fmt.Fprintf(&t.buf, format, args...) // a bytes.Buffer never fails
}

// The few colours, by what they mean.
const (
	red, yellow, green, blue, bold, dim = "31", "33", "32", "34", "1", "2"
)

func (t *text) paint(code, s string) string {
	if !t.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) dashboard(b Dashboard) {
	var c Counts
	for _, q := range t.asked[b.File] {
		c.add(q.Status)
		c.Queries++
	}
	worst := t.worst[b.File]
	mark := t.paint(green, "ok  ")
	switch {
	case t.Verdict == Pass && (worst == rule.Error || c.Failed > 0): // rules that would say so are switched off
		mark = t.paint(yellow, "warn")
	case worst == rule.Error || c.Failed > 0:
		mark = t.paint(red, "FAIL")
	case worst == rule.Warning:
		mark = t.paint(yellow, "warn")
	}
	t.printf("%s  %s  %s", mark, t.paint(bold, Clean(flat(clipped(b.Name(), 300)))), plural(len(b.Panels), "panel"))
	if !t.Static() {
		t.printf(", %s%s", plural(c.Queries, "query"), c.details())
	}
	t.printf("\n")
	if t.Verbose {
		t.queries(b)
	}
}

// flat is a text on one line: a title may have line breaks.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// details lists how a dashboard's queries came out, where not all are ok.
func (c Counts) details() string {
	if c.OK == c.Queries {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.OK, "ok"}, {c.Failed, "failed"}, {c.ExpectedEmpty, "expected empty"}, {c.Unchecked, "unchecked"}, {c.Skipped, "skipped"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func (t *text) queries(b Dashboard) {
	for _, q := range t.asked[b.File] {
		ref := ""
		if q.RefID != "" {
			ref = " › " + q.RefID
		}
		t.printf("      %-14s %s: %s, %s, %.1f ms", q.Status, Clean(flat(q.Panel+ref)),
			fmt.Sprintf("%d series", q.Series), plural(q.Samples, "sample"), q.DurationMS)
		if q.Every > 1 {
			t.printf(", one step in %d", q.Every)
		}
		if q.Why != "" && q.Status != rule.StatusFailed {
			t.printf(" (%s)", Clean(flat(q.Why)))
		}
		if q.Cached {
			t.printf(", from the cache")
		}
		t.printf("\n")
	}
}

func severityColor(s rule.Severity) string {
	switch s {
	case rule.Error:
		return red
	case rule.Warning:
		return yellow
	default:
		return blue
	}
}

func (t *text) finding(f Finding) {
	t.printf("\n%s %s  %s\n", t.paint(severityColor(f.Weight()), f.Severity), t.paint(bold, f.Rule), Clean(f.Place().String()))
	t.printf("%s", t.style().Finding(f.told()))
}

// style is how a finding's story is told here.
func (t *text) style() story.Style {
	return story.Style{Full: t.Verbose, Rest: "in --json", Label: func(s string) string { return t.paint(dim, s) }}
}

// cause is the rule that already told the story of which a finding is the end: a
// panel without data because its target is down needs no page of its own. With
// --verbose everything is said.
func (t *text) cause(f Finding) string {
	cause := map[string]string{"target-down": "prometheus/target-down", "variable-empty": "variable/empty"}[f.Reason]
	if t.Verbose || cause == "" {
		return ""
	}
	for _, other := range t.Findings {
		if other.Rule == cause {
			return cause
		}
	}
	return ""
}

// follow puts a finding to the others of the same cause.
func (t *text) follow(f Finding, cause string) {
	for _, c := range t.consequences {
		if c.rule == f.Rule && c.reason == f.Reason && c.severity == f.Weight() {
			c.findings = append(c.findings, f)
			return
		}
	}
	t.consequences = append(t.consequences, &consequence{severity: f.Weight(), rule: f.Rule, reason: f.Reason, see: cause,
		findings: []Finding{f}})
}

func (t *text) consequence(c *consequence) {
	t.printf("\n%s %s  in %s, because of %s above (%s)\n", t.paint(severityColor(c.severity), c.severity.String()), t.paint(bold, c.rule),
		plural(len(c.findings), "place"), c.see, c.reason)
	for i, f := range c.findings {
		if i == mostFindings {
			t.printf("  … and %d more\n", len(c.findings)-i)
			break
		}
		what := clickPath(f)
		if f.PanelID == 0 && f.Panel == "" { // a variable, say: what it is stands first in the message
			what, _, _ = strings.Cut(f.Message, ":")
		}
		t.printf("  %s  %s\n", Clean(f.Place().String()), Clean(what))
	}
}

// clickPath names dashboard, panel and refId as a person would click them, or the
// rule that it is about.
func clickPath(f Finding) string { return story.Path(f.told()) }

// field prints a labelled value; further lines of it are indented below.
func (t *text) field(name, value string) { t.printf("%s", t.style().Field(name, value)) }

// took is a duration in milliseconds as people read it.
func took(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Millisecond)
}

// excluded tells of the findings that do not count, and who says so.
func (t *text) excluded() {
	for _, x := range t.Suppressed {
		t.printf("\n%s %s  %s\n", t.paint(dim, "excluded"), t.paint(bold, x.Rule), Clean(x.Place().String()))
		if where := clickPath(x.Finding); where != "" {
			t.field("at", where)
		}
		t.field("seen", x.Message)
		why := x.Why
		if why == "" {
			why = "no reason is given"
		}
		t.field("by", x.By+": "+why)
	}
}

func (t *text) stages() {
	t.printf("\n")
	for _, s := range t.Stages {
		t.printf("  %-14s %7.1f ms\n", Clean(s.Name), s.DurationMS)
	}
}

func (t *text) summary(hidden int) {
	c := t.Counts
	verdict := t.paint(green, "pass")
	if t.Verdict != Pass {
		verdict = t.paint(red, "fail")
	}
	if len(t.Findings) > hidden {
		t.printf("\n")
	}
	checked := plural(c.Dashboards, "dashboard")
	if part := t.Alone(); part != "" {
		checked = part
	}
	t.printf("%s: %s, %s", verdict, checked, plural(c.Panels, "panel"))
	if !t.Static() {
		t.printf(", %s, %d of %s up", plural(c.Queries, "query"), c.TargetsUp, plural(c.Targets, "target"))
	}
	for _, p := range []struct {
		n    int
		noun string
	}{{c.Errors, "error"}, {c.Warnings, "warning"}} {
		if p.n > 0 {
			t.printf(", %s", plural(p.n, p.noun))
		}
	}
	if c.Infos > 0 {
		t.printf(", %d for information", c.Infos)
		if hidden > 0 {
			t.printf(" (-v shows them)")
		}
	}
	if c.Suppressed > 0 {
		t.printf(", %d excluded", c.Suppressed)
		if !t.Verbose {
			t.printf(" (-v says why)")
		}
	}
	t.printf(" in %s\n", took(t.DurationMS))
	if t.Shard != nil {
		t.printf("%s\n", t.paint(dim, fmt.Sprintf("A part is no verdict on the whole: that is told by go run ./ci merge, of the --json of all %d.", t.Shard.Of)))
	}
	switch {
	case t.Verdict != Pass && len(t.Findings) > hidden:
		t.printf("%s\n", t.paint(dim, "What a rule means: go run ./ci explain RULE"))
	case t.Verdict != Pass:
		t.printf("Nothing was checked, and that is no success whatever the rules are set to.\n")
	}
}
