package fix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// The files of a fixture.
const (
	datasourceFile = "grafana/provisioning/datasources/prometheus.yaml"
	otherFile      = "grafana/provisioning/datasources/other.yaml"
	boardFile      = "grafana/provisioning/dashboards/boards/board.json"
)

// stackWith is a small stack without a compose file, in which each file that the
// test gives takes the place of a clean one.
func stackWith(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"prometheus.yml": "global:\n  scrape_interval: 10s\nscrape_configs:\n  - job_name: node\n    static_configs:\n      - targets: [node-exporter:9100]\n",
		datasourceFile:   "apiVersion: 1\ndatasources:\n" + prometheusEntry,
		"grafana/provisioning/dashboards/dashboards.yaml": "apiVersion: 1\nproviders:\n  - name: boards\n    type: file\n    options: {path: /etc/grafana/provisioning/dashboards/boards}\n",
		boardFile: board(`"id": null`, cleanPanel),
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		write(t, dir, name, text)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

const prometheusEntry = `  - name: Prometheus
    uid: prometheus
    type: prometheus
    url: http://prometheus:9090
    isDefault: true
    jsonData:
      timeInterval: 10s
`

const cleanPanel = `{"id": 1, "type": "timeseries", "title": "Load", "datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"refId": "A", "expr": "node_load1"}]}`

// board is a dashboard with these first members and panels.
func board(head, panels string) string {
	return "{\n  " + head + ",\n  \"uid\": \"board\",\n  \"title\": \"Board\",\n  \"schemaVersion\": 42,\n  \"panels\": [\n    " + panels + "\n  ]\n}\n"
}

// run mends the stack in a directory in memory.
func run(t *testing.T, dir string, opts Options) *Result {
	t.Helper()
	s, err := stack.Load(t.Context(), dir)
	require.NoError(t, err)
	r, err := Run(t.Context(), s, opts)
	require.NoError(t, err)
	return r
}

// mend is a file before and after, with why something of it is left. An empty after
// means that all is.
type mend struct {
	name          string
	rule          string
	file          string
	before, after string
	why           string
	with          map[string]string // further files
}

func runMends(t *testing.T, cases []mend) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{c.file: c.before}
			for name, text := range c.with {
				files[name] = text
			}
			dir := stackWith(t, files)
			opts := Options{Rules: []string{c.rule}}
			r := run(t, dir, opts)
			if c.after == "" {
				assert.Empty(t, r.Changed)
				require.NotEmpty(t, r.Left)
				assert.Contains(t, r.Left[0].Why, c.why)
				return
			}
			require.Len(t, r.Changed, 1, "left: %+v", r.Left)
			assert.Equal(t, c.file, r.Changed[0].Name)
			assert.Equal(t, c.after, string(r.Changed[0].After))
			assert.Equal(t, c.why == "", len(r.Left) == 0, "%+v", r.Left)
			require.NoError(t, r.Changed[0].Write())
			again := run(t, dir, opts)
			assert.Empty(t, again.Applied, "a second run changes nothing")
		})
	}
}

// reference is a panel that asks by a reference to a datasource.
func reference(ref string) string {
	return `{"id": 1, "type": "timeseries", "title": "Load", "datasource": ` + ref + `, "targets": [{"refId": "A", "expr": "node_load1"}]}`
}

