package rule

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Exclusion says that findings are known, and why they stay. Every name that it
// gives has to fit a finding; one that it does not give fits all.
type Exclusion struct {
	Rules     []string    // ids, one of which it has to be
	Dashboard source.Text // uid or title
	Panel     source.Text // title
	RefID     source.Text
	Target    source.Text // the query by its place in the panel, from 0, as .lint files count
	File      source.Text // the finding's file, relative to the stack
	Folder    string      // the folder that a .lint file speaks for, "." for all
	// Foreign says that it was written for another linter, whose rules find more
	// than their counterparts here: that it fits nothing says nothing.
	Foreign bool
	// Queryless says that only findings about a panel without a query are meant.
	Queryless bool
	// Lowers says that the finding stays, as a warning.
	Lowers bool
	Why    string
	Until  time.Time // the first moment at which it no longer holds, zero for never
	Pos    source.Pos
	inline *directive // of a comment in an expression
}

// HoldsAt says whether the exclusion has not expired yet.
func (e *Exclusion) HoldsAt(now time.Time) bool { return e.Until.IsZero() || now.Before(e.Until) }

// Excluded is a finding that does not count, and what says so.
type Excluded struct {
	Finding
	By Exclusion
}

// Review is what the rules about the findings of all others are given.
type Review struct {
	*Static
	Live     bool // whether a running stack was asked
	Served   bool // whether a real Grafana was
	Over     Severities
	Excluded []Excluded
	used     map[int]bool // exclusions of panelgate.yml and .lint files, by index
}

// CheckReview takes out of the findings what is excluded, and runs the rules about
// that.
func CheckReview(r *Review, found []Finding) []Finding {
	r.used = map[int]bool{}
	var kept []Finding
	for _, f := range found {
		by := r.exclusionsOf(f)
		drops := slices.IndexFunc(by, func(e Exclusion) bool { return !e.Lowers })
		switch {
		case drops >= 0:
			r.Excluded = append(r.Excluded, Excluded{Finding: f, By: by[drops]})
			continue
		case len(by) > 0 && f.Severity > Warning:
			f.Severity = Warning
			f.Evidence = append(slices.Clone(f.Evidence), fmt.Sprintf("lowered to a warning by %s%s", by[0].Pos, because(by[0].Why)))
		}
		kept = append(kept, f)
	}
	order := Order()
	slices.SortStableFunc(r.Excluded, func(a, b Excluded) int { return order(a.Finding, b.Finding) })
	for _, rule := range All() {
		if rule.Review != nil {
			kept = append(kept, complete(rule, r.Over, rule.Review)(r)...)
		}
	}
	return Sorted(kept)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + oneLine(why)
}

// exclusionsOf are all that fit a finding, so that each counts as needed.
func (r *Review) exclusionsOf(f Finding) []Exclusion {
	var out []Exclusion
	for i := range r.Exclusions {
		if e := &r.Exclusions[i]; e.HoldsAt(r.Now) && r.fits(e, f) {
			r.used[i] = true
			out = append(out, *e)
		}
	}
	for _, d := range directivesIn(f.Expr) {
		if d.fault() == nil && slices.Contains(d.rules, f.Rule) {
			out = append(out, Exclusion{Rules: d.rules, Why: d.why, Pos: r.placeOf(f), inline: &d})
		}
	}
	return out
}

// fits says whether an exclusion speaks of a finding.
func (r *Review) fits(e *Exclusion, f Finding) bool {
	if !slices.Contains(e.Rules, f.Rule) {
		return false
	}
	for _, pair := range [][2]string{{e.Panel.Value, f.Panel}, {e.RefID.Value, f.RefID}, {e.File.Value, f.Pos.File}} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	if e.Dashboard.Value != "" && e.Dashboard.Value != f.Dashboard && e.Dashboard.Value != f.DashboardTitle {
		return false
	}
	if e.Target.Value != "" && f.RefID != "" && !slices.Contains(r.placesOf(f), e.Target.Value) {
		return false
	}
	if e.Queryless && (f.RefID != "" || f.Expr != "") {
		return false
	}
	return !e.Foreign || within(e.Folder, f.Pos.File)
}

// within says whether a file of the stack lies in a folder of it.
func within(folder, file string) bool {
	return folder == "." || path.Dir(file) == folder
}

// targetsOf are the targets that a finding may be about, with their place.
func (in *Static) targetsOf(f Finding, visit func(i int, t *dashboard.Target)) {
	for _, b := range in.Boards {
		if b.UID.Value != f.Dashboard || b.Title.Value != f.DashboardTitle {
			continue
		}
		for _, p := range b.Panels {
			if p.Title.Value != f.Panel || PanelID(p) != f.PanelID {
				continue
			}
			for i, t := range p.Targets {
				if t.RefID.Value == f.RefID {
					visit(i, t)
				}
			}
		}
	}
}

// placesOf are the places in its panel of the query that a finding is about.
func (in *Static) placesOf(f Finding) []string {
	var out []string
	in.targetsOf(f, func(i int, _ *dashboard.Target) { out = append(out, fmt.Sprint(i)) })
	return out
}

// placeOf is where the expression of a finding begins.
func (in *Static) placeOf(f Finding) source.Pos {
	pos := f.Pos
	in.targetsOf(f, func(_ int, t *dashboard.Target) {
		if t.Expr.Value == f.Expr {
			pos = t.Expr.Pos
		}
	})
	return pos
}

// directive is a comment in an expression that excludes findings about it:
//
//	# panelgate:ignore RULE, RULE -- why
type directive struct {
	offset int // of its # in the expression
	rules  []string
	why    string
}

// mark is how such a comment begins.
const mark = "panelgate:ignore"

// directivesIn finds the comments of an expression; what stands in a string is none.
func directivesIn(expr string) []directive {
	var out []directive
	for _, at := range commentsIn(expr) {
		text := expr[at:commentEnd(expr, at)]
		text = strings.TrimSpace(strings.TrimLeft(text, "#"))
		rest, ok := strings.CutPrefix(text, mark)
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t:") {
			continue
		}
		names, why, _ := strings.Cut(rest, "--")
		d := directive{offset: at, why: strings.TrimSpace(why)}
		d.rules = strings.FieldsFunc(names, func(c rune) bool { return strings.ContainsRune(", \t:", c) })
		out = append(out, d)
	}
	return out
}

// commentsIn are the offsets of the comments of PromQL.
func commentsIn(expr string) []int {
	var out []int
	var quote byte
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '#':
			out = append(out, i)
			i = commentEnd(expr, i)
		}
	}
	return out
}

// commentEnd is where the comment ends that begins at an offset: with its line, which a
// return ends as well.
func commentEnd(expr string, at int) int {
	if n := strings.IndexAny(expr[at:], "\r\n"); n >= 0 {
		return at + n
	}
	return len(expr)
}
