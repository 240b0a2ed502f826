package stack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// loadDatasources reads every file of the datasources folder. Their
// deleteDatasources sections are left aside: they act on a database that a fresh
// stack has not got.
func (l *loader) loadDatasources(ctx context.Context, g *Grafana) {
	vars := l.expander(g)
	for _, path := range l.provisioningFiles(g, AreaDatasource, g.DatasourceDir, ".yaml", ".yml") {
		if ctx.Err() != nil {
			return
		}
		root, _, err := l.readYAML(path)
		if err != nil {
			l.report(AreaDatasource, l.rel(path), err)
			continue
		}
		if root.Exists() && root.Kind() != source.Object && root.Kind() != source.Null {
			l.problem(AreaDatasource, root.Pos(), "is %s, an object with a list of datasources is expected", root.Kind())
			continue
		}
		p := &provisioned{loader: l, area: AreaDatasource, vars: vars, legacy: isLegacy(root)}
		for _, n := range p.entries(root.Get("datasources")) {
			l.stack.Datasources = append(l.stack.Datasources, p.datasource(n))
		}
	}
}

func (p *provisioned) datasource(n *source.Node) *Datasource {
	jsonData := n.Get(p.key("jsonData", "json_data"))
	ds := &Datasource{
		Name:         p.text(n.Get("name")),
		Type:         p.text(n.Get("type")),
		UID:          p.text(n.Get("uid")),
		URL:          p.text(n.Get("url")),
		OrgID:        p.org(n.Get(p.key("orgId", "org_id"))),
		IsDefault:    p.boolean(n.Get(p.key("isDefault", "is_default"))),
		TimeInterval: p.text(jsonData.Get("timeInterval")),
		HTTPMethod:   p.text(jsonData.Get("httpMethod")).Value,
		Pos:          n.Pos(),
		Node:         n,
	}
	if ds.Name.Value == "" {
		p.problem(p.area, n.Pos(), "a datasource without a name")
	}
	ds.EffectiveUID = ds.UID.Value
	if ds.EffectiveUID == "" {
		ds.EffectiveUID = uidFromName(ds.Name.Value)
	}
	return ds
}

// uidFromName is the uid that Grafana gives a provisioned datasource without one.
func uidFromName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "P" + strings.ToUpper(fmt.Sprintf("%x", sum[:8]))
}

// Datasource finds what a reference means: by uid, else by name, both exactly as
// written, in the order that Grafana tries them.
func (s *Stack) Datasource(ref string) (*Datasource, bool) {
	if ref == "" {
		return nil, false
	}
	for _, ds := range s.Datasources {
		if ds.EffectiveUID == ref {
			return ds, true
		}
	}
	for _, ds := range s.Datasources {
		if ds.Name.Value == ref {
			return ds, true
		}
	}
	return nil, false
}

// DefaultDatasource is what a panel without a datasource asks: the one marked
// isDefault. Where none is, it is nil, and no other takes its place: Grafana then
// falls back on its built-in "-- Grafana --", which knows no query language.
func (s *Stack) DefaultDatasource() *Datasource {
	for _, ds := range s.Datasources {
		if ds.IsDefault {
			return ds
		}
	}
	return nil
}
