// Package rule is the catalogue of what panelgate proves. One rule a file, each
// with a page of its own under docs/rules; their ids are the contract that
// reports, configuration and exclusions use.
package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// Severity is how much a finding weighs.
type Severity uint8

// The severities, mildest first.
const (
	Off Severity = iota
	Info
	Warning
	Error
)

// String is the severity as configuration and reports spell it.
func (s Severity) String() string {
	return [...]string{"off", "info", "warning", "error"}[s]
}

// ParseSeverity reads a severity's name.
func ParseSeverity(name string) (Severity, error) {
	for s := Off; s <= Error; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return Off, fmt.Errorf("unknown severity %q: want error, warning, info or off", name)
}

// Finding is one thing that is wrong, with all that a person needs to mend it.
type Finding struct {
	Rule           string
	Severity       Severity
	Pos            source.Pos
	Dashboard      string // uid
	DashboardTitle string
	Panel          string
	PanelID        int64 // 0 where the finding concerns no panel
	RefID          string
	// Subject is what the finding is about where that is no panel but a rule:
	// alert "X" of group "Y".
	Subject  string
	Expr     string // as written
	ExprRun  string // as sent to Prometheus
	Empty    Span   // the part of ExprRun that is empty, for panel/no-data
	Message  string // what was seen
	Reason   string // why, one of the catalogue's reasons
	Evidence []string
	Fix      string
	Asked    int // how many questions Prometheus was asked to find the reason
	// Mended is Expr as it ought to be written, "" where that cannot be computed.
	Mended string
	// Repair is what has to change in the files, nil where that is not certain.
	Repair *Repair
}

// Span is a part of an expression in byte offsets; the zero Span is none.
type Span struct{ Start, End int }

// Rule is one thing that is proven. A rule that reads only the files has
// Static, one that needs a running stack has Live, some have both. One about the
// configuration of the others has Review.
type Rule struct {
	ID       string
	Severity Severity // the default; configuration may change it
	Summary  string   // one line for the catalogue
	Static   func(*Static) []Finding
	Live     func(*Live) []Finding
	Review   func(*Review) []Finding // reads what became of the findings of the others
}

// Lookup finds a rule by its id.
func Lookup(id string) (Rule, bool) {
	for _, r := range All() {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Severities are the overrides of a configuration, by rule id.
type Severities map[string]Severity

// CheckStatic runs every rule that reads the files alone.
func CheckStatic(in *Static, over Severities) []Finding {
	return CheckStaticOf(in, over, func(Rule) bool { return true })
}

// CheckStaticOf runs those of the rules that are chosen.
func CheckStaticOf(in *Static, over Severities, choose func(Rule) bool) []Finding {
	var wide, apart []func(*Static) []Finding
	for _, r := range All() {
		switch {
		case r.Static == nil || !choose(r):
		case r.Apart():
			apart = append(apart, complete(r, over, r.Static))
		default:
			wide = append(wide, complete(r, over, r.Static))
		}
	}
	return Sorted(append(each(wide, in), inParallel(in.parts(), func(p *Static) []Finding { return p.folding(each(apart, p)) })...))
}

// CheckLive runs every rule that needs a running stack.
func CheckLive(in *Live, over Severities) []Finding {
	return CheckLiveOf(in, over, func(Rule) bool { return true })
}

// CheckLiveOf runs those of the rules that are chosen.
func CheckLiveOf(in *Live, over Severities, choose func(Rule) bool) []Finding {
	wide, apart := liveChecks(over, choose)
	return Sorted(append(each(wide, in), inParallel(in.parts(), func(p *Live) []Finding { return p.folding(each(apart, p)) })...))
}

// CheckBoards runs the rules that judge each dashboard apart on the dashboards alone.
// With what CheckStack finds it is all that CheckLive does.
func CheckBoards(in *Live, over Severities) []Finding {
	_, apart := liveChecks(over, func(Rule) bool { return true })
	parts := in.parts()
	return inParallel(parts[:len(parts)-1], func(p *Live) []Finding { return p.folding(each(apart, p)) })
}

// CheckStack runs the rules that hold dashboards against each other or are about the
// rest of the stack. They look at no answer.
func CheckStack(in *Live, over Severities) []Finding {
	wide, apart := liveChecks(over, func(Rule) bool { return true })
	own := *in
	own.Static = in.ofOwnRules()
	own.Asked, own.Variables = nil, nil
	return append(each(wide, in), each(apart, &own)...)
}

// liveChecks are the checks of a running stack: those that hold dashboards against each
// other, and those that judge each apart.
func liveChecks(over Severities, choose func(Rule) bool) (wide, apart []func(*Live) []Finding) {
	for _, r := range All() {
		switch {
		case r.Live == nil || !choose(r):
		case r.Apart():
			apart = append(apart, complete(r, over, r.Live))
		default:
			wide = append(wide, complete(r, over, r.Live))
		}
	}
	return wide, apart
}

// each is what the checks find in one input.
func each[T any](checks []func(T) []Finding, in T) []Finding {
	var out []Finding
	for _, check := range checks {
		out = append(out, check(in)...)
	}
	return out
}

// Apart says whether the rule judges each dashboard by itself and at its own file: what
// it says of one holds for as long as neither that changes nor what it depends on. The
// others hold dashboards against each other, or sum them up.
func (r Rule) Apart() bool {
	switch area(r.ID) {
	case "panel", "promql", "triton", "value", "variable":
		return true
	}
	return slices.Contains([]string{"datasource/input-unresolved", "datasource/uid-unknown", "prometheus/recording-rule-missing"}, r.ID)
}

// complete wraps a check so that its findings carry the rule's id and a
// severity: the configured one, else the finding's own, else the default.
func complete[T any](r Rule, over Severities, check func(T) []Finding) func(T) []Finding {
	return func(in T) []Finding {
		set, configured := over[r.ID]
		if configured && set == Off {
			return nil
		}
		found := check(in)
		for i := range found {
			found[i].Rule = r.ID
			switch {
			case configured:
				found[i].Severity = set
			case found[i].Severity == Off:
				found[i].Severity = r.Severity
			}
		}
		return found
	}
}

// areas is the way from the compose file to a panel: what breaks early breaks
// the rest, so it is read first.
func areas() []string {
	return []string{"stack", "upgrade", "prometheus", "datasource", "dashboard", "variable", "panel", "promql", "triton", "alert", "value", "gate"}
}

// area is the part of a rule's id before the slash.
func area(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return name
}

// Sorted orders findings the way they are read.
func Sorted(fs []Finding) []Finding {
	slices.SortStableFunc(fs, Order())
	return fs
}

// Order compares findings by the way they are read: gravest first, causes before what
// they cause, then by place.
func Order() func(a, b Finding) int {
	order := areas()
	return func(a, b Finding) int {
		return cmp.Or(
			int(b.Severity)-int(a.Severity),
			slices.Index(order, area(a.Rule))-slices.Index(order, area(b.Rule)),
			strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line, a.Pos.Column-b.Pos.Column)
	}
}
