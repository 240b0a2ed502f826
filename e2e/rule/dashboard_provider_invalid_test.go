package rule

import "testing"

func TestDashboardProviderInvalid(t *testing.T) {
	runFileCases(t, dashboardProviderInvalid(), []fileCase{
		{
			name: "broken YAML",
			edit: func(f *fixture) { f.write(providerFile, "apiVersion: 1\nproviders:\n  - name: [triton\n") },
			file: providerFile, at: "  - name: [triton", message: []string{"YAML"},
		},
		{
			name: "another type than file",
			edit: func(f *fixture) { f.replace(providerFile, "type: file", "type: git") },
			file: providerFile, at: "git", message: []string{`"git"`, `"file"`},
		},
		{
			name: "no path",
			edit: func(f *fixture) { f.replace(providerFile, "      path: ", "      paths: ") },
			file: providerFile, at: "name: triton", message: []string{"options.path is missing"},
		},
		{
			name: "no apiVersion",
			edit: func(f *fixture) { f.replace(providerFile, "apiVersion: 1\n", "") },
			file: providerFile, at: "providers:", message: []string{"apiVersion is missing"},
		},
		{
			name: "no type is a file",
			edit: func(f *fixture) { f.replace(providerFile, "    type: file\n", "") },
		},
		{
			name: "a path that leads nowhere is said of the mounts",
			edit: func(f *fixture) { f.replace(providerFile, "path: /etc/grafana", "path: /srv/grafana") },
		},
	})
}
