package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/story"
)

// MarkdownMark begins every Markdown report. It is not seen, and a bot that keeps one
// comment up to date finds its own by it.
const MarkdownMark = "<!-- panelgate:report -->"

const (
	// mostMarkdown bounds a report in bytes: GitHub takes comments of up to 65,536
	// characters, and of a longer one nothing.
	mostMarkdown = 60_000
	// mostTable is how much of it the dashboards may take.
	mostTable = 15_000
	// mostOpen is how many findings are told without a reader having to open them.
	mostOpen = 5
	// mostMarkdownField bounds an expression, or what is said of it.
	mostMarkdownField = 4_000
)

// Markdown writes a document as the summary of a job or a comment on a pull request.
func Markdown(w io.Writer, d *Document) error {
	m := &markdown{Document: d, text: &text{Document: d}}
	m.printf("%s\n", MarkdownMark)
	m.verdict()
	m.dashboards()
	m.findings()
	for _, n := range d.Notes {
		m.fits(fmt.Sprintf("\n> Note: %s\n", inline(n)))
	}
	if _, err := w.Write(m.buf.Bytes()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}

// markdown is a document on its way to people who read it in a browser.
type markdown struct {
	*Document
	text *text // knows which findings are the end of another's story
	buf  bytes.Buffer
}

func (m *markdown) printf(format string, args ...any) {
	fmt.Fprintf(&m.buf, format, args...) // a bytes.Buffer never fails
}

// tail is room for what is said at the end of a report that is cut.
const tail = 400

// fits appends what there is room for, and says whether there was.
func (m *markdown) fits(s string) bool {
	if m.buf.Len()+len(s) > mostMarkdown-tail {
		return false
	}
	m.buf.WriteString(s)
	return true
}

// verdict is the heading, and the counts below it.
func (m *markdown) verdict() {
	m.heading()
	if part := m.Alone(); part != "" {
		m.printf("A part of a run, %s. `panelgate merge` tells of the whole.\n\n", part)
	}
	if m.Error != "" {
		m.printf("%s\n", fenced("text", m.Error))
		return
	}
	c := m.Counts
	parts := []string{plural(c.Dashboards, "dashboard"), plural(c.Panels, "panel")}
	if !m.Static() {
		parts = append(parts, plural(c.Queries, "query")+c.details(), fmt.Sprintf("%d of %s up", c.TargetsUp, plural(c.Targets, "target")))
	}
	errs := plural(c.Errors, "error")
	if c.Errors > 0 {
		errs = "**" + errs + "**"
	}
	parts = append(parts, errs, plural(c.Warnings, "warning"), fmt.Sprintf("%d for information", c.Infos))
	if c.Suppressed > 0 {
		parts = append(parts, fmt.Sprintf("%d excluded", c.Suppressed))
	}
	m.printf("%s. Checked in %s, %s.\n", strings.Join(parts, ", "), took(m.DurationMS), inline(m.Env))
	if m.Verdict == Fail && len(m.Findings) == 0 {
		m.printf("\nNothing was checked, and that is no success whatever the rules are set to.\n")
	}
}

func (m *markdown) heading() {
	switch m.Verdict {
	case Pass:
		m.printf("## ✅ panelgate: pass\n\n")
	case Fail:
		m.printf("## ❌ panelgate: fail\n\n")
	default:
		m.printf("## ⚠️ panelgate: could not run\n\n")
	}
}

// dashboards is a table with a line a dashboard, those with findings first.
func (m *markdown) dashboards() {
	if len(m.Dashboards) == 0 {
		return
	}
	type row struct {
		Dashboard
		worst rule.Severity
		line  string
	}
	var rows []row
	for _, b := range m.Dashboards {
		r := row{Dashboard: b}
		var c Counts
		for _, q := range m.Queries {
			if q.DashboardFile == b.File {
				c.add(q.Status)
				c.Queries++
			}
		}
		found := map[rule.Severity]int{}
		for _, f := range m.Findings {
			if f.File == b.File || f.File != "" && f.Dashboard != "" && f.Dashboard == b.UID {
				found[f.Weight()]++
				r.worst = max(r.worst, f.Weight())
			}
		}
		if c.Failed > 0 { // as the text says: rules that would say so are switched off
			r.worst = max(r.worst, rule.Warning)
		}
		queries := "–"
		if !m.Static() {
			queries = fmt.Sprintf("%d%s", c.Queries, c.details())
		}
		r.line = fmt.Sprintf("| %s | %s | %d | %s | %d | %d |\n", mark(r.worst, m.Failing()), inline(b.Name()), len(b.Panels), queries, found[rule.Error], found[rule.Warning])
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.worst, a.worst) })
	m.printf("\n| | Dashboard | Panels | Queries | Errors | Warnings |\n| --- | --- | ---: | --- | ---: | ---: |\n")
	from := m.buf.Len()
	for i, r := range rows {
		if m.buf.Len()-from+len(r.line) > mostTable {
			m.printf("\n… and %s more.\n", plural(len(rows)-i, "dashboard"))
			return
		}
		m.printf("%s", r.line)
	}
}

