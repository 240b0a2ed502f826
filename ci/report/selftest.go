package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/panelgate/panelgate/e2e/selftest"
)

// Selftest writes what became of the mutants: a row an operator, then each mutant
// that was not killed by a rule that ought to fire. Verbose lists the others too.
func Selftest(w io.Writer, r *selftest.Result, verbose bool) error {
	out := &selftestText{}
	out.table(r)
	for _, v := range []selftest.Verdict{selftest.Equivalent, selftest.Noticed, selftest.Survived} {
		if verbose || v != selftest.Equivalent {
			out.list(r, v)
		}
	}
	out.score(r)
	_, err := io.WriteString(w, out.String())
	return err
}

type selftestText struct{ strings.Builder }

func (t *selftestText) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t, format, args...) // a strings.Builder takes everything
}

func (t *selftestText) table(r *selftest.Result) {
	var b strings.Builder
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...any) {
		var text []string
		for _, c := range cells {
			text = append(text, fmt.Sprint(c))
		}
		_, _ = io.WriteString(tab, strings.Join(text, "\t")+"\n") // a strings.Builder takes everything
	}
	row("operator", "mutants", "killed", "by others", "equivalent", "survived", "rules seen")
	for _, op := range operatorsOf(r) {
		row(op.Name, op.Mutants, op.Killed, op.Noticed, op.Equivalent, op.Survived, strings.Join(op.Rules, " "))
	}
	_ = tab.Flush()
	for line := range strings.Lines(b.String()) {
		t.say("%s\n", strings.TrimRight(line, " \n"))
	}
}

func (t *selftestText) list(r *selftest.Result, v selftest.Verdict) {
	for _, o := range r.Outcomes {
		if o.Verdict != v {
			continue
		}
		t.say("\n%s  %s  %s\n  %s\n", v, Clean(o.Operator.Name), Clean(o.Pos.String()), Clean(o.Operator.Does))
		if o.Before != "" {
			t.say("  - %s\n", Clean(o.Before))
		}
		if o.After != "" {
			t.say("  + %s\n", Clean(o.After))
		}
		t.say("  ought to fire: %s\n", kinds(o.Operator.Ought))
		t.why(o)
	}
}

func (t *selftestText) why(o selftest.Outcome) {
	if len(o.Fired) > 0 {
		t.say("  fired instead: %s\n", kinds(o.Fired))
	}
	if o.Err != nil {
		t.say("  the gate could not run: %s\n", Clean(o.Err.Error()))
		return
	}
	if o.Verdict != selftest.Survived {
		return
	}
	if len(o.Changed) == 0 {
		t.say("  no rule saw it, and no panel shows it\n")
		return
	}
	const most = 4
	t.say("  no rule saw:\n")
	for _, c := range o.Changed[:min(most, len(o.Changed))] {
		t.say("    %s\n", Clean(c))
	}
	if more := len(o.Changed) - most; more > 0 {
		t.say("    and %d more\n", more)
	}
}

func (t *selftestText) score(r *selftest.Result) {
	noticed, of := r.Score()
	t.say("\nscore: %d of %d mutants noticed", noticed, of)
	if of > 0 {
		t.say(" (%.1f %%)", 100*float64(noticed)/float64(of))
	}
	t.say(", %d by other rules than ought to, %d survived; %d equivalent ones not counted; %d operators in %s\n",
		r.Count(selftest.Noticed), r.Count(selftest.Survived), r.Count(selftest.Equivalent), len(operatorsOf(r)), r.Took.Round(10*time.Millisecond))
}

func kinds(of []selftest.Ought) string { return strings.Join(kindsList(of), ", ") }

func kindsList(of []selftest.Ought) []string {
	out := []string{}
	for _, o := range of {
		out = append(out, o.String())
	}
	return out
}

// operatorResult is what became of an operator's mutants.
type operatorResult struct {
	Name       string   `json:"name"`
	Does       string   `json:"does"`
	Ought      []string `json:"ought_to_fire"`
	Mutants    int      `json:"mutants"`
	Killed     int      `json:"killed"`
	Noticed    int      `json:"noticed_by_other_rules"`
	Equivalent int      `json:"equivalent"`
	Survived   int      `json:"survived"`
	Rules      []string `json:"rules_seen"`
}

