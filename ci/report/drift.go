package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/panelgate/panelgate/e2e/drift"
)

// DriftResult is what became of a stack with other releases of its exporters, with what
// the command adds to it.
type DriftResult struct {
	Result   *drift.Result // nil where it could not be run
	Version  string
	StackDir string // as given on the command line
	Took     time.Duration
	Verdict  Verdict
	ExitCode int
	Err      error
}

// Drift writes a table for each exporter: what becomes of which panel with which
// releases, and then why, and what to write instead.
func Drift(w io.Writer, r DriftResult, opts TextOptions) error {
	t := &driftText{&text{TextOptions: opts}, r.StackDir}
	for i, e := range r.Result.Exporters {
		if i > 0 {
			t.printf("\n")
		}
		t.exporter(e)
	}
	t.summary(r)
	if _, err := w.Write(t.buf.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type driftText struct {
	*text
	stackDir string
}

func (t *driftText) exporter(e drift.Exporter) {
	t.printf("%s  the stack has %s; tried %s\n", t.paint(bold, e.Title()), Clean(strings.Join(e.Own, ", ")), Clean(triedOf(e)))
	if t.Verbose {
		for _, v := range e.Versions {
			if v.Like != "" {
				t.printf("  %s\n", t.paint(dim, Clean(v.Name+" does to this stack what "+v.Like+" does: proven once")))
			}
		}
	}
	for _, v := range e.Versions {
		if v.Err != "" {
			t.printf("  %s %s: %s\n", t.paint(red, "not proven"), Clean(v.Name), Clean(v.Err))
		}
	}
	width := 0
	for _, p := range e.Panels {
		width = max(width, utf8.RuneCountInString(Clean(p.Name())))
	}
	for _, p := range e.Panels {
		name := Clean(p.Name())
		t.printf("  %s%s  %s\n", name, strings.Repeat(" ", width-utf8.RuneCountInString(name)), t.spans(p))
	}
	if len(e.Panels) == 0 {
		t.printf("  %s\n", t.paint(green, "ok with each of them"))
		return
	}
	for _, p := range e.Panels {
		t.panel(p)
	}
}

// triedOf are the releases in a word.
func triedOf(e drift.Exporter) string {
	if len(e.Versions) == 1 {
		return e.Versions[0].Name
	}
	return fmt.Sprintf("%d releases from %s to %s", len(e.Versions), e.Versions[0].Name, e.Versions[len(e.Versions)-1].Name)
}

// spans is a panel's line of the table.
func (t *driftText) spans(p drift.Panel) string {
	var out []string
	for _, s := range byState(p.Spans) {
		code := map[drift.State]string{drift.OK: green, drift.Broken: red, drift.Already: yellow, drift.Untold: dim}[s.State]
		out = append(out, Clean(s.Says())+" "+t.paint(code, stateWords(s.State)))
	}
	return strings.Join(out, ", ")
}

// byState joins spans in which a panel is broken, be it by this or by that.
func byState(spans []drift.Span) []drift.Span {
	var out []drift.Span
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].State == s.State {
			out[n-1].Last, out[n-1].Open = s.Last, s.Open
			continue
		}
		out = append(out, s)
	}
	return out
}

func stateWords(s drift.State) string {
	if s == drift.Already {
		return "broken, as with the stack's own"
	}
	return string(s)
}

// panel says what breaks a panel with which releases.
func (t *driftText) panel(p drift.Panel) {
	where := p.DashboardTitle
	if where != "" {
		where += " › "
	}
	t.printf("\n%s\n", t.paint(bold, Clean(where+p.Name())))
	for _, s := range p.Spans {
		for _, b := range told(s.Breaks) {
			t.printf("  %s  %s  %s\n", t.paint(red, Clean(s.Says())), b.Rule, t.paint(dim, Clean(t.placeOf(p, b))))
			t.printf("    %s %s\n", t.paint(dim, "seen   "), Clean(seenOf(b)))
			if s.Since != "" && s.State == drift.Broken {
				t.printf("    %s %s\n", t.paint(dim, "since  "), Clean(s.Since))
			}
			if b.Fix != "" {
				t.printf("    %s %s\n", t.paint(dim, "instead"), Clean(b.Fix))
			}
		}
	}
}

// seenOf is what is seen of a break, with why.
func seenOf(b drift.Break) string {
	if b.Why == "" || b.Rule == "promql/metric-removed" {
		return b.Message
	}
	return b.Message + ": " + b.Why
}

