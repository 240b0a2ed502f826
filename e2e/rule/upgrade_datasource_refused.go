package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack"
)

// upgradeDatasourceRefused proves that Grafana takes every datasource into a
// database that has those of the older revision. Versions differ in what they
// refuse, and whether they start at all then.
func upgradeDatasourceRefused() Rule {
	return Rule{
		ID:       "upgrade/datasource-refused",
		Severity: Error,
		Summary:  "Grafana does not take a datasource into a database that has the older revision's",
		Live: func(in *Live) []Finding {
			if found := refusedAtStart(in); len(found) > 0 {
				return found
			}
			if !in.upgraded() || !in.keepsGrafana() {
				return nil
			}
			var out []Finding
			for _, c := range changes(in) {
				served := slices.ContainsFunc(in.Served.Datasources, func(d grafana.Datasource) bool {
					return d.UID == c.now.EffectiveUID && d.Name == c.now.Name.Value
				})
				if served {
					continue
				}
				f := c.finding()
				f.Message += ": Grafana runs, and has not taken the change"
				f.Evidence = mentioning(in.Served.Log, datasourceError)
				out = append(out, f)
			}
			return out
		},
	}
}

// datasourceError begins what Grafana says of a datasource that it refuses.
const datasourceError = "Datasource provisioning error"

// change is a datasource that the older revision had under another uid or name.
type change struct {
	was grafana.Datasource
	now *stack.Datasource
}

// changes are the datasources of the files that Grafana already knew otherwise.
func changes(in *Live) []change {
	if in.Instance.Before == nil {
		return nil
	}
	var out []change
	for _, now := range in.Stack.Datasources {
		for _, was := range in.Instance.Before.Datasources {
			if was.OrgID == now.OrgID && (was.UID == now.EffectiveUID) != (was.Name == now.Name.Value) {
				out = append(out, change{was, now})
			}
		}
	}
	return out
}

// refusedAtStart are the datasources over which Grafana ends. Where several have
// changed, its log does not say which one it was.
func refusedAtStart(in *Live) []Finding {
	fault := in.faultOnOldData(env.RoleGrafana)
	if fault == nil {
		return nil
	}
	lines := mentioning(fault.Log, datasourceError)
	if len(lines) == 0 {
		return nil
	}
	var out []Finding
	for _, c := range changes(in) {
		f := c.finding()
		f.Message += ": Grafana does not start, and would be started again and again"
		f.Evidence = lines
		out = append(out, f)
	}
	return out
}

// finding says what has changed.
func (c change) finding() Finding {
	if c.was.Name == c.now.Name.Value {
		f := Finding{
			Pos:     c.now.UID.Pos,
			Message: fmt.Sprintf("datasource %q has uid %q in the database, and %q in the file", c.was.Name, c.was.UID, c.now.EffectiveUID),
			Fix:     fmt.Sprintf("keep uid: %s, or remove the old one first: an entry {name: %s, orgId: %d} under deleteDatasources", c.was.UID, c.was.Name, c.now.OrgID),
		}
		if c.now.UID.Pos.IsZero() {
			f.Pos = c.now.Pos
		}
		return f
	}
	f := Finding{
		Pos:     c.now.Name.Pos,
		Message: fmt.Sprintf("uid %q belongs to datasource %q in the database, and to %q in the file", c.was.UID, c.was.Name, c.now.Name.Value),
		Fix: strings.TrimSpace(fmt.Sprintf("keep name: %s, or remove the old one first: an entry {name: %s, orgId: %d} under deleteDatasources",
			c.was.Name, c.was.Name, c.now.OrgID)),
	}
	if f.Pos.IsZero() {
		f.Pos = c.now.Pos
	}
	return f
}
