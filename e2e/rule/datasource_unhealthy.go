package rule

import "fmt"

// datasourceUnhealthy asks each Prometheus datasource what the "Save & test"
// button of Grafana asks it.
func datasourceUnhealthy() Rule {
	return Rule{
		ID:       "datasource/unhealthy",
		Severity: Error,
		Summary:  "Grafana's health check of a datasource fails",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				err := in.Health[ds.EffectiveUID]
				if err == nil || in.behindFault(ds) || notTaken(in, ds) {
					continue
				}
				f := Finding{
					Pos:      urlPlace(ds),
					Message:  fmt.Sprintf("the health check of datasource %q fails, and with it every panel that asks it", ds.Name.Value),
					Evidence: []string{"the answer to 1+1: " + err.Error()},
					Fix:      fmt.Sprintf("make %s answer queries, or set url to a Prometheus that does", ds.URL.Value),
				}
				if in.Served != nil && Elsewhere(in.Stack, ds) == "" { // Grafana made the check itself
					f.Evidence = []string{"Grafana: " + oneLine(err.Error())}
				}
				out = append(out, f)
			}
			return out
		},
	}
}
