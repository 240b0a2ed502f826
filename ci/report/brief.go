package report

import "strings"

// brief tells a finding in a few lines without markup: where, what was seen, why, and
// what to do.
func brief(f Finding) string {
	var lines []string
	if where := clickPath(f); where != "" {
		lines = append(lines, where+": "+f.Message)
	} else {
		lines = append(lines, f.Message)
	}
	if why := because(f); why != "" {
		lines = append(lines, "Why: "+why)
	}
	if f.Fix != "" {
		lines = append(lines, "Fix: "+f.Fix)
	}
	if f.Mended != "" {
		lines = append(lines, "Write: "+f.Mended)
	}
	return strings.Join(lines, "\n")
}

// because is the reason with its evidence.
func because(f Finding) string {
	why := strings.Join(f.Evidence, "\n")
	switch {
	case f.Reason == "":
		return why
	case why == "":
		return f.Reason
	}
	return f.Reason + ": " + why
}
