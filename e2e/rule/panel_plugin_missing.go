package rule

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// panelPluginMissing proves that Grafana can draw every panel: with a panel of its
// own, or with a plugin that the stack has it install.
func panelPluginMissing() Rule {
	return Rule{
		ID:       "panel/plugin-missing",
		Severity: Error,
		Summary:  "a panel's type is neither one of Grafana's own nor a plugin that the stack installs",
		Static: func(in *Static) []Finding {
			return eachPanelType(in, func(b *Board, p *dashboard.Panel) *Finding {
				if !lacksPlugin(in, p.Type.Value) {
					return nil
				}
				f := missingPlugin(in, b, p)
				f.Message = fmt.Sprintf("panel type %q is none of Grafana's own, and nothing in the stack installs it: the panel shows \"Panel plugin not found\"%s",
					p.Type.Value, nearest.Hint(p.Type.Value, coreTypes()))
				if asked := plugins(in.Stack.Grafana); len(asked) > 0 {
					f.Evidence = []string{"installed are " + strings.Join(asked, ", ")}
				}
				return &f
			})
		},
		Live: func(in *Live) []Finding {
			if in.Served == nil || in.Served.Panels == nil {
				return nil
			}
			return eachPanelType(in.Static, func(b *Board, p *dashboard.Panel) *Finding {
				name := p.Type.Value
				if in.Served.Panels[name] || frontEndOnly(name) || lacksPlugin(in.Static, name) {
					return nil
				}
				f := missingPlugin(in.Static, b, p)
				f.Message = fmt.Sprintf("Grafana%s has no panel of type %q: the panel shows \"Panel plugin not found\"", version(in.Served), name)
				f.Evidence = logAbout(in.Served.Log, func(l logLine) bool { return l.mentions(name) })
				if g := in.Stack.Grafana; g != nil && slices.Contains(plugins(g), name) {
					f.Message = fmt.Sprintf("the stack asks for the plugin %q, and Grafana%s has not installed it", name, version(in.Served))
					f.Fix = "see that the plugin's id and version are right, that it supports this Grafana, and that Grafana reaches grafana.com or the url"
					if inBackground(g, name) && len(f.Evidence) == 0 {
						f.Severity = Warning // it may still be at it
						f.Fix = "ask for it with GF_PLUGINS_PREINSTALL_SYNC, so that Grafana is up only once it is there"
					}
				}
				return &f
			})
		},
	}
}

func version(s *Served) string {
	if s.Version == "" {
		return ""
	}
	return " " + s.Version
}

// eachPanelType calls find for the panels whose type the files tell, once for a
// type in a dashboard. What panel/type-removed speaks of is left to it.
func eachPanelType(in *Static, find func(*Board, *dashboard.Panel) *Finding) []Finding {
	var out []Finding
	for _, b := range readable(in.Boards) {
		said := map[string]bool{}
		for _, p := range b.Panels {
			name := p.Type.Value
			if name == "" || p.IsRow() || p.Clone || p.Library != nil && !p.Library.Resolved || said[name] || typeRemoved(in, name) {
				continue
			}
			if f := find(b, p); f != nil {
				said[name] = true
				if n := ofType(b, name); n > 1 {
					f.Evidence = append(f.Evidence, fmt.Sprintf("panels of this type in the dashboard: %d", n))
				}
				out = append(out, *f)
			}
		}
	}
	return out
}

func ofType(b *Board, name string) int {
	n := 0
	for _, p := range b.Panels {
		if p.Type.Value == name && !p.Clone {
			n++
		}
	}
	return n
}

// typeRemoved says whether panel/type-removed speaks of a type.
func typeRemoved(in *Static, name string) bool {
	gone, ok := removedType(name)
	return ok && !grafanaBefore(in, gone.since) && !angularKept(in)
}

func missingPlugin(in *Static, b *Board, p *dashboard.Panel) Finding {
	f := onPanel(b.Dashboard, p, p.Type.Pos)
	name := p.Type.Value
	f.Fix = fmt.Sprintf("have Grafana install it: GF_PLUGINS_PREINSTALL_SYNC=%s in the environment of its service, or draw the panel as one of Grafana's own", name)
	if grafanaBefore(in, 12) {
		f.Fix = fmt.Sprintf("have Grafana install it: GF_INSTALL_PLUGINS=%s in the environment of its service, or draw the panel as one of Grafana's own", name)
	}
	if near := nearest.Names(name, coreTypes(), 1); len(near) > 0 {
		f.Fix = fmt.Sprintf("set type %q, or have Grafana install the plugin: %s", near[0], strings.TrimPrefix(f.Fix, "have Grafana install it: "))
	}
	return f
}

