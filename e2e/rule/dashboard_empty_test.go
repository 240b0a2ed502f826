package rule

import (
	"strings"
	"testing"
)

func TestDashboardEmpty(t *testing.T) {
	hidden := strings.Replace(panelWith(1, "a", "up"), `"refId"`, `"hide": true, "refId"`, 1)
	checkCases(t, dashboardEmpty(), []ruleCase{
		{name: "no panel", board: boardWith("", ""), want: []expected{{at: "{", says: "has no panel"}}},
		{name: "a row and a text", board: boardWith("", `{"id": 1, "type": "row"}, {"id": 2, "type": "text"}`),
			want: []expected{{at: "{", says: "none of the 1 panels", fix: "a panel with a query"}}},
		{name: "hidden queries only", board: boardWith("", hidden), want: []expected{{says: "none of the 1 panels"}}},
		{name: "a query inside of a collapsed row", board: boardWith("",
			`{"id": 1, "type": "row", "collapsed": true, "panels": [`+panelWith(2, "a", "up")+`]}`)},
		{name: "a library panel", board: boardWith("", `{"id": 1, "libraryPanel": {"uid": "u", "name": "n"}}`)},
		{name: "a list of dashboards", board: boardWith("", `{"id": 1, "type": "dashlist"}`)},
		{name: "a v2 model is another rule's", board: `{"title": "x", "elements": {}, "layout": {}}`},
	})
}
