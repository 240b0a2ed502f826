package rule

import "testing"

const resourceV1 = `{"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard",
  "metadata": {"name": "small"},
  "spec": {"title": "Small", "schemaVersion": 42, "panels": []}}`

func TestDashboardV2InFile(t *testing.T) {
	checkCases(t, dashboardV2InFile(), []ruleCase{
		{name: "a bare v2 model", board: `{"title": "x", "elements": {}, "layout": {}}`,
			want: []expected{{at: "{", says: "file provisioning refuses", evidence: "appears to be in v2 format", fix: "classic model"}}},
		{name: "a v2 resource", board: `{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard",
  "metadata": {"name": "small"}, "spec": {"title": "x", "elements": {}, "layout": {}}}`,
			want: []expected{{at: `{"title"`, says: "v2 model"}}},
		{name: "a v1 resource in the shipped Grafana", board: resourceV1},
		{name: "a v1 resource in an old Grafana", board: resourceV1,
			edit: func(f *fixture) { f.grafana("11.6.0") },
			want: []expected{{at: `{"title"`, says: "Grafana 11.6.0 does not know", fix: "spec"}}},
		{name: "a v1 resource in an unknown Grafana", board: resourceV1, edit: func(f *fixture) { f.grafana("latest") }},
		{name: "a panel called elements", board: boardWith("", panelWith(1, "elements", "up"))},
	})
}
