package rule

import (
	"fmt"
	"strings"
)

// panelAnswersDiffer proves that Grafana shows what Prometheus has: that its back
// end asks the query that the panel means, and hands the answer on as it is.
func panelAnswersDiffer() Rule {
	return Rule{
		ID:       "panel/answers-differ",
		Severity: Error,
		Summary:  "Grafana's answer to a panel's query is not that of Prometheus",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				if g := a.Grafana; g != nil && g.Err == nil && a.Err == nil && a.Target != nil && len(g.Differs) > 0 {
					out = append(out, answersDiffer(a))
				}
			}
			return out
		},
	}
}

func answersDiffer(a *Asked) Finding {
	f := onAsked(a)
	f.Message = fmt.Sprintf("Grafana answers with %d series and %d samples, and not as Prometheus does", a.Grafana.Series, a.Grafana.Samples)
	if repeated := a.repeatedFor(); repeated != "" {
		f.Message += ", for " + repeated
	}
	for _, d := range a.Grafana.Differs {
		f.Evidence = append(f.Evidence, oneLine(d))
	}
	asked := "Prometheus was asked: " + a.Request.Expr
	if a.Request.Instant {
		asked += ", at one moment"
	} else {
		asked += fmt.Sprintf(", step %s", a.Request.Step)
	}
	f.Evidence = append(f.Evidence, oneLine(asked))
	f.Fix = "see whether the datasource of this uid leads to the Prometheus of the stack, and what its settings or a proxy between the two change: custom query parameters, headers, a cache, incremental querying"
	if ran := a.Grafana.Executed; ran != "" {
		f.Evidence = append(f.Evidence, "Grafana's back end ran: "+oneLine(ran))
		if !strings.Contains(oneLine(ran), oneLine(a.Request.Expr)) {
			f.Message += ": its back end ran another query"
			f.Fix = "write what depends on the version of Grafana out: an interval in the place of $__interval or $__rate_interval, a min interval in the query options"
		}
	}
	return f
}