// mark is how a dashboard came out: what the run minds, what it found, or nothing.
func mark(worst, failing rule.Severity) string {
	switch {
	case worst >= failing:
		return "❌"
	case worst >= rule.Warning:
		return "⚠️"
	}
	return "✅"
}

// findings are told gravest first, as many as there is room for. Those for information
// are counted, unless the run minds them.
func (m *markdown) findings() {
	var told []Finding
	follow := map[string][]Finding{}
	var causes []string
	for _, f := range m.Findings {
		switch cause := m.text.cause(f); {
		case f.Weight() == rule.Info && m.Failing() > rule.Info:
		case cause != "":
			if follow[cause] == nil {
				causes = append(causes, cause)
			}
			follow[cause] = append(follow[cause], f)
		default:
			told = append(told, f)
		}
	}
	if len(told)+len(causes) > 0 {
		m.printf("\n### Findings\n")
	}
	slices.SortStableFunc(told, func(a, b Finding) int { return cmp.Compare(b.Weight(), a.Weight()) })
	left := 0
	for _, f := range told {
		if left > 0 || !m.fits(m.finding(f, len(told) > mostOpen)) {
			left++ // a shorter one further down is not told in its place: the order is that of gravity
		}
	}
	for _, cause := range causes {
		if !m.fits(m.consequences(cause, follow[cause])) {
			left += len(follow[cause])
		}
	}
	if left > 0 {
		m.printf("\n**%s left out for want of room.** The job's log and the file of `--json` have all of them.\n", plural(left, "finding"))
	}
}

// finding is the story of one finding, folded where there are many.
func (m *markdown) finding(f Finding, folded bool) string {
	where := clickPath(f)
	if where == "" {
		where = f.Message // the place comes below
	}
	var b strings.Builder
	if folded {
		fmt.Fprintf(&b, "\n<details><summary>%s %s · %s</summary>\n", severityMark(f.Weight()), summary(f.Rule), summary(where))
		fmt.Fprintf(&b, "\n%s %s\n", f.Weight(), ruleLink(f.Rule))
	} else {
		fmt.Fprintf(&b, "\n#### %s %s · %s\n", severityMark(f.Weight()), ruleLink(f.Rule), inline(where))
	}
	if place := m.place(f); place != "" {
		fmt.Fprintf(&b, "\n%s\n", code(place))
	}
	fmt.Fprintf(&b, "\n%s\n", paragraph(f.Message))
	if f.Expr != "" {
		fmt.Fprintf(&b, "\n%s\n", fenced("promql", f.Expr))
	}
	switch {
	case f.Empty != nil:
		fmt.Fprintf(&b, "\nRun as, with the part that is empty marked:\n\n%s\n", fenced("text", story.Underline(f.ExprRun, rule.Span{Start: f.Empty.Start, End: f.Empty.End})))
	case f.ExprRun != "" && f.ExprRun != f.Expr:
		fmt.Fprintf(&b, "\nRun as:\n\n%s\n", fenced("promql", f.ExprRun))
	}
	if why := because(f); why != "" {
		fmt.Fprintf(&b, "\n**Why:** %s\n", paragraph(why))
	}
	if f.Fix != "" {
		fmt.Fprintf(&b, "\n**Fix:** %s\n", paragraph(f.Fix))
	}
	if f.Mended != "" {
		fmt.Fprintf(&b, "\nWrite:\n\n%s\n", fenced("promql", f.Mended))
	}
	if folded {
		b.WriteString("\n</details>\n")
	}
	return b.String()
}

