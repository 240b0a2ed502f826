package fix

import (
	"strings"
	"testing"
)

// derived is the uid that Grafana makes of the name "Prometheus".
const derived = "PBFA97CFB590B2093"

// datasources is a provisioning file with these entries.
func datasources(entries string) string { return "apiVersion: 1\n\ndatasources:\n" + entries }

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func TestUIDImplicit(t *testing.T) {
	used := map[string]string{boardFile: board(`"id": null`, reference(`{"type": "prometheus", "uid": "`+derived+`"}`))}
	cases := []mend{
		{
			name:   "a comment beside the name and one below",
			before: datasources("  - name: Prometheus   # the only one\n    # of the compose file\n    type: prometheus\n    url: http://prometheus:9090\n"),
			after:  datasources("  - name: Prometheus   # the only one\n    uid: " + derived + "\n    # of the compose file\n    type: prometheus\n    url: http://prometheus:9090\n"),
		},
		{
			name:   "the name last, quoted, at the end of a file without a line break",
			before: datasources("- type: prometheus\n  url: http://prometheus:9090\n  name: \"Prometheus\""),
			after:  datasources("- type: prometheus\n  url: http://prometheus:9090\n  name: \"Prometheus\"\n  uid: " + derived),
		},
		{
			name:   "CRLF, indented by four",
			before: crlf(datasources("    -   name: 'Prometheus'\n        type: prometheus\n")),
			after:  crlf(datasources("    -   name: 'Prometheus'\n        uid: " + derived + "\n        type: prometheus\n")),
		},
		{
			name:   "a byte order mark",
			before: byteOrderMark + datasources("  - name: Prometheus\n    type: prometheus\n"),
			after:  byteOrderMark + datasources("  - name: Prometheus\n    uid: "+derived+"\n    type: prometheus\n"),
		},
		{
			name:   "on one line",
			before: datasources("  - {type: prometheus, name: Prometheus, url: 'http://prometheus:9090'} # é\n"),
			after:  datasources("  - {type: prometheus, name: Prometheus, uid: " + derived + ", url: 'http://prometheus:9090'} # é\n"),
		},
		{
			name:   "JSON in YAML",
			before: `{"apiVersion": 1, "datasources": [{"name": "Prometheus", "type": "prometheus"}]}`,
			after:  `{"apiVersion": 1, "datasources": [{"name": "Prometheus", uid: ` + derived + `, "type": "prometheus"}]}`,
		},
		{
			name:   "a key without a value",
			before: datasources("  - name: Prometheus\n    uid:   # none yet\n    type: prometheus\n"),
			after:  datasources("  - name: Prometheus\n    uid: " + derived + "   # none yet\n    type: prometheus\n"),
		},
		{
			name:   "an empty value",
			before: datasources("  - name: Prometheus\n    uid: ''\n    type: prometheus\n"),
			after:  datasources("  - name: Prometheus\n    uid: '" + derived + "'\n    type: prometheus\n"),
		},
		{
			name:   "the second of two",
			before: datasources("  - name: Logs\n    type: loki\n    url: http://loki:3100\n\n  # metrics\n  - name: Prometheus\n    type: prometheus\n"),
			after:  datasources("  - name: Logs\n    type: loki\n    url: http://loki:3100\n\n  # metrics\n  - name: Prometheus\n    uid: " + derived + "\n    type: prometheus\n"),
		},
		{name: "an anchor that others may use", before: datasources("  - &base\n    name: Prometheus\n    type: prometheus\n"), why: "anchors"},
		{name: "the name in an anchor", before: "x: &base\n  name: Prometheus\n  type: prometheus\napiVersion: 1\ndatasources:\n  - *base\n", why: "anchors"},
		{name: "the name from a merge", before: "x: &base\n  name: Prometheus\napiVersion: 1\ndatasources:\n  - <<: *base\n    type: prometheus\n", why: "merge"},
		{name: "the name as a block", before: datasources("  - name: >-\n      Prometheus\n    type: prometheus\n"), why: "not edited"},
		{name: "the old format", before: "datasources:\n  - name: Prometheus\n    type: prometheus\n", why: "old format"},
	}
	for i := range cases {
		cases[i].with = used
	}
	runMends(t, eachRule("datasource/uid-implicit", datasourceFile, cases))
}

// entry is a datasource whose lines behind its url are these.
func entry(rest string) string {
	return datasources("  - name: Prometheus\n    uid: prometheus\n    type: prometheus\n    url: http://prometheus:9090 # inside\n" + rest)
}

