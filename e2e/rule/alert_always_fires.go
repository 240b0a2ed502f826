package rule

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/fakes"
)

// alertAlwaysFires holds each alert against normal operation, in which it has to be
// silent.
func alertAlwaysFires() Rule {
	return Rule{
		ID:       "alert/always-fires",
		Severity: Error,
		Summary:  "an alert fires in the steady scenario, where nothing is wrong",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Alerts {
				if len(a.Trials) == 0 || a.Unchecked != "" || a.NotScraped {
					continue
				}
				if t := a.Trials[0]; t.Scenario == fakes.DefaultScenario && t.Fires {
					out = append(out, firesInPeace(a, t))
				}
			}
			return out
		},
	}
}

func firesInPeace(a *Alert, t Trial) Finding {
	f := a.begin()
	f.Message = fmt.Sprintf("the alert fires in the %s scenario, where nothing is wrong", t.Scenario)
	f.Evidence = []string{fmt.Sprintf("firing since %s with value %s: %s", t.Since.UTC().Format(time.RFC3339), number(t.Value), firingSeries(t.Labels))}
	if t.Instances > 1 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%d series fire in all", t.Instances))
	}
	for _, ap := range t.Approaches {
		if ap.Seen {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s is between %s and %s, the threshold is %s %s",
				ap.Side, number(ap.Low), number(ap.High), ap.Op, number(ap.Threshold)))
		}
	}
	f.Fix = "set the threshold to what is wrong: mind the unit of the value and the direction of the comparison"
	if strings.Contains(a.expr().Value, "absent") {
		f.Fix = "name a series that is there while all is well"
	}
	return f
}

// firingSeries is a label set as Prometheus writes it.
func firingSeries(m model.Metric) string {
	if len(m) == 0 {
		return "{}"
	}
	return m.String()
}
