package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/grafana"
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
				if a.Target == nil || a.Err == nil || a.Sent && behindNotTaken(in, a.Datasource) {
					continue
				}
				switch {
				case a.Sent && a.byGrafana():
					if f := refusedByGrafana(in, a); f != nil {
						out = append(out, *f)
					}
				case a.Sent:
					if f := refused(a); f != nil {
						out = append(out, *f)
					}
				case a.BuildErr != nil && a.fixOfNoQuery() == "": // else it is panel/no-data
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
	var unshared *unsharedError
	if errors.As(a.BuildErr, &unshared) {
		f.Pos = unshared.pos
		f.Message = "the panel stays empty: " + unshared.Error()
		f.Evidence = []string{"there are " + unshared.there}
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
	if a.Grafana != nil && a.Grafana.Err == nil {
		f.Evidence = append(f.Evidence, fmt.Sprintf("through Grafana it is answered, with %d series", a.Grafana.Series))
	}
	return &f
}

// byGrafana says whether it is Grafana that refuses the query, and not Prometheus.
func (a *Asked) byGrafana() bool {
	return a.Grafana != nil && a.Grafana.Err != nil && errors.Is(a.Err, a.Grafana.Err)
}

// refusedByGrafana explains why Grafana does not answer what Prometheus does, nil
// where a rule about its datasource says so.
func refusedByGrafana(in *Live, a *Asked) *Finding {
	if errors.Is(a.Grafana.Err, grafana.ErrUnknownDatasource) || a.fedByFailure(in) {
		return nil
	}
	if ds := a.Datasource; ds != nil && (in.Unreachable[ds.EffectiveUID] != "" || in.behindFault(ds) || in.Health[ds.EffectiveUID] != nil) {
		return nil // datasource/url-unreachable, the fault, datasource/unhealthy
	}
	words := grafanaWords(a.Grafana.Err)
	f := onAsked(a)
	f.Message = "Grafana refuses the query, which Prometheus answers: " + words
	f.Fix = remedy(words)
	if a.Expression {
		f.Message = "Grafana cannot compute the expression: " + words
		f.Fix = "mend the expression, or the queries that it is fed with, as the error says"
	}
	if errors.Is(a.Grafana.Err, grafana.ErrNoPlugin) {
		f.Fix = "have Grafana install the datasource's plugin: GF_PLUGINS_PREINSTALL_SYNC, or GF_INSTALL_PLUGINS before Grafana 12"
	}
	if repeated := a.repeatedFor(); repeated != "" {
		f.Evidence = append(f.Evidence, "for "+repeated)
	}
	if a.Grafana.Executed != "" {
		f.Evidence = append(f.Evidence, "its back end ran: "+oneLine(a.Grafana.Executed))
	}
	return &f
}

// fedByFailure says whether an expression is fed by a query that fails itself, or
// by a datasource that nobody answers for: that is said there.
func (a *Asked) fedByFailure(in *Live) bool {
	return a.Expression && slices.ContainsFunc(in.Asked, func(o *Asked) bool {
		return o != a && o.Panel == a.Panel && o.Scope == a.Scope && !o.Expression && o.Err != nil
	})
}

// grafanaWords are Grafana's own of an error, without what panelgate asked for.
func grafanaWords(err error) string {
	if own, ok := errors.AsType[*grafana.QueryError](err); ok && own.Message != "" {
		return oneLine(own.Message)
	}
	if status, ok := errors.AsType[*grafana.StatusError](err); ok && status.Message != "" {
		return oneLine(fmt.Sprintf("%s (HTTP %d)", status.Message, status.Status))
	}
	return oneLine(err.Error())
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
