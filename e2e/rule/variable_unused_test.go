package rule

import "testing"

func TestVariableUnused(t *testing.T) {
	const other = `,
    {"name": "gpu", "type": "query", "query": "label_values(DCGM_FI_DEV_GPU_UTIL{model=\"$model\"}, gpu)"}`
	checkCases(t, variableUnused(), []ruleCase{
		{name: "by nothing", board: boardWith(modelVariable, panelWith(1, "a", "up")),
			want: []expected{{at: `"model"`, says: `"model" is used by nothing`, fix: "$model"}}},
		{name: "by itself only", board: boardWith(`{"name": "a", "type": "query", "query": "label_values(x{y=\"$a\"}, y)"}`, ""), want: []expected{{at: `"a"`}}},
		{name: "by another variable", board: boardWith(modelVariable+other, panelWith(1, "a", "up")), want: []expected{{at: `"gpu"`}}},
		{name: "by a query", board: boardWith(modelVariable, panelWith(1, "a", `up{a="${model:regex}"}`))},
		{name: "by a repeated panel", board: boardWith(modelVariable, `{"id": 1, "type": "text", "repeat": "model"}`)},
		{name: "by an override", board: boardWith(modelVariable, `{"id": 1, "type": "text", "fieldConfig": {"defaults": {"displayName": "[[model]]"}}}`)},
		{name: "by a link that hands on all", board: boardWith(modelVariable, `{"id": 1, "type": "text", "links": [{"url": "/d/x?${__all_variables}"}]}`)},
		{name: "by a library panel, maybe", board: boardWith(modelVariable, `{"id": 1, "libraryPanel": {"uid": "u", "name": "n"}}`)},
		{name: "ad hoc filters act by themselves", board: boardWith(`{"name": "f", "type": "adhoc"}`, "")},
	})
}
