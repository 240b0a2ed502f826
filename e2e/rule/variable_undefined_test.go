package rule

import "testing"

func TestVariableUndefined(t *testing.T) {
	expr := func(e string) string { return boardWith(modelVariable, panelWith(1, "a", e)) }
	checkCases(t, variableUndefined(), []ruleCase{
		{name: "a misspelt name", board: expr(`sum(rate(nv_inference_count{model=~"$modle"}[5m])) + nv_inference_count{model="$modle"}`),
			want: []expected{{at: "$modle\\", says: `"$modle" is used in the expression and nothing defines it, nearest: model`,
				fix: `write $model, or define a variable "modle"`}}},
		{name: "behind escapes of JSON", board: expr("up{a=\"\\\\\\\\d\"} > ${limit}"), want: []expected{{at: "${limit}", fix: `define a variable "limit"`}}},
		{name: "a misspelt macro", board: expr(`rate(up[$__rate_intervall])`), want: []expected{{at: "$__rate_intervall", says: "nearest: __rate_interval"}}},
		{name: "the old form", board: expr(`up{model="[[instnce]]"}`), want: []expected{{at: "[[instnce]]"}}},
		{name: "macros and built-ins", board: expr(`rate(up[$__rate_interval]) * $__interval_ms + $__range_s + ${__from} + ${__to:date:seconds}`)},
		{name: "groups of a regular expression", board: expr(`label_replace(up, "a", "$1-${1}-$1_x-$name", "b", "(?P<name>.+):.*$")`)},
		{name: "the end of a regular expression", board: expr(`up{a=~"^x$|y$", b=~"[[:alpha:]]+"}`)},
		{name: "repeat", board: boardWith(modelVariable, `{"id": 1, "type": "text", "repeat": "modell"}`),
			want: []expected{{at: `"modell"`, says: `"modell" is used in the repeat`, fix: `write model, or`}}},
		{name: "a title is a warning", board: boardWith(modelVariable, `{"id": 1, "type": "text", "title": "of $modle, $model"}`),
			want: []expected{{at: "$modle", says: "panel title", severity: Warning}}},
		{name: "a link is a warning", board: boardWith("", `{"id": 1, "type": "text", "links": [{"url": "/d/x?var-a=${gone}&${__url_time_range}"}]}`),
			want: []expected{{at: "${gone}", says: "link url", severity: Warning}}},
		{name: "what links know", board: boardWith("", `{"id": 1, "type": "text", "links": [{"url": "/d/x?${__all_variables}&a=${__field.labels.gpu}&b=${__value.raw}"}]}`)},
		{name: "text that is not about variables", board: boardWith(modelVariable, `{"id": 1, "type": "text", "options": {"content": "export $PATH, costs $USD"}}`)},
		{name: "a typo in a text", board: boardWith(modelVariable, `{"id": 1, "type": "text", "options": {"content": "of $modl"}}`),
			want: []expected{{at: "$modl", severity: Warning}}},
		{name: "in another variable", board: boardWith(modelVariable+`, {"name": "v", "type": "query", "query": "label_values(x{m=\"$modal\"}, y)"}`, ""),
			want: []expected{{at: "$modal", says: `variable query of "v"`}}},
		{name: "a datasource", board: boardWith("", `{"id": 1, "type": "timeseries", "datasource": {"uid": "${prom}"}, "targets": [{"expr": "up"}]}`),
			want: []expected{{at: "${prom}", says: "datasource"}}},
		{name: "an input of an export is another rule's",
			board: boardWith("", `{"id": 1, "type": "timeseries", "datasource": {"uid": "${DS_PROMETHEUS}"}, "targets": [{"expr": "up"}]}`)},
		{name: "macros of another datasource", board: boardWith("", `{"id": 1, "type": "timeseries", "targets": [
      {"datasource": {"uid": "-- Grafana --"}, "expr": "$__timeGroup($modle)"}]}`),
			want: []expected{{at: "$modle"}}},
	})
}
