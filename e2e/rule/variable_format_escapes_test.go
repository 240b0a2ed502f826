package rule

import "testing"

func TestVariableFormatEscapes(t *testing.T) {
	const variables = modelVariable + `,
    {"name": "host", "type": "query", "query": "label_values(up, instance)"},
    {"name": "plain", "type": "custom", "query": "one,two", "current": {"text": "one", "value": "one"}},
    {"name": "dotted", "type": "custom", "query": "one,v1.2", "current": {"text": "one", "value": "one"}}`
	expr := func(e string) string { return boardWith(variables, panelWith(1, "a", e)) }
	checkCases(t, variableFormatEscapes(), []ruleCase{
		{name: "regex in a string", board: expr(`sum(rate(nv_inference_count{model=~"${model:regex}"}[$__rate_interval]))`),
			want: []expected{{at: "${model:regex}", says: `"gpu-01.lan"`, evidence: `\.lan`, fix: "write ${model}"}}},
		{name: "regex of a single value", board: expr(`up{instance=~"${host:regex}"}`), want: []expected{{at: "${host:regex}"}}},
		{name: "json in a string", board: expr(`up{model=~"${model:json}"}`), want: []expected{{at: "${model:json}"}}},
		{name: "quotes in a string", board: expr(`up{model=~"${model:doublequote}"}`), want: []expected{{at: "${model:doublequote}"}}},
		{name: "an option with a dot", board: expr(`up{a=~'${dotted:regex}'}`), want: []expected{{at: "${dotted:regex}", says: `"v1.2"`}}},
		{name: "options without punctuation", board: expr(`up{a=~"${plain:regex}"}`)},
		{name: "regex between backquotes", board: expr("up{model=~`${model:regex}`}")},
		{name: "quotes that are the string", board: expr(`up{instance=${host:doublequote}}`)},
		{name: "formats that a string can hold", board: expr(`up{model=~"${model:pipe}", a="${model:csv}", b="${host:raw}", c="${model:glob}"}`)},
		{name: "no format", board: expr(`up{model=~"$model", instance="[[host]]"}`)},
		{name: "broken for another reason", board: expr(`up{model=~"${model:regex}"`)},
		{name: "in a legend", board: boardWith(variables, `{"id": 1, "type": "timeseries", "title": "${model:regex}",
      "targets": [{"expr": "up", "legendFormat": "\"${model:text}\" \"${model:regex}\""}]}`)},
	})
}
