package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// MatrixResult is the outcome of a matrix with what the command adds to it.
type MatrixResult struct {
	Plan      *matrix.Plan // nil where none could be made
	Results   []matrix.Result
	Documents []*Document // a report a result, nil of a cell that was never begun
	Shard     string      // "1/3", "" where the run has all cells
	Version   string
	StackDir  string // as given on the command line
	Where     string // the environment asked for
	Took      time.Duration
	Verdict   Verdict
	ExitCode  int
	Err       error // why no cell could be run
	Checkout  Checkout
}

// Outcome is what a report says of its cell. What counts as broken is what the gate
// minds: findings of failOn and above.
func Outcome(d *Document, failOn rule.Severity) matrix.Outcome {
	out := matrix.Outcome{Verdict: matrix.Verdict(d.Verdict), Err: d.Error}
	if out.Verdict == matrix.Error {
		return out
	}
	out.Blind = !slices.ContainsFunc(d.Queries, func(q Query) bool {
		return q.Status == rule.StatusOK || q.Status == rule.StatusExpectedEmpty
	})
	for _, f := range d.Findings {
		if f.Weight() < failOn {
			continue
		}
		out.Broken = append(out.Broken, matrix.Break{
			Rule: f.Rule, Severity: f.Severity, File: f.File, Line: f.Line, Column: f.Column,
			Dashboard: f.Dashboard, DashboardTitle: f.DashboardTitle, Panel: f.Panel, PanelID: f.PanelID, RefID: f.RefID,
			Message: f.Message, Reason: f.Reason,
		})
	}
	return out
}

