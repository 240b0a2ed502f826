package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/release"
	"github.com/panelgate/panelgate/fakes/standard"
)

// Panel is a panel, or what is behind panels, and what becomes of it with the releases of
// one exporter.
type Panel struct {
	File           string
	Dashboard      string // uid, "" for what is of no dashboard
	DashboardTitle string
	Panel          string // "" for a variable of the dashboard, a rule file's alert or a target
	PanelID        int64
	Subject        string // of what is no panel
	Spans          []Span // all releases that were tried, oldest first
}

// Name is what people read.
func (p Panel) Name() string {
	switch {
	case p.Panel != "":
		return p.Panel
	case p.Subject != "":
		return p.Subject
	}
	return p.File
}

// State is what becomes of a panel.
type State string

// The states, as reports spell them.
const (
	OK      State = "ok"
	Broken  State = "broken"            // with this release, and not with the stack's own
	Already State = "broken at its own" // with this release as with the stack's own
	Untold  State = "not told"          // the run could not be made
)

// Span is releases next to each other, among those tried, that do the same to a panel.
type Span struct {
	First, Last string // the same for one release
	// Open says that no newer release was tried, so that as far as is known it goes on: the
	// stack's own, which is proven too, is none to stop it.
	Open  bool
	State State
	// Since is the first release, where the one before it does another thing to the panel;
	// Until is the next one that was tried, where that does.
	Since, Until string
	Breaks       []Break // what breaks it
}

// Break is one thing that is wrong with a panel.
type Break struct {
	Rule     string
	Severity string
	Line     int
	Column   int
	RefID    string
	Reason   string
	Message  string // what is seen, as the newest release of the span has it
	Why      string // more of it: the first of the evidence
	Fix      string // what to write instead
}

// subject tells what findings are about.
type subject struct {
	file, panel, subject string
	id                   int64
}

func subjectOf(f rule.Finding) subject { return subject{f.Pos.File, f.Panel, aboutOf(f), f.PanelID} }

// aboutOf names what a finding is about where that is no panel.
func aboutOf(f rule.Finding) string {
	switch {
	case f.Panel != "" || f.Subject != "":
		return f.Subject
	case f.Dashboard != "":
		return fmt.Sprintf("line %d", f.Pos.Line)
	}
	return fmt.Sprintf("%s:%d", f.Pos.File, f.Pos.Line)
}

// sameFinding tells whether two runs have found the same.
type sameFinding struct {
	subject
	rule, refID, reason string
}

func sameOf(f rule.Finding) sameFinding { return sameFinding{subjectOf(f), f.Rule, f.RefID, f.Reason} }

// minded are the findings that break something.
func (d *drifting) minded(p *proof) []rule.Finding {
	var out []rule.Finding
	if p.report == nil {
		return nil
	}
	for _, f := range p.report.Findings {
		if f.Severity >= d.FailOn && !besides(f.Rule) {
			out = append(out, f)
		}
	}
	return out
}

// besides are rules of which nothing follows for a release: those of the configuration
// follow from others.
func besides(id string) bool { return strings.HasPrefix(id, "gate/") }

// tell makes the table of one exporter.
func (d *drifting) tell(p *planned) Exporter {
	out := Exporter{Name: p.axis.Exporter, Own: p.own}
	for _, v := range p.axis.Versions {
		out.Versions = append(out.Versions, p.version(v))
	}
	found := map[string][]rule.Finding{}
	own := ownFindings(d.minded(d.base))
	for _, row := range d.rows(p, found) {
		panel := row.panel
		for i := range out.Versions {
			v := &out.Versions[i]
			span := own.judge(row.subject, found[p.like[v.Name]])
			if v.Err != "" {
				span = Span{State: Untold}
			}
			if span.State == Broken {
				v.Breaks++
			}
			span.First, span.Last = v.Name, v.Name
			span.Open = i == len(out.Versions)-1 && (span.State != Broken || !p.ownIsNewer(v.Name))
			panel.Spans = join(panel.Spans, span)
		}
		if !panel.drifts() {
			continue
		}
		panel.bounds()
		out.Panels = append(out.Panels, panel)
	}
	return out
}

// ownIsNewer says whether the stack runs a newer release.
func (p *planned) ownIsNewer(v string) bool {
	here := release.MustParse(v)
	return slices.ContainsFunc(p.own, func(own string) bool {
		r, err := release.Parse(own)
		return err == nil && r.Compare(here) > 0
	})
}

// drifts says whether a panel is worth a row: it breaks somewhere, or shows nothing with
// the stack's own release. What is wrong with the files at every release is not.
func (p *Panel) drifts() bool {
	return slices.ContainsFunc(p.Spans, func(s Span) bool { return s.State == Broken || s.State == Already && p.Panel != "" })
}

