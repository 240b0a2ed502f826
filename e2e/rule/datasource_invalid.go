package rule

import (
	"slices"

	"github.com/panelgate/panelgate/stack"
)

// datasourceInvalid proves that Grafana can read its datasource provisioning: it
// does not start with a file that it cannot.
func datasourceInvalid() Rule {
	return Rule{
		ID:       "datasource/invalid",
		Severity: Error,
		Summary:  "a datasource provisioning file does not load, or holds what Grafana refuses",
		Static: func(in *Static) []Finding {
			return provisioningProblems(in.Stack, stack.AreaDatasource)
		},
	}
}

// provisioningProblems are the problems of an area but for those of a mount,
// which are stack/mount-missing.
func provisioningProblems(s *stack.Stack, area stack.Area) []Finding {
	rest := *s
	rest.Problems = slices.DeleteFunc(slices.Clone(s.Problems), func(p stack.Problem) bool { return aboutMount(s, p) })
	return problems(&rest, area)
}
