package rule

import "testing"

func TestDashboardAPIWrapper(t *testing.T) {
	checkCases(t, dashboardAPIWrapper(), []ruleCase{
		{name: "a wrapper", board: `{"dashboard": {"title": "x", "panels": []}, "overwrite": true}`,
			want: []expected{{at: `{"title"`, says: "finds no title", fix: "keep only the object"}}},
		{name: "a dashboard that has a member of that name",
			board: `{"title": "x", "panels": [], "dashboard": {"title": "y"}}`},
	})
}
