package rule

import (
	"fmt"
	"time"
)

// gateExpectationExpired proves that what panelgate.yml excuses for a time is looked
// at again when the time is up.
func gateExpectationExpired() Rule {
	return Rule{
		ID:       "gate/expectation-expired",
		Severity: Error,
		Summary:  "an expectation of panelgate.yml is past its until, and no longer holds",
		Static: func(in *Static) []Finding {
			var out []Finding
			for i := range in.Expectations {
				e := &in.Expectations[i]
				if e.HoldsAt(in.Now) {
					continue
				}
				last := e.Until.AddDate(0, 0, -1).Format(time.DateOnly)
				f := onEntry(e.UntilPos, e.Dashboard, e.Panel, e.RefID)
				f.Message = fmt.Sprintf("the expectation %s held until %s, and no longer does", e.words(), last)
				if e.Why != "" {
					f.Evidence = []string{"why it was there: " + oneLine(e.Why)}
				}
				f.Fix = "remove the expectation, or give it a later until if its reason still holds"
				out = append(out, f)
			}
			return out
		},
	}
}