func (t *driftText) placeOf(p drift.Panel, b drift.Break) string {
	place := fmt.Sprintf("%s:%d", inStack(t.stackDir, p.File), b.Line)
	if b.RefID != "" {
		place += " " + b.RefID
	}
	return place
}

// told leaves out what is the end of another's story: a panel without data of a metric
// that the exporter does not have.
func told(breaks []drift.Break) []drift.Break {
	const noData, removed = "panel/no-data", "promql/metric-removed"
	return slices.DeleteFunc(slices.Clone(breaks), func(b drift.Break) bool {
		return b.Rule == noData && slices.ContainsFunc(breaks, func(o drift.Break) bool { return o.Rule == removed && o.RefID == b.RefID })
	})
}

func (t *driftText) summary(r DriftResult) {
	t.printf("\n%s: %s\n", t.paint(map[Verdict]string{Pass: green, Fail: red}[r.Verdict], string(r.Verdict)), driftSummary(r))
}

func driftSummary(r DriftResult) string {
	var parts []string
	releases := 0
	for _, e := range r.Result.Exporters {
		breaking, besides, already := 0, 0, 0
		releases += len(e.Versions)
		for _, p := range e.Panels {
			breaks := slices.ContainsFunc(p.Spans, func(s drift.Span) bool { return s.State == drift.Broken })
			switch {
			case breaks && p.Panel == "":
				besides++
			case breaks:
				breaking++
			case slices.ContainsFunc(p.Spans, func(s drift.Span) bool { return s.State == drift.Already }):
				already++
			}
		}
		text := fmt.Sprintf("%s breaks %s", e.Title(), plural(breaking, "panel"))
		if besides > 0 {
			text += " and " + plural(besides, "thing") + " behind them"
		}
		if already > 0 {
			text += fmt.Sprintf(", %d are broken with the stack's own", already)
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("%s; %s in %s, %s", strings.Join(parts, "; "), plural(releases, "release"), plural(r.Result.Runs, "run"),
		r.Took.Round(10*time.Millisecond))
}

// DriftMarkdown writes the same for a job's summary or a comment.
func DriftMarkdown(w io.Writer, r DriftResult) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", MarkdownMark)
	mark := map[Verdict]string{Pass: "✅", Fail: "❌", Failed: "❌"}[r.Verdict]
	if r.Err != nil {
		fmt.Fprintf(&b, "### %s panelgate drift could not run\n\n%s\n", mark, inline(r.Err.Error()))
	} else {
		fmt.Fprintf(&b, "### %s panelgate drift\n\n%s\n", mark, inline(driftSummary(r)))
		for _, e := range r.Result.Exporters {
			driftTable(&b, e)
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

func driftTable(b *bytes.Buffer, e drift.Exporter) {
	fmt.Fprintf(b, "\n#### %s\n\nThe stack has %s; tried %s.\n", inline(e.Title()), inline(strings.Join(e.Own, ", ")), inline(triedOf(e)))
	for _, v := range e.Versions {
		if v.Err != "" {
			fmt.Fprintf(b, "\n%s could not be proven: %s\n", inline(v.Name), inline(v.Err))
		}
	}
	if len(e.Panels) == 0 {
		b.WriteString("\nEvery panel is ok with each of them.\n")
		return
	}
	b.WriteString("\n| panel | releases | what breaks | instead |\n|---|---|---|---|\n")
	for _, p := range e.Panels {
		if b.Len() > mostMarkdown {
			b.WriteString("\nMore is in `--json`.\n")
			return
		}
		var seen, instead []string
		for _, s := range p.Spans {
			for _, x := range told(s.Breaks) {
				seen = append(seen, tableCell(s.Says()+": "+seenOf(x)))
				instead = append(instead, tableCell(x.Fix))
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", tableCell(p.Name()), tableCell((&driftText{text: &text{}}).spans(p)), strings.Join(seen, "<br>"), strings.Join(unique(instead), "<br>"))
	}
}

// inStack is a file of the stack as the command's reports name it.
func inStack(dir, file string) string { return filepath.ToSlash(filepath.Join(dir, file)) }

// unique leaves out texts that were there before, and empty ones.
func unique(texts []string) []string {
	var out []string
	for _, s := range texts {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// tableCell is a text as it can stand in a cell.
func tableCell(s string) string { return strings.ReplaceAll(inline(s), "|", `\|`) }