func operatorsOf(r *selftest.Result) []*operatorResult {
	var out []*operatorResult
	for _, o := range r.Outcomes {
		if len(out) == 0 || out[len(out)-1].Name != o.Operator.Name {
			out = append(out, &operatorResult{Name: o.Operator.Name, Does: o.Operator.Does, Ought: kindsList(o.Operator.Ought), Rules: []string{}})
		}
		op := out[len(out)-1]
		op.Mutants++
		switch o.Verdict {
		case selftest.Killed:
			op.Killed++
		case selftest.Noticed:
			op.Noticed++
		case selftest.Equivalent:
			op.Equivalent++
		case selftest.Survived:
			op.Survived++
		}
		for _, f := range o.Fired {
			op.Rules = append(op.Rules, f.Rule)
		}
		slices.Sort(op.Rules)
		op.Rules = slices.Compact(op.Rules)
	}
	return out
}

// selftestJSON is the result as --json writes it.
type selftestJSON struct {
	Schema     int               `json:"schema"`
	Version    string            `json:"version"`
	Stack      string            `json:"stack"`
	Verdict    Verdict           `json:"verdict"`
	ExitCode   int               `json:"exit_code"`
	Error      string            `json:"error,omitempty"`
	DurationMS int64             `json:"duration_ms"`
	Score      *float64          `json:"score"` // of 1, null where there is nothing to notice
	Mutants    int               `json:"mutants"`
	Killed     int               `json:"killed"`
	Noticed    int               `json:"noticed_by_other_rules"`
	Equivalent int               `json:"equivalent"`
	Survived   int               `json:"survived"`
	Operators  []*operatorResult `json:"operators"`
	Outcomes   []outcomeJSON     `json:"outcomes"`
}

type outcomeJSON struct {
	Operator   string   `json:"operator"`
	Verdict    string   `json:"verdict"`
	File       string   `json:"file"`
	Line       int      `json:"line"`
	Column     int      `json:"column"`
	Before     string   `json:"before"`
	After      string   `json:"after"`
	Fired      []string `json:"fired"`
	Changed    []string `json:"changed,omitempty"`
	Error      string   `json:"error,omitempty"`
	Static     bool     `json:"static"`
	DurationMS int64    `json:"duration_ms"`
}

// SelftestRun is what a selftest is reported with. Result is nil where it could not
// be run.
type SelftestRun struct {
	Result   *selftest.Result
	Version  string
	StackDir string
	Verdict  Verdict
	ExitCode int
	Err      error
}

// SelftestJSON writes the result for programs.
func SelftestJSON(w io.Writer, run SelftestRun) error {
	out := selftestJSON{Schema: 1, Version: run.Version, Stack: run.StackDir, Verdict: run.Verdict, ExitCode: run.ExitCode,
		Operators: []*operatorResult{}, Outcomes: []outcomeJSON{}}
	if run.Err != nil {
		out.Error = run.Err.Error()
	}
	if r := run.Result; r != nil {
		if noticed, of := r.Score(); of > 0 {
			score := float64(noticed) / float64(of)
			out.Score = &score
		}
		out.DurationMS, out.Mutants = r.Took.Milliseconds(), len(r.Outcomes)
		out.Killed, out.Noticed = r.Count(selftest.Killed), r.Count(selftest.Noticed)
		out.Equivalent, out.Survived = r.Count(selftest.Equivalent), r.Count(selftest.Survived)
		out.Operators = operatorsOf(r)
		for _, o := range r.Outcomes {
			out.Outcomes = append(out.Outcomes, outcomeOf(o))
		}
	}
	e := json.NewEncoder(inert{w})
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

func outcomeOf(o selftest.Outcome) outcomeJSON {
	out := outcomeJSON{
		Operator: o.Operator.Name, Verdict: string(o.Verdict), File: o.Pos.File, Line: o.Pos.Line, Column: o.Pos.Column,
		Before: o.Before, After: o.After, Fired: kindsList(o.Fired), Changed: o.Changed, Static: o.Static, DurationMS: o.Took.Milliseconds(),
	}
	if o.Err != nil {
		out.Error = o.Err.Error()
	}
	return out
}
