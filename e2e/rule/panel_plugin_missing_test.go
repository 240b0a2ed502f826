package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const echarts = `{"id": 1, "type": "volkovlabs-echarts-panel", "title": "a", "targets": [{"refId": "A", "expr": "up"}]}`

func TestPanelPluginMissing(t *testing.T) {
	missing := []expected{{at: `"volkovlabs-echarts-panel"`, says: "nothing in the stack installs it", fix: "GF_PLUGINS_PREINSTALL_SYNC=volkovlabs-echarts-panel"}}
	environment := func(pair string) func(*fixture) {
		return func(f *fixture) { f.replace(composeFile, `GF_USERS_ALLOW_SIGN_UP: "false"`, pair) }
	}
	mount := func(volume string) func(*fixture) {
		return func(f *fixture) {
			f.replace(composeFile, "      - grafana-data:/var/lib/grafana", "      - grafana-data:/var/lib/grafana\n      - "+volume)
		}
	}
	board := boardWith("", echarts)
	checkCases(t, panelPluginMissing(), []ruleCase{
		{name: "not installed", board: board, want: missing},
		{name: "before Grafana 12", board: board, edit: func(f *fixture) { f.grafana("11.6.0") }, want: []expected{{fix: "GF_INSTALL_PLUGINS=volkovlabs-echarts-panel"}}},
		{name: "another is installed", board: board, edit: environment("GF_PLUGINS_PREINSTALL: grafana-clock-panel"), want: []expected{{evidence: "installed are grafana-clock-panel"}}},
		{name: "said once for a type", board: boardWith("", echarts+","+echarts), want: []expected{{evidence: "panels of this type in the dashboard: 2"}}},
		{name: "a slip of the pen", board: boardWith("", `{"id": 1, "type": "timeserie", "title": "a"}`), want: []expected{{says: "nearest: timeseries", fix: `set type "timeseries"`}}},
		{name: "installed", board: board, edit: environment("GF_INSTALL_PLUGINS: grafana-clock-panel, volkovlabs-echarts-panel 6.0.0")},
		{name: "installed at a version", board: board, edit: environment("GF_PLUGINS_PREINSTALL: volkovlabs-echarts-panel@6.0.0")},
		{name: "installed from a url", board: board, edit: environment("GF_PLUGINS_PREINSTALL_SYNC: volkovlabs-echarts-panel@@https://example.org/p.zip")},
		{name: "installed from a url, as of old", board: board, edit: environment("GF_INSTALL_PLUGINS: https://example.org/p.zip;volkovlabs-echarts-panel")},
		{name: "an app of the same house", board: board, edit: environment("GF_INSTALL_PLUGINS: volkovlabs-rss-app")},
		{name: "a mount that brings plugins", board: board, edit: mount("./plugins:/var/lib/grafana/plugins")},
		{name: "a mounted grafana.ini", board: board, edit: mount("./grafana.ini:/etc/grafana/grafana.ini")},
		{name: "an image of one's own", board: board, edit: func(f *fixture) {
			f.replace(composeFile, "image: grafana/grafana:13.2.3", "image: example/grafana:13.2.3")
		}},
		{name: "a mirror of the official image", board: board, edit: func(f *fixture) {
			f.replace(composeFile, "image: grafana/grafana:13.2.3", "image: mirror.example:5000/grafana/grafana-oss:13.2.3")
		}, want: missing},
		{name: "a command of one's own", board: board, edit: func(f *fixture) {
			f.replace(composeFile, "image: grafana/grafana:13.2.3", "image: grafana/grafana:13.2.3\n    entrypoint: [sh, -c, 'grafana cli plugins install x && /run.sh']")
		}},
		{name: "no compose file", board: board, edit: noCompose},
		{name: "core panels, rows and what has no type", board: boardWith("", `{"type": "row", "title": "r"}, {"id": 2, "type": "nodeGraph"}, {"id": 3, "title": "x"}, {"id": 4, "type": "xychart"}`)},
		{name: "a library panel", board: boardWith("", `{"id": 1, "type": "volkovlabs-echarts-panel", "libraryPanel": {"uid": "u", "name": "n"}}`)},
		{name: "what panel/type-removed says", board: boardWith("", `{"id": 1, "type": "natel-discrete-panel", "title": "a"}`)},
		{name: "the same where Grafana would still run it", board: boardWith("", `{"id": 1, "type": "natel-discrete-panel", "title": "a"}`),
			edit: func(f *fixture) { f.grafana("10.4.0") }, want: []expected{{says: "natel-discrete-panel"}}},
	})
}

func TestPanelPluginMissingLive(t *testing.T) {
	const complaint = `logger=plugin.backgroundinstaller level=error msg="Failed to install plugin" pluginId=volkovlabs-echarts-panel error="404: Plugin not found"`
	for _, c := range []struct {
		name, environment, board string
		edit                     func(*Served)
		want                     []expected
	}{
		{name: "asked for and there", environment: "GF_PLUGINS_PREINSTALL: volkovlabs-echarts-panel", edit: func(s *Served) { s.Panels["volkovlabs-echarts-panel"] = true }},
		{name: "asked for and not there", environment: "GF_PLUGINS_PREINSTALL_SYNC: volkovlabs-echarts-panel",
			want: []expected{{says: "Grafana 13.2.3 has not installed it", fix: "grafana.com"}}},
		{name: "under way", environment: "GF_PLUGINS_PREINSTALL: volkovlabs-echarts-panel", want: []expected{{severity: Warning, fix: "_SYNC"}}},
		{name: "failed in the background", environment: "GF_PLUGINS_PREINSTALL: volkovlabs-echarts-panel", edit: func(s *Served) { s.Log = []string{complaint} },
			want: []expected{{evidence: "404: Plugin not found", fix: "id and version"}}},
		{name: "the files have said it"},
		{name: "Grafana does not tell", environment: "GF_PLUGINS_PREINSTALL: volkovlabs-echarts-panel", edit: func(s *Served) { s.Panels = nil }},
		{name: "a core panel of another version", board: boardWith("", `{"id": 1, "type": "trend", "title": "a"}`), edit: func(s *Served) { delete(s.Panels, "trend"); s.Version = "9.5.0" },
			want: []expected{{at: `"trend"`, says: `Grafana 9.5.0 has no panel of type "trend"`}}},
		{name: "what the front end turns into another", board: boardWith("", `{"id": 1, "type": "row", "title": "a"}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", echarts))
			if c.board != "" {
				f.write(boardFile, c.board)
			}
			if c.environment != "" {
				f.replace(composeFile, `GF_USERS_ALLOW_SIGN_UP: "false"`, c.environment)
			}
			f.expect(panelPluginMissing().Live(f.served(c.edit)), c.want)
		})
	}
	assert.Empty(t, panelPluginMissing().Live(shipped(t).live()))
}

func TestPluginIDs(t *testing.T) {
	assert.Equal(t, []string{"a", "b", "c", "d"}, pluginIDs("a, b 1.0,c@1@u ,, url;d 2 "))
	assert.Empty(t, pluginIDs(""))
}