func TestUIDUnknown(t *testing.T) {
	two := "apiVersion: 1\ndatasources:\n" + prometheusEntry + "  - {name: Metrics EU, uid: metrics-eu, type: prometheus, url: 'http://eu:9090'}\n"
	runMends(t, eachRule("datasource/uid-unknown", boardFile, []mend{
		{
			name: "the only datasource of the type", before: board(`"id": null`, reference(`{"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}`)),
			after: board(`"id": null`, reference(`{"type": "prometheus", "uid": "prometheus"}`)),
		},
		{
			name: "a typo, the keys the other way round, tabs", before: board(`"id": null`, reference("{\n\t\t\"uid\" :\t\"prometeus\",\n\t\t\"type\" :\t\"prometheus\" }")),
			after: board(`"id": null`, reference("{\n\t\t\"uid\" :\t\"prometheus\",\n\t\t\"type\" :\t\"prometheus\" }")),
		},
		{
			name: "the nearest of two", before: board(`"id": null`, reference(`{"type": "prometheus", "uid": "metrics-ue"}`)),
			after: board(`"id": null`, reference(`{"type": "prometheus", "uid": "metrics-eu"}`)), with: map[string]string{datasourceFile: two},
		},
		{
			name: "a name", before: board(`"id": null`, reference(`"Promethus"`)), after: board(`"id": null`, reference(`"Prometheus"`)),
		},
		{
			name: "written with escapes, minified, CRLF at the end", before: strings.ReplaceAll(strings.ReplaceAll(board(`"id":null`, reference(`{"uid":"prom\u0065\u0074eus"}`)), "\n", ""), "  ", "") + "\r\n",
			after: strings.ReplaceAll(strings.ReplaceAll(board(`"id":null`, reference(`{"uid":"prometheus"}`)), "\n", ""), "  ", "") + "\r\n",
		},
		{
			name: "the panel's targets, the hidden ones too",
			before: board(`"id": null`, `{"id": 1, "type": "timeseries", "title": "Load", "datasource": {"uid": "prometeus"}, "targets": [
      {"refId": "A", "datasource": {"uid": "prometeus"}, "expr": "node_load1"},
      {"refId": "B", "hide": true, "datasource": {"uid": "prometeus"}, "expr": "node_load5"}]}`),
			after: board(`"id": null`, `{"id": 1, "type": "timeseries", "title": "Load", "datasource": {"uid": "prometheus"}, "targets": [
      {"refId": "A", "datasource": {"uid": "prometheus"}, "expr": "node_load1"},
      {"refId": "B", "hide": true, "datasource": {"uid": "prometheus"}, "expr": "node_load5"}]}`),
		},
		{
			name:   "a variable's and an annotation's",
			before: board(`"templating": {"list": [{"name": "v", "type": "query", "datasource": {"uid": "prometeus"}, "query": "label_values(up, job)"}]}, "annotations": {"list": [{"name": "a", "datasource": {"uid": "prometeus"}, "expr": "up{job=\"$v\"}"}]}`, cleanPanel),
			after:  board(`"templating": {"list": [{"name": "v", "type": "query", "datasource": {"uid": "prometheus"}, "query": "label_values(up, job)"}]}, "annotations": {"list": [{"name": "a", "datasource": {"uid": "prometheus"}, "expr": "up{job=\"$v\"}"}]}`, cleanPanel),
		},
		{
			name: "a query that is wrong in another way too", before: board(`"id": null`, strings.Replace(reference(`{"uid": "prometeus"}`), "node_load1", "rate(node_load1[5s", 1)),
			after: board(`"id": null`, strings.Replace(reference(`{"uid": "prometheus"}`), "node_load1", "rate(node_load1[5s", 1)),
		},
		{
			name:   "a target without the type that its panel names",
			before: board(`"id": null`, `{"id": 1, "type": "timeseries", "title": "Load", "datasource": {"type": "prometheus", "uid": "x"}, "targets": [{"refId": "A", "datasource": {"uid": "x"}, "expr": "node_load1"}]}`),
			after:  board(`"id": null`, `{"id": 1, "type": "timeseries", "title": "Load", "datasource": {"type": "prometheus", "uid": "prometheus"}, "targets": [{"refId": "A", "datasource": {"uid": "prometheus"}, "expr": "node_load1"}]}`),
		},
		{
			name: "no type, and nothing near", before: board(`"id": null`, reference(`{"uid": "elsewhere"}`)), why: "not certain",
		},
		{
			name: "another type", before: board(`"id": null`, reference(`{"type": "loki", "uid": "prometeus"}`)), why: "not certain",
		},
		{
			name: "two that are as near", before: board(`"id": null`, reference(`{"type": "prometheus", "uid": "metrics-e"}`)), why: "not certain",
			with: map[string]string{datasourceFile: two + "  - {name: Metrics ES, uid: metrics-es, type: prometheus, url: 'http://es:9090'}\n"},
		},
		{
			name: "through a variable", before: board(`"templating": {"list": [{"name": "ds", "type": "constant", "query": "prometeus"}]}`, reference(`{"type": "prometheus", "uid": "$ds"}`)), why: "not certain",
		},
	}))
}

// eachRule fills in what cases have in common.
func eachRule(rule, file string, cases []mend) []mend {
	for i := range cases {
		cases[i].rule = rule
		if cases[i].file == "" {
			cases[i].file = file
		}
	}
	return cases
}

