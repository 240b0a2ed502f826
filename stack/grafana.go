package stack

import (
	"context"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

const (
	grafanaPort       = 3000
	grafanaDashboards = "/var/lib/grafana/dashboards" // where most stacks mount them
)

// imageEnv is the environment that Grafana's image brings; the service's own
// goes over it.
func imageEnv() map[string]string {
	return map[string]string{
		"GF_PATHS_CONFIG":       "/etc/grafana/grafana.ini",
		"GF_PATHS_DATA":         "/var/lib/grafana",
		"GF_PATHS_HOME":         "/usr/share/grafana",
		"GF_PATHS_LOGS":         "/var/log/grafana",
		"GF_PATHS_PLUGINS":      "/var/lib/grafana/plugins",
		"GF_PATHS_PROVISIONING": "/etc/grafana/provisioning",
	}
}

// loadGrafana finds the Grafana service and reads its provisioning.
func (l *loader) loadGrafana(ctx context.Context) {
	service := l.service(RoleGrafana, grafanaPort, isGrafana)
	g := &Grafana{Service: service, Env: imageEnv(), paths: service}
	if service != nil {
		g.Version = ImageVersion(service.Image.Value)
		for k, v := range service.Environment {
			g.Env[k] = v.Value
		}
	}
	provisioning := g.Env["GF_PATHS_PROVISIONING"]
	g.setDirs(provisioning)
	if g.ProvisioningDir == "" && g.DatasourceDir == "" && g.DashboardDir == "" {
		if service != nil && service != l.chosen(RoleGrafana) && !isGrafana(service) && !service.HasBuild {
			// Much else listens on port 3000.
			service = nil
			g = &Grafana{Env: imageEnv()}
			provisioning = g.Env["GF_PATHS_PROVISIONING"]
		}
		l.conventionalGrafana(g, provisioning)
	}
	if service == nil && g.ProvisioningDir == "" {
		return // no Grafana in this stack
	}
	l.stack.Grafana = g
	l.loadDatasources(ctx, g)
	l.loadProviders(ctx, g)
	l.loadAlerting(ctx, g)
}

// isGrafana knows Grafana's images by name; grafana-agent, grafana-image-renderer
// and the like are other programs.
func isGrafana(s *Service) bool {
	name, _ := imageName(s.Image.Value)
	return slices.Contains([]string{"grafana", "grafana-oss", "grafana-enterprise", "grafana-dev"}, name)
}

var versionTag = regexp.MustCompile(`^v?(\d+\.\d+(?:\.\d+)?)(?:$|[-+])`)

// ImageVersion is the version that an image's tag names, "" where it names none.
func ImageVersion(image string) string {
	_, tag := imageName(image)
	if m := versionTag.FindStringSubmatch(tag); m != nil {
		return m[1]
	}
	return ""
}

// setDirs maps the provisioning folder and its subfolders, each of which may
// be a mount of its own.
func (g *Grafana) setDirs(provisioning string) {
	for sub, dir := range map[string]*string{"": &g.ProvisioningDir, "datasources": &g.DatasourceDir, "dashboards": &g.DashboardDir, "alerting": &g.AlertingDir} {
		if host, ok := g.paths.HostPath(path.Join(provisioning, sub)); ok {
			*dir = host
		}
	}
}

// conventionalGrafana looks for the provisioning folder where people keep it.
func (l *loader) conventionalGrafana(g *Grafana, provisioning string) {
	for _, name := range []string{"grafana/provisioning", "provisioning", "grafana"} {
		dir := filepath.Join(l.stack.Dir, filepath.FromSlash(name))
		if !isDir(filepath.Join(dir, "datasources")) && !isDir(filepath.Join(dir, "dashboards")) {
			continue
		}
		g.ByConvention = true
		g.paths = g.Service.with(Mount{Type: mountBind, Source: dir, Target: provisioning})
		break
	}
	if !g.ByConvention {
		return
	}
	g.setDirs(provisioning)
	for _, name := range []string{"grafana/dashboards", "dashboards"} {
		dir := filepath.Join(l.stack.Dir, filepath.FromSlash(name))
		if g.Service == nil && isDir(dir) { // with a service, its mounts decide
			g.paths = g.paths.with(Mount{Type: mountBind, Source: dir, Target: grafanaDashboards})
			break
		}
	}
}

// provisioningFiles are the files of a folder with one of these endings, in the
// order that Grafana reads them: by name. A folder that is not there is a problem
// only where a mount promises it.
func (l *loader) provisioningFiles(g *Grafana, area Area, dir string, endings ...string) []string {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !os.IsNotExist(err) {
			l.problem(area, source.Pos{File: l.rel(dir)}, "cannot be read: %s", reason(err))
		}
		if m := g.missingMount(dir); m != nil {
			l.problem(area, m.Pos, "Grafana's provisioning is mounted from %s, which is not there", l.rel(m.Source))
		}
		return nil
	}
	var files []string
	for _, e := range entries {
		if slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(e.Name(), ending) }) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// missingMount is the mount without a source that should bring dir.
func (g *Grafana) missingMount(dir string) *Mount {
	if g.Service == nil {
		return nil
	}
	for i, m := range g.Service.Mounts {
		if m.SourceMissing && within(m.Source, dir) {
			return &g.Service.Mounts[i]
		}
	}
	return nil
}

// expander is what replaces variables in provisioning files.
func (l *loader) expander(g *Grafana) *expander {
	return &expander{env: maps.Clone(g.Env), file: func(name string) (string, error) {
		return l.includedFile(g, name)
	}}
}