func TestTimeInterval(t *testing.T) {
	runMends(t, eachRule("datasource/time-interval", datasourceFile, []mend{
		{name: "no jsonData", before: entry(""), after: entry("    jsonData:\n      timeInterval: 10s\n")},
		{
			name: "no jsonData, and what is nested at the end", before: entry("    secureJsonData:\n      password: x\n"),
			after: entry("    jsonData:\n      timeInterval: 10s\n    secureJsonData:\n      password: x\n"),
		},
		{
			name: "beside others", before: entry("    jsonData:\n        # how\n        httpMethod: POST # as large queries need\n    editable: false\n"),
			after: entry("    jsonData:\n        # how\n        httpMethod: POST # as large queries need\n        timeInterval: 10s\n    editable: false\n"),
		},
		{
			name: "beside nested ones alone", before: entry("    jsonData: # all\n      exemplarTraceIdDestinations:\n        - name: trace\n"),
			after: entry("    jsonData: # all\n      timeInterval: 10s\n      exemplarTraceIdDestinations:\n        - name: trace\n"),
		},
		{name: "in braces", before: entry("    jsonData: {httpMethod: POST } # x\n"), after: entry("    jsonData: {httpMethod: POST, timeInterval: 10s } # x\n")},
		{name: "in empty braces", before: entry("    jsonData: { }\n"), after: entry("    jsonData: {timeInterval: 10s }\n")},
		{name: "in null", before: entry("    jsonData:\n    editable: false\n"), after: entry("    jsonData: {timeInterval: 10s}\n    editable: false\n")},
		{name: "in a null that is written", before: entry("    jsonData: ~\n"), after: entry("    jsonData: {timeInterval: 10s}\n")},
		{
			name: "the whole on one line", before: datasources("  - {name: Prometheus, uid: prometheus, type: prometheus, url: 'http://prometheus:9090'}\n"),
			after: datasources("  - {jsonData: {timeInterval: 10s}, name: Prometheus, uid: prometheus, type: prometheus, url: 'http://prometheus:9090'}\n"),
		},
		{name: "another value", before: entry("    jsonData:\n      timeInterval: 15s # as ever\n"), after: entry("    jsonData:\n      timeInterval: 10s # as ever\n")},
		{name: "another value in quotes", before: entry("    jsonData: {'timeInterval': \"15s\"}\n"), after: entry("    jsonData: {'timeInterval': \"10s\"}\n")},
		{name: "a number", before: entry("    jsonData:\n      timeInterval: 10\n"), after: entry("    jsonData:\n      timeInterval: 10s\n")},
		{name: "CRLF", before: crlf(entry("    jsonData:\n      httpMethod: POST")), after: crlf(entry("    jsonData:\n      httpMethod: POST\n      timeInterval: 10s"))},
		{name: "an anchor", before: entry("    jsonData: &shared\n      httpMethod: POST\n"), why: "anchor"},
		{name: "a merge", before: "x: &x\n  httpMethod: POST\n" + entry("    jsonData:\n      <<: *x\n"), why: "anchor"},
		{name: "an alias", before: "x: &x\n  httpMethod: POST\n" + entry("    jsonData: *x\n"), why: "anchor"},
		{
			name: "jobs that differ", before: entry(""), why: "not certain",
			with: map[string]string{"prometheus.yml": "scrape_configs:\n  - {job_name: a, scrape_interval: 10s, static_configs: [{targets: ['a:9100']}]}\n  - {job_name: b, scrape_interval: 30s, static_configs: [{targets: ['b:1234']}]}\n",
				boardFile: board(`"id": null`, strings.Replace(cleanPanel, "node_load1", "something", 1))},
		},
	}))
}

func TestUnknownKey(t *testing.T) {
	runMends(t, eachRule("datasource/unknown-key", datasourceFile, []mend{
		{
			name: "beside a jsonData", before: entry("    timeInterval: 10s   # prometheus.yml\n    jsonData:\n      httpMethod: POST\n"),
			after: entry("    jsonData:\n      httpMethod: POST\n      timeInterval: 10s   # prometheus.yml\n"),
		},
		{name: "without one", before: entry("    timeInterval: '10s'\n    editable: false\n"), after: entry("    editable: false\n    jsonData:\n      timeInterval: '10s'\n")},
		{name: "at the end of the file", before: entry("    timeInterval: 10s"), after: entry("    jsonData:\n      timeInterval: 10s")},
		{
			name: "CRLF", before: crlf(entry("    jsonData:\n      httpMethod: POST\n    timeInterval: 10s")),
			after: crlf(entry("    jsonData:\n      httpMethod: POST\n      timeInterval: 10s")),
		},
		{name: "into braces", before: entry("    timeInterval: 10s\n    jsonData: {httpMethod: POST}\n"), after: entry("    jsonData: {httpMethod: POST, timeInterval: 10s}\n")},
		{
			name: "where jsonData has it", before: entry("    timeInterval: 30s\n    jsonData:\n      timeInterval: 10s\n"),
			after: entry("    jsonData:\n      timeInterval: 10s\n"),
		},
		{name: "a comment into braces", before: entry("    timeInterval: 10s # x\n    jsonData: {httpMethod: POST}\n"), why: "comment"},
		{
			name: "the first key", before: datasources("  - timeInterval: 10s\n    name: Prometheus\n    uid: prometheus\n    type: prometheus\n    url: http://prometheus:9090\n"), why: "first key",
		},
		{name: "another key", before: entry("    accessMode: proxy\n    jsonData: {timeInterval: 10s}\n"), why: "not certain"},
	}))
}
