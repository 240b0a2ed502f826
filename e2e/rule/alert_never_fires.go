package rule

import (
	"fmt"
	"slices"

	"github.com/panelgate/panelgate/e2e/why"
)

// alertNeverFires holds each alert against scenarios in which something is wrong: one
// that fires in none of them would not be heard when it is needed.
func alertNeverFires() Rule {
	return Rule{
		ID:       "alert/never-fires",
		Severity: Warning,
		Summary:  "an alert fires in no scenario (an error where what it watches cannot be there)",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Alerts {
				if a.Unchecked != "" || a.Refused != nil || len(a.Trials) == 0 || a.Fires() {
					continue
				}
				if f := deaf(a); f != nil {
					if !in.saidOfWindow(f) {
						out = append(out, *f)
					}
				} else if f := outOfReach(a); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// deaf is about an alert on what is not there in any scenario; nil for others.
func deaf(a *Alert) *Finding {
	d := a.Diagnosis
	if d == nil || !broken(d.Reason) {
		return nil
	}
	f := a.begin()
	f.Severity = Error
	f.Reason = string(d.Reason)
	f.Message = fmt.Sprintf("the alert can never fire: %s is empty in every scenario", oneLine(d.Part))
	f.Evidence = append([]string{d.Message}, d.Evidence...)
	f.Evidence = append(f.Evidence, "tried: "+a.scenarios())
	f.Fix, f.Asked = d.Fix, d.Asked
	if a.Rule != nil && d.End > 0 {
		f.Pos = a.expr().PosAt(d.Start)
	}
	return &f
}

// broken are the reasons that no scenario changes: the expression itself is wrong.
func broken(r why.Reason) bool {
	switch r {
	case why.MetricMissing, why.DroppedByRelabel, why.LabelMissing, why.WindowTooShort, why.JoinMismatch, why.HistogramNoLe:
		return true
	}
	return false
}

// outOfReach is about an alert whose value the scenarios move, and that is never where
// the threshold is. Of what they do not move they say nothing: nil then.
func outOfReach(a *Alert) *Finding {
	for _, ap := range a.approaches() {
		if !ap.Seen || ap.met || !ap.moved || !ap.far() {
			continue
		}
		f := a.begin()
		f.Message = fmt.Sprintf("the alert fires in no scenario: the value never comes to %s %s", ap.Op, number(ap.Threshold))
		f.Evidence = []string{ap.String(), "tried: " + a.scenarios()}
		f.Fix = "set the threshold to a value that can occur: mind the unit of the value (a share of 1 or percent, µs or s, bytes or MiB)"
		return &f
	}
	return nil
}

// saidOfWindow says whether promql/rate-window has told of the same rule why it is
// empty.
func (in *Live) saidOfWindow(f *Finding) bool {
	return f.Reason == string(why.WindowTooShort) && slices.ContainsFunc(in.Said, func(said Finding) bool {
		return said.Rule == "promql/rate-window" && said.Subject == f.Subject && said.Severity == Error
	})
}
