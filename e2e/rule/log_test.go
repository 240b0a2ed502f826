package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseLog(t *testing.T) {
	for _, c := range []struct {
		name, line, short string
		calm              bool
	}{
		{name: "Grafana's logfmt", line: `logger=provisioning.dashboard type=file name=triton t=2026-11-26T04:11:30.5Z level=error msg="failed to save dashboard" file=/b/chars.json error="uid contains illegal characters"`,
			short: "provisioning.dashboard: failed to save dashboard: uid contains illegal characters (file=/b/chars.json, name=triton)"},
		{name: "JSON", line: `{"error":"Dashboard title cannot be empty","file":"/b/n.json","level":"error","logger":"provisioning.dashboard","msg":"failed to load dashboard from ","t":"2026","n":3}`,
			short: "provisioning.dashboard: failed to load dashboard from: Dashboard title cannot be empty (file=/b/n.json)"},
		{name: "Prometheus 3", line: `time=2026-11-26T04:15:20.644Z level=ERROR source=main.go:768 msg="Error loading config (--config.file=/p.yml)" file=/p.yml err="a\n  line 3: b"`,
			short: "Error loading config (--config.file=/p.yml): a line 3: b"},
		{name: "Prometheus 2", line: `ts=2023-01-01T00:00:00Z caller=main.go:1 level=error msg="Error loading config" err="x=y"`, short: "Error loading config: x=y"},
		{name: "good times", line: `logger=http t=1 level=info msg="HTTP Server Listen"`, short: "http: HTTP Server Listen", calm: true},
		{name: "plain", line: "grafana: Datasource provisioning error: x", short: "grafana: Datasource provisioning error: x"},
		{name: "a terminal's colours", line: "\x1b[31mEROR\x1b[0m[11-26] \x07failed\tx", short: "EROR[11-26] failed x"},
		{name: "colours in a value", line: `level=error msg="\x1b[31mred\x1b[0m"`, short: "red"},
		{name: "half a pair", line: `level=error msg="open`, short: `"open`},
		{name: "half an object", line: `{"level": "error"`, short: `{"level": "error"`},
		{name: "an object with nothing", line: `{}`, short: "", calm: true},
		{name: "not UTF-8", line: "a\xffb", short: "ab"},
		{name: "nothing", line: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := parseLog(c.line)
			assert.Equal(t, c.short, l.short())
			assert.Equal(t, !c.calm, l.trouble())
		})
	}
	assert.Len(t, []rune(parseLog(strings.Repeat("ä", 1000)).short()), 301)
}

func TestContainsWord(t *testing.T) {
	for text, want := range map[string]bool{
		`uid "b" is taken`: true, "b": true, "a b.": true, "b: x": true, "/dir/b": true,
		"bb": false, "a-b": false, "b.json": false, "": false, "ab b": true,
	} {
		assert.Equal(t, want, containsWord(text, "b"), text)
	}
}

func TestLogAbout(t *testing.T) {
	log := []string{`level=warn msg=a`, `level=warn msg=a`, `level=info msg=b`, `level=error msg=c`, "", `level=error msg=d`, `level=error msg=e`}
	assert.Equal(t, []string{"Grafana's log: a", "Grafana's log: c", "Grafana's log: d"}, logAbout(log, func(logLine) bool { return true }))
	assert.Empty(t, logAbout(log, func(logLine) bool { return false }))
}
