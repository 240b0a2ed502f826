package stack

import "slices"

// Paths are the files and directories that the stack is read from: its own directory,
// and what lies elsewhere and is kept as code. What is mounted from the host itself,
// such as /proc, is no part of it.
func (s *Stack) Paths() []string {
	out := []string{s.Dir}
	add := func(paths ...string) {
		for _, p := range paths {
			if p != "" && !within(s.Dir, p) && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	if p := s.Prometheus; p != nil {
		add(p.Path)
		for _, f := range p.RuleFiles {
			add(f.Path)
		}
	}
	if g := s.Grafana; g != nil {
		add(g.ProvisioningDir, g.DatasourceDir, g.DashboardDir, g.AlertingDir)
	}
	for _, p := range s.Providers {
		add(p.Dir)
	}
	if s.Compose == nil {
		return out
	}
	for _, service := range s.Compose.Services {
		for _, m := range service.Mounts {
			if m.Relative {
				add(m.Source)
			}
		}
	}
	return out
}