// Matrix writes the outcome of a matrix for people: how each cell came out, and for
// each thing that is broken where it is.
func Matrix(w io.Writer, m MatrixResult, opts TextOptions) error {
	t := &matrixText{text: &text{TextOptions: opts}, m: m, broken: m.Plan.Broken(m.Results)}
	t.coverage()
	t.cells()
	t.broke()
	t.errors()
	if opts.Verbose {
		t.details()
	}
	t.summary()
	if _, err := w.Write(t.buf.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// matrixText is a matrix on its way to people.
type matrixText struct {
	*text
	m      MatrixResult
	broken []matrix.Broken
}

// coverage says what was not run, before anything is said of what was.
func (t *matrixText) coverage() {
	ran, all := len(t.m.Results), t.m.Plan.Combinations()
	if ran == all {
		return
	}
	t.printf("%d of %d combinations", ran, all)
	if t.m.Plan.Combined() == matrix.Pairwise {
		t.printf(", pairwise: any two versions meet, what takes three may be missed")
	}
	if t.m.Shard != "" {
		t.printf(" (shard %s: where things break is told from its cells alone)", t.m.Shard)
	}
	t.printf("\n\n")
}

// cells draws a grid where two axes vary, and else a line a cell.
func (t *matrixText) cells() {
	axes := t.m.Plan.Varying()
	if len(axes) == 2 {
		t.grid(axes[0], axes[1])
		return
	}
	for i := range t.m.Plan.Axes {
		if len(t.m.Plan.Varying()) == 0 { // then all of them are worth a column
			axes = append(axes, i)
		}
	}
	var table [][]word
	var head []word
	for _, a := range axes {
		head = append(head, word{t.m.Plan.Axes[a].Name, dim})
	}
	table = append(table, head)
	for _, r := range t.m.Results {
		var line []word
		for _, a := range axes {
			line = append(line, word{r.Cell.Choices[a].Value.Name, ""})
		}
		table = append(table, append(line, t.mark(r)))
	}
	t.table(table)
}

// grid has the values of one axis down and of another across.
func (t *matrixText) grid(down, across int) {
	rows, columns := t.m.Plan.Axes[down], t.m.Plan.Axes[across]
	head := []word{{rows.Name, dim}}
	for _, v := range columns.Values {
		head = append(head, word{v.Name, ""})
	}
	table := [][]word{{{}, {columns.Name, dim}}, head}
	for i, v := range rows.Values {
		line := []word{{v.Name, ""}}
		for j := range columns.Values {
			line = append(line, t.at(down, i, across, j))
		}
		table = append(table, line)
	}
	t.table(table)
}

// at is how the cell at a place of the grid came out, a dot for one that another
// shard has.
func (t *matrixText) at(down, i, across, j int) word {
	for _, r := range t.m.Results {
		if r.Cell.At(down) == i && r.Cell.At(across) == j {
			return t.mark(r)
		}
	}
	return word{"·", dim}
}

// word is a piece of text with its colour.
type word struct{ text, color string }

func (t *matrixText) mark(r matrix.Result) word {
	switch o := r.Outcome; {
	case o.Verdict == matrix.Pass:
		return word{"ok", green}
	case o.Verdict == matrix.Fail && len(o.Broken) > 0:
		return word{fmt.Sprintf("FAIL %d", len(o.Broken)), red}
	case o.Verdict == matrix.Fail:
		return word{"FAIL, nothing was asked", red}
	}
	return word{"error", yellow}
}

// table prints lines whose columns are aligned.
func (t *matrixText) table(lines [][]word) {
	var width []int
	for _, line := range lines {
		for i, w := range line {
			if i == len(width) {
				width = append(width, 0)
			}
			if i < len(line)-1 || len(line) > 2 { // a heading over several columns widens none
				width[i] = max(width[i], utf8.RuneCountInString(w.text))
			}
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, w := range line {
			b.WriteString(t.paint(w.color, Clean(w.text)))
			if i < len(line)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(w.text)+2))
			}
		}
		t.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// broke tells of everything that is broken, below where it is.
func (t *matrixText) broke() {
	last := ""
	for i, b := range t.broken {
		if i == mostFindings && !t.Verbose {
			t.printf("  … and %d more: -v or --json tells all\n", len(t.broken)-i)
			return
		}
		if where := t.where(b); where != last {
			t.printf("\n%s\n", t.paint(bold, Clean(where)))
			last = where
		}
		t.printf("  %s %s  %s\n", t.paint(severityNamed(b.Severity), b.Severity), b.Rule, Clean(t.thing(b)))
		if len(b.Reasons) == 0 { // a reason says enough of a panel
			t.printf("        %s\n", Clean(short(b.Message)))
		}
	}
}

func (t *matrixText) where(b matrix.Broken) string {
	if b.Untold == 0 {
		return b.Where
	}
	return fmt.Sprintf("%s (%s could not tell)", b.Where, plural(b.Untold, "cell"))
}

// thing is what is broken: a query of a panel with the reason, or a place in a file.
func (t *matrixText) thing(b matrix.Broken) string {
	if b.PanelID == 0 && b.Panel == "" {
		return source.Pos{File: b.File, Line: b.Line, Column: b.Column}.String()
	}
	path := clickPath(Finding{Dashboard: b.Dashboard, DashboardTitle: b.DashboardTitle, Panel: b.Panel, PanelID: b.PanelID, RefID: b.RefID})
	if len(b.Reasons) == 0 {
		return path
	}
	return path + " (" + strings.Join(b.Reasons, ", ") + ")"
}

// short is the first line of a message, or as much of it as a line has room for.
func short(s string) string {
	const most = 160
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	if rest != "" {
		return line + " …"
	}
	return line
}

func severityNamed(name string) string {
	severity, err := rule.ParseSeverity(name)
	if err != nil {
		return red
	}
	return severityColor(severity)
}

// errors tells which cells could not be run, and why: one reason once.
func (t *matrixText) errors() {
	cells := map[string][]string{}
	var order []string
	for _, r := range t.m.Results {
		if r.Outcome.Verdict != matrix.Error {
			continue
		}
		if cells[r.Outcome.Err] == nil {
			order = append(order, r.Outcome.Err)
		}
		cells[r.Outcome.Err] = append(cells[r.Outcome.Err], r.Cell.Label)
	}
	for _, why := range order {
		t.printf("\n%s %s\n  %s\n", t.paint(yellow, "could not be run:"), Clean(strings.Join(cells[why], "; ")),
			strings.ReplaceAll(Clean(strings.TrimSpace(why)), "\n", "\n  "))
	}
}

// details are the findings of each cell that failed, as a run of its own tells them.
func (t *matrixText) details() {
	for i, r := range t.m.Results {
		d := t.m.Documents[i]
		if d == nil || r.Outcome.Verdict != matrix.Fail {
			continue
		}
		t.printf("\n%s\n", t.paint(bold, "— "+Clean(r.Cell.Label)+" —"))
		for _, f := range d.Findings {
			t.finding(f)
		}
	}
}

func (t *matrixText) summary() {
	var ok, failed, unrun int
	for _, r := range t.m.Results {
		switch r.Outcome.Verdict {
		case matrix.Pass:
			ok++
		case matrix.Fail:
			failed++
		default:
			unrun++
		}
	}
	verdict := t.paint(green, "pass")
	if t.m.Verdict != Pass {
		verdict = t.paint(red, string(t.m.Verdict))
	}
	t.printf("\n%s: %s, %d ok", verdict, plural(len(t.m.Results), "cell"), ok)
	if failed > 0 {
		t.printf(", %d failed", failed)
	}
	if unrun > 0 {
		t.printf(", %d could not be run", unrun)
	}
	t.printf(" in %s\n", t.m.Took.Round(10*time.Millisecond))
	if failed > 0 && !t.Verbose {
		t.printf("%s\n", t.paint(dim, "-v shows each finding in full; what a rule means: go run ./ci explain RULE"))
	}
}

// CellLine writes how one cell came out, as soon as it has: nobody waits for a
// matrix in silence.
func CellLine(w io.Writer, done, of int, r matrix.Result) {
	mark := (&matrixText{}).mark(r).text
	why := ""
	if r.Outcome.Verdict == matrix.Error {
		why = ": " + short(r.Outcome.Err)
	}
	// Of a progress that nobody reads any more the run does not end.
	_, _ = fmt.Fprintf(w, "%d of %d  %-8s  %s in %s%s\n", done, of, mark, Clean(r.Cell.Label), r.Took.Round(10*time.Millisecond), Clean(why))
}
