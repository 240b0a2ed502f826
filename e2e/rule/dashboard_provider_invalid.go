package rule

import "github.com/panelgate/panelgate/stack"

// dashboardProviderInvalid proves that Grafana can read what says where its
// dashboards are: without it they are files that nobody opens.
func dashboardProviderInvalid() Rule {
	return Rule{
		ID:       "dashboard/provider-invalid",
		Severity: Error,
		Summary:  "a dashboard provider file does not load, or is of another type than file",
		Static: func(in *Static) []Finding {
			return provisioningProblems(in.Stack, stack.AreaProvider)
		},
	}
}
