// Package story tells a finding to people in plain text: where it is, what was seen,
// why, and what helps. Whoever shows findings as text tells them through it, so that
// they read alike on a terminal and in the output of a test.
package story

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/panelgate/panelgate/e2e/rule"
)

// Style chooses how much is told, and how it looks.
type Style struct {
	// Full cuts nothing short, and says how many questions the reason took.
	Full bool
	// Rest is where else a value can be read that is cut short, as "in --json".
	Rest string
	// Label dresses the name of a field, as in colour; nil leaves it.
	Label func(string) string
}

// Finding tells a finding below its headline, a field a line.
func (s Style) Finding(f rule.Finding) string {
	var b strings.Builder
	field := func(name, value string) { b.WriteString(s.Field(name, value)) }
	if where := Path(f); where != "" {
		field("at", where)
	}
	field("seen", f.Message)
	if f.Expr != "" {
		field("expr", f.Expr)
	}
	switch {
	case f.Empty != rule.Span{}:
		field("run as", Underline(f.ExprRun, f.Empty))
	case f.ExprRun != "" && f.ExprRun != f.Expr:
		field("run as", f.ExprRun)
	}
	for i, e := range f.Evidence {
		switch {
		case i == 0 && f.Reason != "":
			field("why", f.Reason+": "+e)
		default:
			field("", e)
		}
	}
	if f.Asked > 0 && s.Full {
		field("", fmt.Sprintf("found out by %d questions to Prometheus", f.Asked))
	}
	if f.Fix != "" {
		field("fix", f.Fix)
	}
	if f.Mended != "" {
		field("write", f.Mended)
	}
	return b.String()
}

// Field is a labelled value; further lines of it are indented below.
func (s Style) Field(name, value string) string {
	const width, longest = 8, 4000 // an expression may be generated, and endless
	if more := len(value) - longest; more > 0 && !s.Full {
		rest := fmt.Sprintf("%d more bytes", more)
		if s.Rest != "" {
			rest += ", " + s.Rest
		}
		value = strings.ToValidUTF8(value[:longest], "") + " … (" + rest + ")"
	}
	label := fmt.Sprintf("%-*s", width, name)
	if s.Label != nil {
		label = s.Label(label)
	}
	lines := strings.Split(strings.TrimRight(Clean(value), "\n"), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "  %s%s\n", label, lines[0])
	for _, l := range lines[1:] {
		fmt.Fprintf(&b, "  %*s%s\n", width, "", l)
	}
	return b.String()
}

// Path names dashboard, panel and refId as a person would click them, or the rule
// that the finding is about.
func Path(f rule.Finding) string {
	parts := []string{f.DashboardTitle}
	if f.DashboardTitle == "" {
		parts[0] = f.Dashboard
	}
	if f.PanelID != 0 || f.Panel != "" {
		title := f.Panel
		if title == "" {
			title = fmt.Sprintf("(panel %d, untitled)", f.PanelID)
		}
		parts = append(parts, title)
	}
	if f.Subject != "" {
		parts = []string{f.Subject}
	}
	if f.RefID != "" {
		parts = append(parts, f.RefID)
	}
	return strings.Join(strings.Fields(strings.Join(parts, " › ")), " ") // a title may have line breaks
}

// Underline marks a part of an expression, line by line.
func Underline(expr string, part rule.Span) string {
	var out []string
	offset := 0
	for line := range strings.SplitSeq(expr, "\n") {
		out = append(out, line)
		from, to := max(part.Start-offset, 0), min(part.End-offset, len(line))
		if from < to {
			if mark := strings.TrimRight(line[from:to], " \t"); strings.TrimSpace(mark) != "" {
				lead := len(mark) - len(strings.TrimLeft(mark, " \t"))
				from += lead
				out = append(out, indent(line[:from])+strings.Repeat("^", len([]rune(mark))-lead))
			}
		}
		offset += len(line) + 1
	}
	return strings.Join(out, "\n")
}

// indent is blank space as wide as the text it stands under.
func indent(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' {
			return c
		}
		return ' '
	}, s)
}

// Clean makes text from files and servers safe for a terminal: control
// characters, direction marks and whatever else is not seen are shown, not sent.
// Line breaks and tabs stay. Secrets that it quotes are hidden.
func Clean(s string) string {
	return strings.Map(func(c rune) rune {
		if Unseen(c) {
			return unicode.ReplacementChar
		}
		return c
	}, Hide(s))
}

// Unseen says whether a character steers a terminal, changes the direction of what
// stands beside it, or is not seen at all, so that two names look alike. The joiners
// of Persian, Indic scripts and emoji are none of these where they belong, and stay.
func Unseen(c rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch {
	case c == '\n', c == '\t', c == nonJoiner, c == joiner, unicode.Is(unicode.Prepended_Concatenation_Mark, c):
		return false
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
