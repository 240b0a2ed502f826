package rule

import (
	"errors"
	"fmt"
	"strings"
)

// panelQueryError proves that every query is one that Prometheus takes. What
// does not parse by the files alone is panel/syntax.
func panelQueryError() Rule {
	return Rule{
		ID:       "panel/query-error",
		Severity: Error,
		Summary:  "Prometheus or Grafana refuses a panel's query",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, a := range in.Asked {
				if a.Target == nil || a.Err == nil {
					continue
				}
				switch {
				case a.Sent:
					if f := refused(a); f != nil {
						out = append(out, *f)
					}
				case a.BuildErr != nil && !errors.Is(a.BuildErr, errEmptyQuery):
					out = append(out, unbuilt(a))
				}
			}
			return out
		},
	}
}

// unbuilt says why there is nothing to send.
func unbuilt(a *Asked) Finding {
	f := onQuestion(a.Question)
	var missing *missingPanelError
	if errors.As(a.BuildErr, &missing) {
		f.Pos = missing.pos
		f.Message = "the panel stays empty: " + missing.Error()
		f.Evidence = []string{"there are " + missing.there}
		f.Fix = "choose a panel of this dashboard as the source, by its id"
		return f
	}
	f.Message = "no query can be made of it: " + a.BuildErr.Error()
	f.Fix = "mend the setting that is named"
	return f
}

// refused explains the error of a query that was sent, nil where a rule about
// the files has said so.
func refused(a *Asked) *Finding {
	f := onAsked(a)
	f.Message = "Prometheus refuses the query: " + a.Err.Error()
	f.Fix = remedy(a.Err.Error())
	if failure := parseFailureOf(a.Request.Expr); failure != nil {
		if a.Board.explains(a.Target) {
			return nil
		}
		f.Pos = posOf(a.Question, a.Request, failure.offset)
		f.Message = "the query does not parse with the values that its variables have: " + failure.reason
		f.Fix = "mend the query, or the variable that breaks it"
	}
	if repeated := a.repeatedFor(); repeated != "" {
		f.Evidence = append(f.Evidence, fmt.Sprintf("for %s", repeated))
	}
	return &f
}

// remedy says what helps against the errors that Prometheus reports most.
func remedy(msg string) string {
	for _, known := range []struct{ text, fix string }{
		{"many-to-many matching", "aggregate both sides to the labels they are matched on, or add group_left"},
		{"multiple matches for labels", "add group_left or group_right for the side with more series"},
		{"duplicate series", "match on a label that tells the series apart, or aggregate that side first"},
		{"same labelset", "keep a label that tells the series apart"},
		{"maximum resolution", "raise the min interval, or shorten the time range"},
		{"must be enabled", "start Prometheus with the feature, or do without the function"},
		{"experimental", "start Prometheus with the feature, or do without the function"},
	} {
		if strings.Contains(msg, known.text) {
			return known.fix
		}
	}
	return "mend the query as the error says"
}
