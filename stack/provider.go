package stack

import (
	"context"
	"path"
	"path/filepath"

	"github.com/panelgate/panelgate/stack/source"
)

// providerFile is the only type of provider that Grafana knows.
const providerFile = "file"

// loadProviders reads every file of the dashboards folder.
func (l *loader) loadProviders(ctx context.Context, g *Grafana) {
	vars := l.expander(g)
	for _, file := range l.provisioningFiles(g, AreaProvider, g.DashboardDir, ".yaml", ".yml") {
		if ctx.Err() != nil {
			return
		}
		root, _, err := l.readYAML(file)
		if err != nil {
			l.report(AreaProvider, l.rel(file), err)
			continue
		}
		p := &provisioned{loader: l, area: AreaProvider, vars: vars, legacy: isLegacy(root)}
		list := root.Get("providers")
		switch {
		case p.legacy && root.Kind() == source.Object:
			l.problem(AreaProvider, root.Pos(), "apiVersion is missing: Grafana reads the file in its old format, which is a plain list of providers")
			continue
		case p.legacy:
			list = root
		}
		seen := map[string]bool{}
		for _, n := range p.entries(list) {
			pr := p.provider(g, n)
			if seen[pr.Name.Value] && !p.legacy {
				l.problem(AreaProvider, n.Get("name").Pos(), "two providers of this file are named %q: Grafana refuses the file", pr.Name.Value)
			}
			seen[pr.Name.Value] = true
			l.stack.Providers = append(l.stack.Providers, pr)
		}
	}
}

func (p *provisioned) provider(g *Grafana, n *source.Node) *Provider {
	options := n.Get("options")
	pr := &Provider{
		Name:                      p.text(n.Get("name")),
		Type:                      p.text(n.Get("type")),
		OrgID:                     p.org(n.Get(p.key("orgId", "org_id"))),
		Folder:                    p.text(n.Get("folder")),
		FolderUID:                 p.text(n.Get("folderUid")),
		FoldersFromFilesStructure: options.Get("foldersFromFilesStructure").Bool(),
		Pos:                       n.Pos(),
		Node:                      n,
	}
	if pr.Type.Value == "" {
		pr.Type.Value = providerFile
	}
	if pr.Type.Value != providerFile {
		p.problem(p.area, pr.Type.Pos, "Grafana has no dashboard provider of type %q, only %q", pr.Type.Value, providerFile)
	}
	if pr.FoldersFromFilesStructure && pr.Folder.Value != "" && pr.FolderUID.Value != "" {
		p.problem(p.area, options.Get("foldersFromFilesStructure").Pos(), "Grafana refuses foldersFromFilesStructure together with folder and folderUid")
	}
	where := options.Get("path")
	if where.Kind() != source.String {
		where = options.Get("folder") // what it was called before
	}
	if where.Kind() != source.String {
		p.problem(p.area, n.Pos(), "options.path is missing: Grafana does not start this provider")
		return pr
	}
	pr.Path = p.text(where)
	pr.Dir = p.providerDir(g, pr.Path.Value)
	return pr
}

// providerDir is a provider's path on this machine. A relative one starts at
// Grafana's home in a container, and at the stack's directory without one.
func (p *provisioned) providerDir(g *Grafana, name string) string {
	switch {
	case name == "":
		return ""
	case !path.IsAbs(name) && g.Service == nil:
		return filepath.Join(p.stack.Dir, filepath.FromSlash(name))
	case !path.IsAbs(name):
		name = path.Join(g.Env["GF_PATHS_HOME"], name)
	}
	host, ok := g.paths.HostPath(name)
	if !ok {
		return ""
	}
	return host
}
