package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/stack/source"
)

// upgraded is the shipped stack on what an older revision of it had, and serves the
// same as that.
func (f *fixture) upgraded() *Live {
	f.t.Helper()
	in := f.live()
	datasources := []grafana.Datasource{{UID: "prometheus", Name: "Prometheus", OrgID: 1}}
	hits := []grafana.Hit{{UID: "triton", Title: "Triton Inference Server", FolderTitle: "Triton"}}
	in.Instance.Before = &env.Before{Datasources: datasources, Dashboards: hits}
	in.Served = &Served{Datasources: datasources, Hits: hits}
	return in
}

// upgradeCase is what came of an upgrade.
type upgradeCase struct {
	name string
	edit func(*fixture) // of the present revision
	then func(*Live)
	want []expected
}

func checkUpgrades(t *testing.T, r Rule, cases []upgradeCase) {
	t.Helper()
	all := append([]upgradeCase{
		{name: "nothing has changed"},
		{name: "no upgrade", edit: func(f *fixture) { f.replace(datasourceFile, "uid: prometheus", "uid: other") }, then: func(in *Live) { in.Instance.Before = nil }},
	}, cases...)
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.edit != nil {
				c.edit(f)
			}
			in := f.upgraded()
			if c.then != nil {
				c.then(in)
			}
			f.expect(r.Live(in), c.want)
		})
	}
}

// grafanaEnds is a Grafana that ends on old data, and says so.
func grafanaEnds(onOldData bool, log ...string) func(*Live) {
	return func(in *Live) {
		in.Served = nil
		in.Instance.Faults = []env.Fault{{Role: env.RoleGrafana, Service: in.Stack.Grafana.Service, ExitCode: 1, Log: log, OnOldData: onOldData}}
	}
}

const (
	sameUID    = `logger=provisioning level=error msg="Failed to provision data sources" error="Datasource provisioning error: data source with the same uid already exists"`
	anyRefusal = `level=error msg="migration failed"`
)

func TestUpgradeServerFailed(t *testing.T) {
	checkUpgrades(t, upgradeServerFailed(), []upgradeCase{
		{
			name: "Grafana ends on the data",
			then: grafanaEnds(true, "level=info msg=start", anyRefusal),
			want: []expected{{file: composeFile, at: "grafana/grafana", says: "on an empty volume it comes up", evidence: "migration failed"}},
		},
		{
			name: "Prometheus does",
			then: func(in *Live) {
				in.Instance.Faults = []env.Fault{{Role: env.RolePrometheus, Service: in.Stack.Prometheus.Service, ExitCode: 2, OnOldData: true,
					Log: []string{`level=ERROR msg="Fatal error" err="opening storage failed"`}}}
			},
			want: []expected{{file: composeFile, at: "prom/prometheus", says: "exit code 2", evidence: "opening storage failed"}},
		},
		{name: "it would end on nothing, too", then: grafanaEnds(false, anyRefusal)},
		{
			name: "a datasource is the reason",
			edit: func(f *fixture) { f.replace(datasourceFile, "name: Prometheus", "name: Metrics") },
			then: grafanaEnds(true, sameUID),
		},
	})
}

func TestUpgradeDataLost(t *testing.T) {
	left := func(role env.Role) func(*Live) {
		return func(in *Live) {
			in.Instance.Before.Left = []env.Left{{Role: role, Service: in.Stack.Grafana.Service, Was: `volume "a"`, Is: `volume "b"`,
				Pos: source.Pos{File: composeFile, Line: 1, Column: 1}}}
		}
	}
	checkUpgrades(t, upgradeDataLost(), []upgradeCase{
		{name: "Grafana's", then: left(env.RoleGrafana), want: []expected{{file: composeFile, says: `in volume "a", this one looks in volume "b", so users`}}},
		{name: "Prometheus'", then: left(env.RolePrometheus), want: []expected{{file: composeFile, says: "what was recorded so far stay behind"}}},
	})
	f := shipped(t)
	in := f.upgraded()
	in.Served.Datasources, in.Served.Hits = nil, nil
	left(env.RoleGrafana)(in)
	for _, r := range upgradeRules() {
		if r.ID != "upgrade/data-lost" {
			assert.Empty(t, r.Live(in), "%s: all is lost with the database, which is said once", r.ID)
		}
	}
}