func TestInputUnresolved(t *testing.T) {
	input := func(name string) string {
		return `{"name": "` + name + `", "label": "x", "type": "datasource", "pluginId": "prometheus"}`
	}
	asks := func(uid string) string { return reference(`{"type": "prometheus", "uid": "` + uid + `"}`) }
	two := map[string]string{otherFile: "apiVersion: 1\ndatasources:\n  - {name: Other One, uid: other, type: prometheus, url: 'http://other:9090'}\n"}
	const constant = `{"name": "VAR_X", "type": "constant", "value": "up"}`
	runMends(t, eachRule("datasource/input-unresolved", boardFile, []mend{
		{
			name: "listed first", before: board(`"__inputs": [`+input("DS_PROMETHEUS")+"],\n  \"__requires\": []", asks("${DS_PROMETHEUS}")),
			after: board(`"__requires": []`, asks("prometheus")),
		},
		{
			name:   "listed last, on one line",
			before: `{"uid":"b","title":"B","panels":[` + asks("${DS_PROMETHEUS}") + `], "__inputs" : [ ` + input("DS_PROMETHEUS") + ` ] }`,
			after:  `{"uid":"b","title":"B","panels":[` + asks("prometheus") + `] }`,
		},
		{name: "not listed", before: board(`"id": null`, asks("${DS_PROMETHEUS}")), after: board(`"id": null`, asks("prometheus"))},
		{name: "without braces", before: board(`"id": null`, asks("$DS_PROMETHEUS")), after: board(`"id": null`, asks("prometheus"))},
		{name: "of another name", before: board(`"id": null`, asks("${DS_LOCALHOST}")), after: board(`"id": null`, asks("prometheus"))},
		{name: "written with escapes", before: board(`"id": null`, asks(`\u0024{DS_PROMETHEUS\u007d`)), after: board(`"id": null`, asks("prometheus"))},
		{name: "a bare string", before: board(`"id": null`, reference(`"${DS_PROMETHEUS}"`)), after: board(`"id": null`, reference(`"prometheus"`))},
		{name: "listed and not used", before: board(`"__inputs": [`+input("DS_OLD")+`], "id": null`, cleanPanel), after: board(`"id": null`, cleanPanel)},
		{
			name:   "in front of an input that stays",
			before: board(`"__inputs": [`+input("DS_PROMETHEUS")+`, `+constant+`]`, strings.Replace(asks("${DS_PROMETHEUS}"), "node_load1", "${VAR_X}", 1)),
			after:  board(`"__inputs": [`+constant+`]`, strings.Replace(asks("prometheus"), "node_load1", "${VAR_X}", 1)), why: "not certain",
		},
		{
			name:   "behind an input that stays",
			before: board("\"__inputs\": [\n    "+constant+",\n    "+input("DS_OLD")+",\n    "+input("DS_PROMETHEUS")+"\n  ]", strings.Replace(asks("${DS_PROMETHEUS}"), "node_load1", "${VAR_X}", 1)),
			after:  board("\"__inputs\": [\n    "+constant+"\n  ]", strings.Replace(asks("prometheus"), "node_load1", "${VAR_X}", 1)), why: "not certain",
		},
		{
			name: "by the datasource's name", with: two,
			before: board("\"__inputs\": [\n    "+input("DS_OTHER_ONE")+",\n    "+input("DS_OLD")+"\n  ],\n\n  \"id\": null", asks("${DS_OTHER_ONE}")),
			after:  board(`"id": null`, asks("other")),
		},
		{
			name:   "inside of other text",
			before: board(`"links": [{"title": "\"x\"", "url": "/explore?q=\"é\"&ds=${DS_PROMETHEUS:raw}&x=1"}]`, asks("${DS_PROMETHEUS}")),
			after:  board(`"links": [{"title": "\"x\"", "url": "/explore?q=\"é\"&ds=prometheus&x=1"}]`, asks("prometheus")),
		},
		{name: "two datasources of the type", before: board(`"id": null`, asks("${DS_MAIN}")), with: two, why: "not certain"},
		{name: "none of the type", before: board(`"id": null`, reference(`{"type": "loki", "uid": "${DS_LOKI}"}`)), why: "not certain"},
	}))
}

