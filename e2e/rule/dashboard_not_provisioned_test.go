package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
)

func TestDashboardNotProvisioned(t *testing.T) {
	for _, c := range []struct {
		name, board string
		want        []expected
	}{
		{name: "the shipped dashboard"},
		{name: "no title", board: `{"panels": [], "uid": "u"}`, want: []expected{{at: `{"panels"`, says: "has no title", evidence: "title cannot be empty", fix: "a title"}}},
		{name: "a blank title", board: `{"panels": [], "title": " "}`, want: []expected{{at: `" "`}}},
		{name: "a wrapper is another rule's", board: `{"dashboard": {"panels": []}}`},
		{name: "so is a v2 model", board: `{"elements": {}, "layout": {}}`},
		{name: "so is what is no dashboard", board: `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.board != "" {
				f.write(boardFile, c.board)
			}
			f.expect(dashboardNotProvisioned().Live(f.live()), c.want)
		})
	}
}

func TestDashboardNotProvisionedByGrafana(t *testing.T) {
	gone := func(log ...string) func(*Live) {
		return func(in *Live) { in.Served.Dashboards, in.Served.Hits, in.Served.Log = nil, nil, log }
	}
	const denied = `logger=provisioning.dashboard type=file name=triton level=error msg="failed to load dashboard from " file=/etc/grafana/provisioning/dashboards/boards/triton.json error="open /etc/grafana/provisioning/dashboards/boards/triton.json: permission denied"`
	for _, c := range []struct {
		name string
		edit func(*fixture)
		live func(*Live)
		want []expected
	}{
		{name: "served", live: func(*Live) {}},
		{name: "gone, and the log says why", live: gone(denied, denied, `logger=x level=info msg=fine`),
			want: []expected{{at: `"triton"`, says: `does not serve dashboard "Triton Inference Server" (uid triton)`, evidence: "permission denied", fix: "472"}}},
		{name: "gone, and the log tells of the provider", live: gone(`{"level":"warn","logger":"provisioning.dashboard","msg":"Failed to provision config","name":"triton","error":"stat /x: no such file or directory"}`),
			want: []expected{{evidence: "stat /x: no such file or directory (name=triton)", fix: "mount"}}},
		{name: "gone, and the log tells of others", live: gone(strings.ReplaceAll(denied, "triton", "other")),
			want: []expected{{evidence: "its log says nothing of triton.json", fix: "mounts the file"}}},
		{name: "gone, and there is no log", live: gone(), want: []expected{{evidence: "dashboards that Grafana serves: 0", fix: "mounts the file"}}},
		{name: "gone without a uid", edit: func(f *fixture) { f.write(boardFile, `{"title": "T", "panels": []}`) }, live: gone(),
			want: []expected{{at: `"T"`, says: `no dashboard with the title "T"`}}},
		{name: "served without a uid", edit: func(f *fixture) { f.write(boardFile, `{"title": "T", "panels": []}`) }, live: func(*Live) {}},
		{name: "made by hand", live: func(in *Live) { in.Served.Dashboards["triton"].Provisioned = false },
			want: []expected{{at: `"triton"`, says: "not from a file", fix: "delete that dashboard"}}},
		{name: "from another file", live: func(in *Live) { in.Served.Dashboards["triton"].ProvisionedFrom = "old/other.json" },
			want: []expected{{says: "from another file: old/other.json", fix: "one file"}}},
		{name: "from the file, named in full", live: func(in *Live) {
			in.Served.Dashboards["triton"].ProvisionedFrom = "/etc/grafana/provisioning/dashboards/boards/triton.json"
		}},
		{name: "from a file that is not told", live: func(in *Live) { in.Served.Dashboards["triton"].ProvisionedFrom = "" }},
		{name: "another organisation's, which was not asked", edit: func(f *fixture) { f.replace(providerFile, "orgId: 1", "orgId: 2") }, live: gone()},
		{name: "a uid that is too long is said by the files", edit: func(f *fixture) {
			f.write(boardFile, `{"title": "T", "panels": [], "uid": "`+strings.Repeat("a", 50)+`"}`)
		}, live: gone()},
		{name: "so is a uid that is taken, for all of the provider", edit: func(f *fixture) {
			f.write("grafana/provisioning/dashboards/boards/b.json", `{"title": "B", "panels": [], "uid": "triton"}`)
			f.write("grafana/provisioning/dashboards/boards/c.json", `{"title": "C", "panels": [], "uid": "c"}`)
		}, live: gone()},
		{name: "so is a provider that is not right", edit: func(f *fixture) { f.replace(providerFile, "type: file", "type: s3") }, live: gone()},
		{name: "no title, in Grafana's words", edit: func(f *fixture) { f.write(boardFile, `{"uid": "u", "panels": []}`) },
			live: gone(strings.Replace(denied, "permission denied", "Dashboard title cannot be empty here", 1)),
			want: []expected{{says: "no title", evidence: "cannot be empty here"}}},
		{name: "Grafana is down", live: func(in *Live) {
			in.Served, in.Instance.GrafanaDown = nil, true
			in.Instance.Faults = []env.Fault{{Role: env.RoleGrafana}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.edit != nil {
				c.edit(f)
			}
			in := f.served(nil)
			c.live(in)
			f.expect(dashboardNotProvisioned().Live(in), c.want)
		})
	}
}

// Of two dashboards of one title, the one in the file's own folder is meant.
func TestServedAsByTitle(t *testing.T) {
	f := shipped(t).write(boardFile, `{"title": "T", "panels": []}`)
	in := f.served(func(s *Served) {
		s.Hits = []grafana.Hit{{UID: "a", Title: "T", FolderTitle: "Elsewhere"}, {UID: "b", Title: "T", FolderTitle: "Triton"}, {UID: "c", Title: "T", FolderTitle: "Third"}}
		s.Dashboards = map[string]*grafana.Dashboard{"a": {UID: "a"}, "b": {UID: "b", Provisioned: true}, "c": {UID: "c"}}
	})
	assert.Empty(t, dashboardNotProvisioned().Live(in))
}