func TestUpgradeDatasourceRefused(t *testing.T) {
	rename := func(f *fixture) { f.replace(datasourceFile, "name: Prometheus", "name: Metrics") }
	change := func(f *fixture) { f.replace(datasourceFile, "uid: prometheus", "uid: metrics") }
	checkUpgrades(t, upgradeDatasourceRefused(), []upgradeCase{
		{
			name: "another name, and Grafana ends", edit: rename, then: grafanaEnds(true, sameUID),
			want: []expected{{file: datasourceFile, at: "Metrics", says: "Grafana does not start", evidence: "same uid already exists", fix: "keep name: Prometheus"}},
		},
		{
			name: "another uid, and Grafana ends", edit: change, then: grafanaEnds(true, "Datasource provisioning error: data source not found"),
			want: []expected{{file: datasourceFile, at: "metrics", says: `has uid "prometheus" in the database, and "metrics" in the file`, fix: "keep uid: prometheus"}},
		},
		{
			name: "another uid, and Grafana runs on with the old one", edit: change,
			then: func(in *Live) { in.Served.Log = []string{"x", "Datasource provisioning error: data source not found"} },
			want: []expected{{file: datasourceFile, at: "metrics", says: "has not taken the change", evidence: "data source not found"}},
		},
		{
			name: "another uid, which Grafana takes", edit: change,
			then: func(in *Live) {
				in.Served.Datasources = []grafana.Datasource{{UID: "metrics", Name: "Prometheus", OrgID: 1}}
			},
		},
		{name: "Grafana ends over something else", edit: rename, then: grafanaEnds(true, anyRefusal)},
		{name: "Grafana would end on nothing, too", edit: rename, then: grafanaEnds(false, sameUID)},
		{
			name: "another organisation's", edit: rename,
			then: func(in *Live) {
				in.Instance.Before.Datasources = []grafana.Datasource{{UID: "prometheus", Name: "Prometheus", OrgID: 2}}
			},
		},
	})
}

func TestUpgradeDatasourceLost(t *testing.T) {
	checkUpgrades(t, upgradeDatasourceLost(), []upgradeCase{
		{
			name: "another uid", edit: func(f *fixture) { f.replace(datasourceFile, "uid: prometheus", "uid: metrics") },
			then: func(in *Live) {
				in.Served.Datasources = []grafana.Datasource{{UID: "metrics", Name: "Prometheus", OrgID: 1}}
			},
			want: []expected{{file: datasourceFile, at: "metrics", says: `has had uid "prometheus" and has "metrics" now`}},
		},
		{
			name: "removed",
			then: func(in *Live) {
				in.Instance.Before.Datasources = append(in.Instance.Before.Datasources, grafana.Datasource{UID: "loki", Name: "Loki", OrgID: 1})
				in.Served.Datasources = in.Served.Datasources[:1]
			},
			want: []expected{{file: composeFile, at: "grafana:", says: `"Loki" with uid "loki" is not there any more`}},
		},
	})
}

// newUID gives the shipped dashboard another uid.
func newUID(f *fixture) { f.replace(boardFile, `"uid": "triton"`, `"uid": "gpu"`) }

// serves is what Grafana lists after the upgrade.
func serves(uids ...string) func(*Live) {
	return func(in *Live) {
		in.Served.Hits = nil
		for _, uid := range uids {
			in.Served.Hits = append(in.Served.Hits, grafana.Hit{UID: uid, Title: "Triton Inference Server", FolderTitle: "Triton"})
		}
	}
}

func TestUpgradeDashboardUIDChanged(t *testing.T) {
	checkUpgrades(t, upgradeDashboardUIDChanged(), []upgradeCase{
		{name: "taken", edit: newUID, then: serves("gpu"), want: []expected{{at: `"gpu"`, says: "/d/triton find nothing", fix: `"triton"`}}},
		{name: "not taken", edit: newUID, then: serves("triton"), want: []expected{{at: `"gpu"`, says: "goes on serving it as that", severity: Error}}},
		{name: "both", edit: newUID, then: serves("triton", "gpu")},
		{name: "neither", edit: newUID, then: serves()},
	})
}

func TestUpgradeDashboardLeftOver(t *testing.T) {
	old := grafana.Hit{UID: "old", Title: "Old"}
	checkUpgrades(t, upgradeDashboardLeftOver(), []upgradeCase{
		{name: "twice", edit: newUID, then: serves("triton", "gpu"), want: []expected{{at: `"gpu"`, says: `"Triton Inference Server" twice: as uid "gpu", and as "triton"`}}},
		{name: "another rule's", edit: newUID, then: serves("triton")},
		{
			name: "its file is gone",
			then: func(in *Live) {
				in.Instance.Before.Dashboards = append(in.Instance.Before.Dashboards, old)
				in.Served.Hits = append(in.Served.Hits, old)
			},
			want: []expected{{file: providerFile, at: "true", says: `"Old" (uid "old") is in no file any more`}},
		},
		{
			name: "its file is gone, and it with it",
			then: func(in *Live) { in.Instance.Before.Dashboards = append(in.Instance.Before.Dashboards, old) },
		},
		{name: "somebody's own", then: func(in *Live) { in.Served.Hits = append(in.Served.Hits, old) }},
	})
}