// place is where a finding is, as seen from the repository's root.
func (m *markdown) place(f Finding) string {
	if f.File == "" {
		return ""
	}
	place := f.Place()
	place.File = m.Checkout.name(f.File)
	return place.String()
}

// consequences lists what another finding explains.
func (m *markdown) consequences(cause string, findings []Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s more, because of %s</summary>\n\n", plural(len(findings), "finding"), summary(cause))
	for i, f := range findings {
		if i == mostFindings {
			fmt.Fprintf(&b, "- … and %d more\n", len(findings)-i)
			break
		}
		fmt.Fprintf(&b, "- %s %s %s\n", ruleLink(f.Rule), inline(cmp.Or(clickPath(f), f.Message)), code(m.place(f)))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func severityMark(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "❌"
	case rule.Warning:
		return "⚠️"
	}
	return "ℹ️"
}

// ruleLink is a rule's name, linked to its page.
func ruleLink(id string) string {
	if page := rulePage(id); page != "" {
		return "[" + inline(id) + "](" + page + ")"
	}
	return inline(id)
}

// inline is text on one line that Markdown and GitHub take for nothing else: no markup,
// no HTML, no link, no mention, no reference to an issue.
func inline(s string) string {
	return literal(flat(clipped(s, 300)))
}

// paragraph is the same with its line breaks.
func paragraph(s string) string {
	lines := strings.Split(strings.TrimSpace(clipped(s, mostMarkdownField)), "\n")
	for i, l := range lines {
		lines[i] = literal(strings.TrimSpace(l))
	}
	return strings.Join(lines, "<br>")
}

// summary is text in HTML, where Markdown's escapes would be seen.
func summary(s string) string {
	s = html.EscapeString(flat(Clean(clipped(s, 300))))
	return strings.NewReplacer("&#", "&#" /* an escape of HTML */, "#", "#"+apart, "@", "@"+apart, "://", ":"+apart+"//", "www.", "www"+apart+".", "GH-", "GH-"+apart).Replace(s)
}

// apart is a space of no width: GitHub looks for mentions, issues and addresses in what
// is rendered, where no escape is left, and does not see them with one within.
const apart = "&#8203;"

// literal escapes all that Markdown could mean.
func literal(s string) string {
	s = regexp.MustCompile(`[\\!-/:-@\[-`+"`"+`{-~]`).ReplaceAllStringFunc(Clean(s), func(c string) string {
		switch c {
		case "<":
			return "&lt;"
		case ">":
			return "&gt;"
		case "&":
			return "&amp;"
		case "@", "#":
			return c + apart
		case ":", ".", ",", "'", `"`, "/", "%", ";", "?", "=", "$", "^", "(", ")", "-", "+":
			return c // they mean nothing within a line; what begins one is seen to below
		}
		return `\` + c
	})
	s = strings.NewReplacer("://", ":"+apart+"//", "www.", "www"+apart+".", "GH-", "GH-"+apart).Replace(s)
	// At the beginning of a line these are a list, a heading or a line of a table.
	return regexp.MustCompile(`^([-+=]|[0-9]+[.)](?:\s|$))`).ReplaceAllString(s, apart+"$1")
}

// code is a span of code: the fence is longer than any run of backticks within.
func code(s string) string {
	s = flat(Clean(clipped(s, 300)))
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// fenced is a block of code.
func fenced(language, s string) string {
	s = strings.TrimRight(Clean(clipped(s, mostMarkdownField)), "\n")
	fence := strings.Repeat("`", max(longestRun(s, '`')+1, 3))
	return fence + language + "\n" + s + "\n" + fence
}

func longestRun(s string, of byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// clipped is as much of a text as there is room for.
func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " …"
}
