package rule

import (
	"strings"
	"testing"
)

func TestPanelTypeRemoved(t *testing.T) {
	of := func(typ string) string {
		return boardWith("", strings.Replace(panelWith(1, "a", "up"), "timeseries", typ, 1))
	}
	version := func(v string) func(*fixture) { return func(f *fixture) { f.grafana(v) } }
	warned := func(says string) []expected { return []expected{{says: says, severity: Warning}} }
	checkCases(t, panelTypeRemoved(), []ruleCase{
		{name: "graph", board: of("graph"), want: []expected{{at: `"graph"`, says: `gone since Grafana 11: each time it opens, Grafana turns the panel into "timeseries"`,
			fix: `the type is "timeseries"`, severity: Warning}}},
		{name: "singlestat", board: of("singlestat"), want: warned(`"stat"`)},
		{name: "a plugin that nothing takes over", board: of("natel-discrete-panel"),
			want: []expected{{at: `"natel-discrete-panel"`, says: "shows an error", fix: `"state-timeline"`}}},
		{name: "inside of a row", board: boardWith("", `{"type": "row", "collapsed": true, "panels": [{"id": 1, "type": "table-old"}]}`), want: warned(`"table"`)},
		{name: "an unknown version is the newest", board: of("graph"), edit: version("latest"), want: warned("timeseries")},
		{name: "graph in Grafana 10", board: of("graph"), edit: version("10.4.1")},
		{name: "singlestat in Grafana 10", board: of("singlestat"), edit: version("10.4.1"), want: warned("gone since Grafana 8")},
		{name: "a Grafana 11 that keeps AngularJS", board: of("graph"), edit: func(f *fixture) {
			f.grafana("11.2.0")
			f.replace(composeFile, "    environment:\n", "    environment:\n      GF_SECURITY_ANGULAR_SUPPORT_ENABLED: \"true\"\n")
		}},
		{name: "no compose file", board: of("graph"), edit: func(f *fixture) { f.remove(composeFile) }, want: warned("timeseries")},
		{name: "types there are", board: of("barchart")},
		{name: "a plugin that is not known", board: of("acme-thing-panel")},
	})
}