// coreTypes are the panels that Grafana 10 to 13 bring, those that are not offered
// to everybody and those of their predecessors that they still open included.
func coreTypes() []string {
	return []string{
		"alertlist", "annolist", "barchart", "bargauge", "candlestick", "canvas", "dashlist", "datagrid", "debug", "flamegraph",
		"gauge", "geomap", "gettingstarted", "graph", "heatmap", "heatmap-new", "histogram", "icon", "live", "logs", "logs-new",
		"logstable", "news", "nodeGraph", "piechart", "pluginlist", "radialbar", "singlestat", "stat", "state-timeline", "status-history",
		"table", "table-new", "table-old", "text", "timeseries", "traces", "trend", "welcome", "xychart", "xychart2",
	}
}

// frontEndOnly are types that a front end knows without a plugin of that name in
// its list: rows, and those that it turns into another when it opens a dashboard.
func frontEndOnly(name string) bool {
	switch name {
	case "row", "singlestat", "heatmap-new", "pluginlist", "table-new", "xychart2", "library-panel-ref":
		return true
	}
	return false
}

// lacksPlugin says whether the files alone tell that Grafana has no panel of a type.
func lacksPlugin(in *Static, name string) bool {
	g := in.Stack.Grafana
	if slices.Contains(coreTypes(), name) || frontEndOnly(name) || g == nil || g.Service == nil || bringsPlugins(in.Stack, g) {
		return false
	}
	vendor, _, _ := strings.Cut(name, "-")
	return !slices.ContainsFunc(plugins(g), func(id string) bool {
		return id == name || strings.HasSuffix(id, "-app") && strings.HasPrefix(id, vendor+"-") // an app brings panels
	})
}

// pluginVariables are the settings by which an official image installs plugins.
func pluginVariables() []string {
	return []string{"GF_INSTALL_PLUGINS", "GF_PLUGINS_PREINSTALL", "GF_PLUGINS_PREINSTALL_SYNC"}
}

// plugins are the ids of the plugins that a Grafana is told to install.
func plugins(g *stack.Grafana) []string {
	var out []string
	for _, name := range pluginVariables() {
		out = append(out, pluginIDs(g.Env[name])...)
	}
	return out
}

// pluginIDs reads a list of plugins: "id", "id 1.2.3", "id@1.2.3", "id@1.2.3@url"
// and "url;id".
func pluginIDs(list string) []string {
	var out []string
	for _, entry := range strings.Split(list, ",") {
		if _, id, ok := strings.Cut(entry, ";"); ok {
			entry = id
		}
		if id := strings.FieldsFunc(entry, func(r rune) bool { return r == ' ' || r == '@' || r == '\n' || r == '\t' }); len(id) > 0 {
			out = append(out, id[0])
		}
	}
	return out
}

// inBackground says whether Grafana installs a plugin while it is already up.
func inBackground(g *stack.Grafana, id string) bool {
	return !slices.Contains(pluginIDs(g.Env["GF_INSTALL_PLUGINS"]), id) && !slices.Contains(pluginIDs(g.Env["GF_PLUGINS_PREINSTALL_SYNC"]), id)
}

// bringsPlugins says whether a Grafana may have plugins that no variable names: in
// its image, through a mount, or by what it is started with.
func bringsPlugins(s *stack.Stack, g *stack.Grafana) bool {
	svc := g.Service
	if svc.HasBuild || !officialGrafana(svc.Image.Value) || svc.Entrypoint != nil || len(svc.Command) > 0 {
		return true
	}
	for name := range g.Env {
		if strings.HasSuffix(name, "__FILE") && slices.Contains(pluginVariables(), strings.TrimSuffix(name, "__FILE")) {
			return true
		}
	}
	dir := cmp.Or(g.Env["GF_PATHS_PLUGINS"], "/var/lib/grafana/plugins")
	for _, m := range svc.Mounts {
		target := path.Clean("/" + m.Target)
		switch {
		case inside(target, dir) || inside("/usr/share/grafana", target) && target != "/" || inside(target, "/usr/share/grafana"):
			return true
		case inside(g.Env["GF_PATHS_CONFIG"], target): // grafana.ini may name some
			return true
		case inside(dir, target) && (m.Type != "volume" || shared(s, svc, m.Source)):
			return true // a volume of Grafana's own begins empty
		}
	}
	return false
}

// inside says whether a path is another or lies in it.
func inside(p, dir string) bool {
	return dir != "" && (p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/"))
}

// shared says whether another service has the same volume, and may fill it.
func shared(s *stack.Stack, svc *stack.Service, volume string) bool {
	return volume != "" && s.Compose != nil && slices.ContainsFunc(s.Compose.Services, func(o *stack.Service) bool {
		return o != svc && slices.ContainsFunc(o.Mounts, func(m stack.Mount) bool { return m.Type == "volume" && m.Source == volume })
	})
}

// officialGrafana knows the images in which there are no plugins but Grafana's own,
// from whatever registry.
func officialGrafana(image string) bool {
	name, _, _ := imageTag(image)
	parts := strings.Split(name, "/")
	return len(parts) >= 2 && parts[len(parts)-2] == "grafana" &&
		slices.Contains([]string{"grafana", "grafana-oss", "grafana-enterprise", "grafana-dev"}, parts[len(parts)-1])
}
