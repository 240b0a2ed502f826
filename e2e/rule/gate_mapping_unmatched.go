package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack/source"
)

// Mapping is an entry of panelgate.yml's targets.
type Mapping struct {
	Pos   source.Pos
	Text  string            // its match, as "{job: triton}"
	Match map[string]string // by "job", "instance" or "address"
}

// gateMappingUnmatched proves that every entry of targets in panelgate.yml is
// about some target: one that is not changes nothing, in silence.
func gateMappingUnmatched() Rule {
	return Rule{
		ID:       "gate/mapping-unmatched",
		Severity: Warning,
		Summary:  "an entry of targets in panelgate.yml matches no target",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, m := range in.Unmatched {
				out = append(out, Finding{
					Pos:      m.Pos,
					Message:  fmt.Sprintf("%s matches no target: nothing is answered as this entry says", m.Text),
					Evidence: []string{targetsThere(in.Instance.Targets)},
					Fix:      unmatchedFix(m, in.Instance.Targets),
				})
			}
			return out
		},
	}
}

// targetsThere lists the targets by what an entry can match.
func targetsThere(targets []env.Target) string {
	const most = 8
	if len(targets) == 0 {
		return "there is no target at all"
	}
	var said []string
	for _, t := range targets[:min(len(targets), most)] {
		text := "job " + t.Job
		if t.Instance != "" {
			text += " at " + t.Instance
		}
		said = append(said, text)
	}
	if more := len(targets) - most; more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return "targets: " + strings.Join(said, ", ")
}

// unmatchedFix names the value that may be meant, if one of the entry's comes near it.
func unmatchedFix(m Mapping, targets []env.Target) string {
	values := map[string][]string{}
	for _, t := range targets {
		values["job"] = append(values["job"], t.Job)
		values["instance"] = append(values["instance"], t.Instance)
		values["address"] = append(values["address"], t.Address)
	}
	for _, key := range []string{"job", "instance", "address"} {
		want, there := m.Match[key]
		if !there || slices.Contains(values[key], want) {
			continue
		}
		if near := nearest.Names(want, values[key], 1); len(near) > 0 {
			return fmt.Sprintf("write %s: %q, if that is what is meant", key, near[0])
		}
	}
	return "match one of the targets, or remove the entry"
}