// version says how a release was tried.
func (p *planned) version(v string) Version {
	like := p.like[v]
	out := Version{Name: v, Own: slices.Contains(p.own, v)}
	switch {
	case like == "" && !out.Own:
		out.Like = p.own[len(p.own)-1]
	case like != v:
		out.Like = like
	}
	if got := p.proof[like]; got.err != nil {
		out.Err = got.err.Error()
	}
	return out
}

// known is what was found with the stack's own releases.
type known struct {
	findings map[sameFinding]bool
	broken   map[subject]bool // by an error, not just a warning
}

func ownFindings(findings []rule.Finding) known {
	k := known{map[sameFinding]bool{}, map[subject]bool{}}
	for _, f := range findings {
		k.findings[sameOf(f)] = true
		k.broken[subjectOf(f)] = k.broken[subjectOf(f)] || f.Severity == rule.Error
	}
	return k
}

// judge says what becomes of a panel with a release with which this was found.
func (k known) judge(about subject, found []rule.Finding) Span {
	var news, olds []Break
	for _, f := range found {
		switch {
		case subjectOf(f) != about:
		case k.broken[about]:
			olds = append(olds, breakOf(f))
		case k.findings[sameOf(f)]: // a warning that is given with the stack's own as well
		default:
			news = append(news, breakOf(f))
		}
	}
	switch {
	case len(news) > 0:
		return Span{State: Broken, Breaks: news}
	case len(olds) > 0:
		return Span{State: Already, Breaks: olds}
	}
	return Span{State: OK}
}

// row is a panel that is broken with some release.
type row struct {
	subject subject
	panel   Panel
}

// rows are the panels that anything is found of, in the order of the files; found is
// filled with what was, by the release that was proven.
func (d *drifting) rows(p *planned, found map[string][]rule.Finding) []row {
	var out []row
	lines := map[subject]int{}
	for version, got := range p.proof {
		found[version] = d.minded(got)
		for _, f := range found[version] {
			s := subjectOf(f)
			if line, known := lines[s]; known {
				lines[s] = min(line, f.Pos.Line)
				continue
			}
			lines[s] = f.Pos.Line
			out = append(out, row{s, Panel{File: f.Pos.File, Dashboard: f.Dashboard, DashboardTitle: f.DashboardTitle,
				Panel: f.Panel, PanelID: f.PanelID, Subject: aboutOf(f)}})
		}
	}
	slices.SortFunc(out, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.subject.file, b.subject.file), cmp.Compare(lines[a.subject], lines[b.subject]),
			cmp.Compare(a.subject.id, b.subject.id), cmp.Compare(a.subject.panel, b.subject.panel), cmp.Compare(a.subject.subject, b.subject.subject))
	})
	return out
}

func breakOf(f rule.Finding) Break {
	b := Break{Rule: f.Rule, Severity: f.Severity.String(), Line: f.Pos.Line, Column: f.Pos.Column, RefID: f.RefID, Reason: f.Reason,
		Message: f.Message, Fix: f.Fix}
	if len(f.Evidence) > 0 {
		b.Why = f.Evidence[0]
	}
	return b
}

// join adds a span, to the last one where it says the same.
func join(spans []Span, next Span) []Span {
	if n := len(spans); n > 0 && spans[n-1].State == next.State && sameBreaks(spans[n-1].Breaks, next.Breaks) {
		spans[n-1].Last, spans[n-1].Open, spans[n-1].Breaks = next.Last, next.Open, next.Breaks
		return spans
	}
	return append(spans, next)
}

// sameBreaks compares what is wrong, and not the words for it, which name releases.
func sameBreaks(a, b []Break) bool {
	return slices.EqualFunc(a, b, func(a, b Break) bool {
		return a.Rule == b.Rule && a.RefID == b.RefID && a.Reason == b.Reason && a.Line == b.Line
	})
}

// bounds says of each span where it begins and ends.
func (p *Panel) bounds() {
	for i := 1; i < len(p.Spans); i++ {
		if before, here := &p.Spans[i-1], &p.Spans[i]; before.State != here.State {
			here.Since, before.Until = here.First, here.First
		}
	}
}

// Says are the releases of a span in words: "20.06–22.01", "24.07–" with nothing newer
// tried, "main" alone.
func (s Span) Says() string {
	switch {
	case s.First == s.Last:
		return s.First
	case s.Open:
		return s.First + "–"
	case strings.Contains(s.First, "-"): // of two numbers with a hyphen between
		return s.First + " – " + s.Last
	}
	return s.First + "–" + s.Last
}

// rank is the place of an exporter among all.
func rank(name string) int { return slices.Index(standard.Names(), name) }

// Title is what the exporter is called.
func (e Exporter) Title() string { return standard.Title(e.Name) }
