package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed renders places one a line: use, where, owner, text.
func listed(d *Dashboard) []string {
	var out []string
	for _, p := range d.Texts() {
		owner := "dashboard"
		switch {
		case p.Target != nil:
			owner = "panel " + p.Panel.ID.Value + p.Target.RefID.Value
		case p.Panel != nil:
			owner = "panel " + p.Panel.ID.Value
		case p.Variable != nil:
			owner = "variable " + p.Variable.Name.Value
		case p.Annotation != nil:
			owner = "annotation " + p.Annotation.Name.Value
		}
		use := [...]string{"query", "display", "unsure"}[p.Use]
		if p.Bare {
			use += " name"
		}
		out = append(out, fmt.Sprintf("%s: %s of %s: %s", use, p.Where, owner, p.Text.Value))
	}
	return out
}

func TestTexts(t *testing.T) {
	assert.Equal(t, []string{
		`query: datasource of variable zone: ${source}`,
		`query: variable query of variable host: query_result(up{zone=~"$zone"})`,
		`query: datasource of variable host: ${source}`,
		`query: annotation query of annotation Reloads: changes(boot_seconds{host=~"$host"}[5m]) > 0`,
		`query: datasource of annotation Reloads: ${source}`,
		`display: annotation text of annotation Reloads: reload of {{host}} in $zone`,
		`display: panel title of panel 1: Zone $zone`,
		`query name: repeat of panel 1: zone`,
		`display: text content of panel 2: See $contentvar.`,
		`display: panel title of panel 3: Later in the file's grid: "$host"`,
		`query: datasource of panel 3: ${source}`,
		`query: panel interval of panel 3: $pace`,
		`query name: repeat of panel 3: host`,
		`display: legend of panel 3A: {{host}} in $zone`,
		`query: expr of panel 3A: sum by (host) (rate(sent_bytes_total{host=~"$host"}[$__rate_interval]))`,
		`display: display name of panel 3: of $zone`,
		`display: link url of panel 3: /explore?host=${host:percentencode}&at=${__value.time}`,
		`display: display name of panel 3: ${shown}`,
		`display: link url of panel 3: /d/other?var-a=$linked`,
		`unsure: transformation of panel 3: $1 $renamed`,
		`query: expr of panel 5A: up{zone="[[zone]]"}`,
		`display: link title of dashboard: Runbook of $zone`,
		`display: link url of dashboard: https://example.org/run?host=${host}`,
	}, listed(load(t, "modern.json")))
}

// Every text with a reference in the file is listed, save where Grafana does
// not interpolate.
func TestTextsPositions(t *testing.T) {
	d := load(t, "modern.json")
	places := d.Texts()
	require.NotEmpty(t, places)
	for _, p := range places {
		first := at(t, "modern.json", p.Text.Pos)
		assert.True(t, strings.HasPrefix(first, `"`), first)
	}
}

func TestTextsOfLegacyAndV2(t *testing.T) {
	legacy := listed(load(t, "legacy_rows.json"))
	assert.Contains(t, legacy, `display: panel title of panel : For $disk`)
	assert.Contains(t, legacy, `query name: repeat of panel : disk`)
	assert.Contains(t, legacy, `query: datasource of panel 3: ${DS_OLD}`)
	assert.Contains(t, legacy, `query: expr of panel 3A: io{d="$disk"}`)
	assert.Len(t, legacy, 4, "the saved clone of the row is left out")

	assert.Equal(t, []string{
		`display: panel title of panel 1: Sent by $host`,
		`query: expr of panel 1A: rate(sent_total{host="$host"}[$__rate_interval])`,
		`query name: repeat of dashboard: host`,
	}, listed(load(t, "v2beta1.json")))
}

func TestTextsOfLibraryPanels(t *testing.T) {
	assert.Equal(t, []string{
		`query: expr of panel 1A: a{x="$x"}`,
		`query name: repeat of panel 2: x`,
		`query: expr of panel 5A: a{x="$x"}`,
	}, listed(load(t, "library.json")))
}

func TestTextsOfVariables(t *testing.T) {
	d := parse(t, `{"templating":{"list":[
		{"name":"c","type":"constant","query":"$5"},
		{"name":"o","type":"custom","query":"a,$c","allValue":"$c"},
		{"name":"q","type":"query","definition":"$old","query":{"query":"label_values($c, job)","label":"$c"},"regex":"/$c/","current":{"value":"$__all"}}
	]}}`)
	assert.Equal(t, []string{
		"unsure: variable query of variable c: $5",
		"query: variable query of variable o: a,$c",
		"query: variable all value of variable o: $c",
		"query: variable query of variable q: label_values($c, job)",
		"query: variable regex of variable q: /$c/",
		"unsure: label of variable q: $c",
	}, listed(d))
}

func TestTextsOfOtherDatasources(t *testing.T) {
	d := parse(t, `{"panels":[{"id":1,"targets":[{"refId":"A","rawSql":"select $a"},{"refId":"B","expr":"{app=\"$b\"}"}]}]}`)
	assert.Equal(t, []string{`query: expr of panel 1B: {app="$b"}`, "unsure: rawSql of panel 1A: select $a"}, listed(d))
}
