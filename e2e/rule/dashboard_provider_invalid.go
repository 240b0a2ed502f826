package rule

import (
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

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
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, r := range refusals(in, "dashboard/provider-invalid") {
				pos := r.providerPlace(in.Stack)
				if in.said(pos.File, "dashboard/provider-invalid") {
					continue
				}
				f := Finding{Pos: r.orService(pos), Message: "Grafana does not start over its dashboard providers: " + r.words, Evidence: r.tail(),
					Fix: "mend what is named: Grafana does not start before"}
				switch {
				case strings.Contains(r.words, "permission denied"):
					f.Fix = "let the user that Grafana runs as, 472 in its images, read the file"
				case strings.Contains(r.words, "org.notFound"):
					f.Fix = "set orgId: 1: an organisation cannot be provisioned by files"
				}
				out = append(out, f)
			}
			return out
		},
	}
}

// providerPlace is where the provider stands that Grafana's words are about.
func (r refusal) providerPlace(s *stack.Stack) source.Pos {
	dir := ""
	if s.Grafana != nil {
		dir = s.Grafana.DashboardDir
	}
	pos, named := r.place(s, dir)
	if named && pos.Line > 0 {
		return pos
	}
	for _, p := range s.Providers {
		if about := p.Name.Value; about == "" || named && p.Pos.File != pos.File {
			continue
		} else if containsWord(r.words, about) || p.Type.Value != "file" && containsWord(r.words, p.Type.Value) {
			return p.Pos
		}
	}
	if !named && len(s.Providers) > 0 {
		pos = source.Pos{File: s.Providers[0].Pos.File}
	}
	return pos
}
