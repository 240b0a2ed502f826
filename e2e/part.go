package e2e

import (
	"slices"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/e2e/shard"
	"github.com/panelgate/panelgate/stack"
)

// Part is what a run was of several that share a stack, with what has to be known to
// put them together.
type Part struct {
	shard.Shard
	// Dealt are the chosen dashboards of the whole, in the stack's order.
	Dealt []Dealt
	// Open are findings that hold if all of the others have them too: that nothing was
	// asked, and that an exclusion fits no finding.
	Open []rule.Finding
}

// Dealt is a dashboard and the number of the shard that it is in.
type Dealt struct {
	File  string
	Shard int
}

// Split gives each dashboard of a stack the number of its shard of n.
func Split(s *stack.Stack, opts Options, n int) map[*stack.Board]int {
	var names []string
	for _, e := range opts.Config.Expect {
		names = append(names, e.Dashboard.Value)
	}
	return shard.Split(s, names, n)
}

// share leaves of what is checked the dashboards of the run's shard, and keeps the
// whole for those rules that hold dashboards against each other.
func (r *run) share(whole *rule.Static) *rule.Static {
	r.whole = whole
	if r.Shard.Whole() {
		return whole
	}
	number := Split(r.stack, r.Options, r.Shard.Of)
	mine := *whole
	mine.Boards = nil
	r.report.Part = &Part{Shard: r.Shard}
	for _, b := range whole.Boards {
		n := number[b.Board]
		r.report.Part.Dealt = append(r.report.Part.Dealt, Dealt{File: b.File, Shard: n})
		if n == r.Shard.Number {
			mine.Boards = append(mine.Boards, b)
		}
	}
	return &mine
}

// checkStatic runs the rules that read the files alone: those that judge each dashboard
// by itself on those of the run, the others on the whole.
func (r *run) checkStatic(mine *rule.Static) []rule.Finding {
	if r.Shard.Whole() {
		return rule.CheckStatic(mine, r.Config.Rules)
	}
	found := rule.CheckStaticOf(r.whole, r.Config.Rules, wide)
	return rule.Sorted(append(found, rule.CheckStaticOf(mine, r.Config.Rules, rule.Rule.Apart)...))
}

// nothingChecked is the rule that says so. Of a shard, only all together can.
const nothingChecked = "gate/nothing-checked"

// checkLive runs the rules that need a running stack, but for those that judge each
// dashboard by itself, whose findings are apart.
func (r *run) checkLive(live *rule.Live, apart []rule.Finding) []rule.Finding {
	found := rule.CheckStack(live, r.Config.Rules)
	if r.report.Part != nil {
		only := func(x rule.Rule) bool { return x.ID == nothingChecked }
		all := *live
		all.Static = r.whole
		r.report.Part.Open = rule.CheckLiveOf(&all, r.Config.Rules, only)
		found = slices.DeleteFunc(found, func(f rule.Finding) bool { return f.Rule == nothingChecked })
	}
	return rule.Sorted(append(found, apart...))
}

// leaveOpen takes out of a shard's findings what it cannot know by itself.
func (r *run) leaveOpen() {
	if r.report.Part == nil {
		return
	}
	r.report.Findings = slices.DeleteFunc(r.report.Findings, func(f rule.Finding) bool {
		if f.Rule != "gate/exclusion-unused" {
			return false
		}
		r.report.Part.Open = append(r.report.Part.Open, f)
		return true
	})
}
