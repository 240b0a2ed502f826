package rule

import (
	"path/filepath"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
)

// served is a running stack whose real Grafana has taken over all that the files
// say, told to a test's liking.
func (f *fixture) served(edit func(*Served)) *Live {
	f.t.Helper()
	in := f.live()
	in.Said = CheckStatic(in.Static, nil)
	in.Instance.Name = "docker"
	in.Served = &Served{Version: "13.2.3", Dashboards: map[string]*grafana.Dashboard{}, Panels: map[string]bool{}}
	for _, ds := range in.Stack.Datasources {
		in.Served.Datasources = append(in.Served.Datasources, grafana.Datasource{
			UID: ds.EffectiveUID, Name: ds.Name.Value, Type: ds.Type.Value, URL: ds.URL.Value, OrgID: ds.OrgID, IsDefault: ds.IsDefault, ReadOnly: true})
	}
	for _, b := range in.Stack.Dashboards {
		uid := b.UID.Value
		if uid == "" {
			uid = "made-up"
		}
		in.Served.Hits = append(in.Served.Hits, grafana.Hit{UID: uid, Title: b.Title.Value, FolderTitle: b.Folder})
		in.Served.Dashboards[uid] = &grafana.Dashboard{UID: uid, Title: b.Title.Value, Provisioned: true, ProvisionedFrom: filepath.Base(b.File)}
	}
	for _, name := range coreTypes() {
		in.Served.Panels[name] = true
	}
	if edit != nil {
		edit(in.Served)
	}
	return in
}

// failed is a running stack of which one server has ended with this log.
func (f *fixture) failed(role env.Role, log ...string) *Live {
	f.t.Helper()
	in := f.live()
	in.Said = CheckStatic(in.Static, nil)
	in.Instance.Name = "docker"
	fault := env.Fault{Role: role, ExitCode: 1, Log: log}
	switch {
	case in.Stack.Compose == nil:
	case role == env.RoleGrafana:
		in.Instance.GrafanaDown = true
		for _, j := range in.Stack.Prometheus.Jobs {
			in.Instance.Targets = append(in.Instance.Targets, env.Target{Job: j.Name.Value, Up: true})
		}
		fault.Service = in.Stack.Grafana.Service
	default:
		fault.Service = in.Stack.Prometheus.Service
		in.Instance.Targets = []env.Target{{Job: "triton", Address: "host.docker.internal:8002"}}
	}
	in.Instance.Faults = []env.Fault{fault}
	return in
}