func TestDashboardIDSet(t *testing.T) {
	runMends(t, eachRule("dashboard/id-set", boardFile, []mend{
		{name: "a number", before: board(`"id": 27`, cleanPanel), after: board(`"id": null`, cleanPanel)},
		{name: "a number as a string", before: board(`"id":"27"`, cleanPanel), after: board(`"id":null`, cleanPanel)},
		{name: "minified", before: `{"panels":[],"title":"B","uid":"b","id":2}`, after: `{"panels":[],"title":"B","uid":"b","id":null}`},
		{
			name: "CRLF and no line break at the end", before: strings.TrimSuffix(strings.ReplaceAll(board("\"id\" :\t27", cleanPanel), "\n", "\r\n"), "\r\n"),
			after: strings.TrimSuffix(strings.ReplaceAll(board("\"id\" :\tnull", cleanPanel), "\n", "\r\n"), "\r\n"),
		},
	}))
}

func TestPanelIDDuplicate(t *testing.T) {
	panels := func(ids ...string) string {
		var out []string
		for _, id := range ids {
			out = append(out, strings.Replace(cleanPanel, `"id": 1`, `"id": `+id, 1))
		}
		return strings.Join(out, ",\n    ")
	}
	runMends(t, eachRule("panel/id-duplicate", boardFile, []mend{
		{name: "two", before: board(`"id": null`, panels("1", "1")), after: board(`"id": null`, panels("1", "2"))},
		{name: "three, and one of its own", before: board(`"id": null`, panels("1", "7", "1", "1")), after: board(`"id": null`, panels("1", "7", "8", "9"))},
		{name: "a string", before: board(`"id": null`, panels("3", `"3"`)), after: board(`"id": null`, panels("3", "4"))},
		{
			name: "in a row", before: board(`"id": null`, `{"id": 1, "type": "row", "collapsed": true, "panels": [`+panels("1")+`]}`),
			after: board(`"id": null`, `{"id": 1, "type": "row", "collapsed": true, "panels": [`+panels("2")+`]}`),
		},
		{
			name: "one that another panel shows", why: "not certain",
			before: board(`"id": null`, panels("1", "1")+`, {"id": 2, "type": "table", "datasource": {"uid": "-- Dashboard --"}, "targets": [{"refId": "A", "panelId": 1}]}`),
		},
	}))
}

func TestAPIWrapper(t *testing.T) {
	inner := board(`"id": null`, cleanPanel)
	indented := strings.TrimSpace(strings.ReplaceAll(inner, "\n", "\n  "))
	runMends(t, eachRule("dashboard/api-wrapper", boardFile, []mend{
		{name: "indented", before: "{\n  \"dashboard\": " + indented + ",\n  \"overwrite\": true\n}\n", after: inner},
		{name: "behind its metadata", before: "{\n  \"meta\": {\"slug\": \"b\"},\n  \"dashboard\": " + indented + "\n}\n", after: inner},
		{
			name: "tabs and CRLF", before: strings.ReplaceAll("{\n\t\"dashboard\": {\n\t\t\"uid\": \"b\",\n\t\t\"title\": \"B {\\n}\",\n\n\t\t\"panels\": []\n\t}\n}\n", "\n", "\r\n"),
			after: strings.ReplaceAll("{\n\t\"uid\": \"b\",\n\t\"title\": \"B {\\n}\",\n\n\t\"panels\": []\n}\n", "\n", "\r\n"),
		},
		{name: "minified", before: `{"dashboard":{"uid":"b","title":"B","panels":[]},"folderId":0}`, after: `{"uid":"b","title":"B","panels":[]}`},
		{
			name: "indented in no order", before: "{\"dashboard\":\n    {\n \"uid\": \"b\", \"title\": \"B\",\n   \"panels\": []\n    }\n}\n",
			after: "{\n \"uid\": \"b\", \"title\": \"B\",\n   \"panels\": []\n    }\n",
		},
		{
			name: "a dashboard that is there already", before: "{\n  \"dashboard\": " + indented + "\n}\n", why: "dashboard/uid-duplicate",
			with: map[string]string{"grafana/provisioning/dashboards/boards/first.json": inner},
		},
	}))
}

func TestPositionsOutsideOfTheFile(t *testing.T) {
	for _, p := range []source.Pos{{}, {Line: 3, Column: 1}, {Line: 1, Column: 9}, {Line: 2, Column: 0}} {
		_, err := offset([]byte("{\n}"), p)
		assert.Error(t, err, p)
	}
}
