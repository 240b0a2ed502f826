package report

import (
	"io"

	"github.com/panelgate/panelgate/e2e/rule"
)

// codeQualityIssue is an entry of GitLab's code quality report.
type codeQualityIssue struct {
	Description string              `json:"description"`
	CheckName   string              `json:"check_name"`
	Fingerprint string              `json:"fingerprint"`
	Severity    string              `json:"severity"` // info, minor, major, critical or blocker
	Location    codeQualityLocation `json:"location"`
}

type codeQualityLocation struct {
	Path  string           `json:"path"`
	Lines codeQualityLines `json:"lines"`
}

type codeQualityLines struct {
	Begin int `json:"begin"`
}

// couldNotRun stands where formats name a rule, for a run that could not be run: a
// report without an entry would say that all is mended.
const couldNotRun = "gate/could-not-run"

// CodeQuality writes the findings as GitLab shows them in a merge request.
func CodeQuality(w io.Writer, d *Document) error {
	issues := []codeQualityIssue{}
	prints := d.fingerprints()
	add := func(f Finding, severity string) {
		file, line := d.where(f)
		issues = append(issues, codeQualityIssue{
			Description: Clean(brief(f)), CheckName: f.Rule, Fingerprint: prints.of(f), Severity: severity,
			Location: codeQualityLocation{Path: d.Checkout.name(file), Lines: codeQualityLines{line}},
		})
	}
	if d.Error != "" {
		add(Finding{Rule: couldNotRun, Message: d.Error}, "blocker")
	}
	for _, f := range d.Findings {
		add(f, codeQualitySeverity(f.Weight()))
	}
	return Encode(w, "code quality", issues)
}

func codeQualitySeverity(s rule.Severity) string {
	switch s {
	case rule.Error:
		return "major"
	case rule.Warning:
		return "minor"
	}
	return "info"
}
