package rule

import (
	"slices"
	"strings"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// edit puts text in the place of a part of an expression as run.
type edit struct {
	start, end int
	text       string
}

// rateInterval is Grafana's window for rates, which an edit may bring in.
const rateInterval = "$__rate_interval"

// insert is an edit that takes nothing away.
func insert(at int, text string) edit { return edit{at, at, text} }

// asWritten is the expression as the file has it, with its variables.
func (e *expression) asWritten() string {
	if e.sourceAt == nil {
		return e.text
	}
	return e.written
}

// source leads from an offset in the expression as run to the one as written.
func (e *expression) source(offset int) int {
	if e.sourceAt == nil {
		return offset
	}
	return min(e.sourceAt(offset), len(e.written))
}

// mended is the expression as written after edits of the expression as run, "" where
// an edit meets what a variable brought in, or where the outcome does not parse.
func (e *expression) mended(edits ...edit) string {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	run, ok := applied(e.text, edits)
	if !ok || len(edits) == 0 {
		return ""
	}
	if _, err := Parse(strings.ReplaceAll(run, rateInterval, "5m")); err != nil {
		return ""
	}
	inSource := make([]edit, len(edits))
	for i, ed := range edits {
		if e.insideVariable(ed.start) || e.insideVariable(ed.end) {
			return ""
		}
		inSource[i] = edit{e.source(ed.start), e.source(ed.end), ed.text}
		kept := ed.text == "" || e.asWritten()[inSource[i].start:inSource[i].end] == e.text[ed.start:ed.end]
		if !kept { // a variable would be lost: only what is taken away altogether may hold one
			return ""
		}
	}
	out, _ := applied(e.asWritten(), inSource)
	return out
}

// insideVariable says whether an offset lies within what a variable brought in.
func (e *expression) insideVariable(offset int) bool {
	return offset > 0 && e.source(offset) == e.source(offset-1)
}

// applied is false for edits that overlap or lie outside of the text.
func applied(text string, edits []edit) (string, bool) {
	var out strings.Builder
	done := 0
	for _, ed := range edits {
		if ed.start < done || ed.end < ed.start || ed.end > len(text) {
			return "", false
		}
		out.WriteString(text[done:ed.start])
		out.WriteString(ed.text)
		done = ed.end
	}
	out.WriteString(text[done:])
	return out.String(), true
}

// span is where a node stands in the expression as run; false where the parser does
// not tell.
func (e *expression) span(n promparser.Node) (start, end int, ok bool) {
	at := n.PositionRange()
	start, end = int(at.Start), int(at.End)
	ok = start >= 0 && start <= end && end <= len(e.text)
	if ok { // the parser counts what follows a modifier in
		end = start + len(strings.TrimRight(e.text[start:end], " \t\r\n"))
	}
	return start, end, ok
}

// keep is the edit by which an aggregation keeps one more label.
func (e *expression) keep(agg *promparser.AggregateExpr, label string) (edit, bool) {
	start, end, ok := e.span(agg)
	if !ok {
		return edit{}, false
	}
	clause, found := e.groupingOf(agg, start, end)
	switch {
	case found && agg.Without:
		left := slices.DeleteFunc(slices.Clone(agg.Grouping), func(l string) bool { return l == label })
		clause.text = "without (" + strings.Join(left, ", ") + ")"
		return clause, true
	case found && len(agg.Grouping) == 0:
		return insert(clause.end-1, label), true
	case found:
		return insert(clause.end-1, ", "+label), true
	}
	op := start + len(agg.Op.String())
	if agg.Without || len(agg.Grouping) > 0 || !strings.EqualFold(e.text[start:op], agg.Op.String()) {
		return edit{}, false
	}
	space := " "
	if op < end && e.text[op] == ' ' {
		space = ""
	}
	return insert(op, " by ("+label+")"+space), true
}

// groupingOf finds the by or without clause of an aggregation, before or after what
// it aggregates.
func (e *expression) groupingOf(agg *promparser.AggregateExpr, start, end int) (edit, bool) {
	first, last, ok := e.span(agg.Expr)
	if agg.Param != nil {
		first, _, _ = e.span(agg.Param)
	}
	if !ok || first < start || last > end {
		return edit{}, false
	}
	for _, region := range []edit{{start: start + len(agg.Op.String()), end: first}, {start: last, end: end}} {
		text := strings.ToLower(e.text[region.start:region.end])
		if strings.Contains(text, "#") {
			continue // a comment may hold anything
		}
		at := strings.Index(text, "by")
		if agg.Without {
			at = strings.Index(text, "without")
		}
		if at < 0 {
			continue
		}
		if closed := strings.IndexByte(text[at:], ')'); closed >= 0 {
			return edit{start: region.start + at, end: region.start + at + closed + 1}, true
		}
	}
	return edit{}, false
}
