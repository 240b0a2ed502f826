package watch

import "github.com/panelgate/panelgate/ci/report"

// Compare says which findings of a run are gone in a later one, and which are new.
// Where a finding stands does not tell it apart: lines move with every edit.
func Compare(before, now *report.Document) (gone, come []report.Finding) {
	if before == nil {
		return nil, nil
	}
	return without(before.Findings, now.Findings), without(now.Findings, before.Findings)
}

// subject is what a finding is about.
type subject struct {
	rule, file, dashboard, panel, refID, subject string
	panelID                                      int64
}

func subjectOf(f report.Finding) subject {
	return subject{f.Rule, f.File, f.Dashboard, f.Panel, f.RefID, f.Subject, f.PanelID}
}

// without are the findings that are not among others, each of those standing for one.
func without(findings, others []report.Finding) []report.Finding {
	left := map[subject]int{}
	for _, f := range others {
		left[subjectOf(f)]++
	}
	var out []report.Finding
	for _, f := range findings {
		if s := subjectOf(f); left[s] > 0 {
			left[s]--
			continue
		}
		out = append(out, f)
	}
	return out
}
