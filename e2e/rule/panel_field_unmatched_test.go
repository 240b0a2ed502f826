package rule

import (
	"fmt"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func override(id, options string) string {
	return fmt.Sprintf(`"fieldConfig": {"overrides": [{"matcher": {"id": %q, "options": %s}, "properties": [{"id": "unit", "value": "s"}]}]}`, id, options)
}

func transformation(id, options string) string {
	return fmt.Sprintf(`"transformations": [{"id": %q, "options": %s}]`, id, options)
}

func TestPanelFieldUnmatched(t *testing.T) {
	models := answered(model.Metric{"model": "bert", "instance": "h:8002"}, model.Metric{"model": "yolo", "instance": "h:8002"})
	gpus := answered(model.Metric{"gpu": "0"}, model.Metric{"gpu": "1"})
	const (
		fixed   = `{"refId": "A", "expr": "up", "legendFormat": "Success"}, {"refId": "B", "expr": "up", "legendFormat": "Failure"}`
		byModel = `{"refId": "A", "expr": "up", "legendFormat": "in {{model}}"}`
		byGPU   = `{"refId": "A", "expr": "up", "legendFormat": "{{gpu}}"}`
		plain   = `{"refId": "A", "expr": "up"}`
		table   = `{"refId": "A", "expr": "up", "format": "table", "instant": true}`
		tables  = table + `, {"refId": "B", "expr": "up", "format": "table", "instant": true}`
	)
	for _, c := range []struct {
		name, kind, targets, settings string
		answer                        model.Matrix // models unless set
		empty                         bool
		at, says, fix                 string
	}{
		{name: "byName", targets: fixed, settings: override("byName", `"Failure"`)},
		{name: "byName misspelt", targets: fixed, settings: override("byName", `"Failures"`), at: `"Failures"`, says: `an override names "Failures"`, fix: `write "Failure"`},
		{name: "byName of a second series with the name", targets: fixed, settings: override("byName", `"Failure 2"`)},
		{name: "byName of another model", targets: byModel, settings: override("byName", `"in resnet"`)},
		{name: "byName of nothing like the legend", targets: byModel, settings: override("byName", `"out bert"`), at: `"out bert"`, fix: "name a field that is there"},
		{name: "byName of another GPU", targets: byGPU, answer: gpus, settings: override("byName", `"7"`)},
		{name: "byName of what is no GPU", targets: byGPU, answer: gpus, settings: override("byName", `"GPU 0"`), at: `"GPU 0"`},
		{name: "byName without a legend", targets: plain, settings: override("byName", `"whatever"`)},
		{name: "byName without a legend or labels", targets: plain, answer: answered(model.Metric{}), settings: override("byName", `"Total"`), at: `"Total"`, says: "an override"},
		{name: "byName of the expression", targets: plain, answer: answered(model.Metric{}), settings: override("byName", `"up"`)},
		{name: "byName Time and Value", targets: fixed, settings: override("byName", `"Time"`)},
		{name: "byName of a variable", targets: fixed, settings: override("byName", `"$name"`)},
		{name: "byName that changes nothing", targets: fixed, settings: `"fieldConfig": {"overrides": [{"matcher": {"id": "byName", "options": "x"}, "properties": []}]}`},
		{name: "byName in an empty panel", targets: fixed, empty: true, settings: override("byName", `"x"`)},
		{name: "byName of a display name", targets: fixed, settings: `"fieldConfig": {"overrides": [
        {"matcher": {"id": "byName", "options": "Success"}, "properties": [{"id": "displayName", "value": "OK"}]},
        {"matcher": {"id": "byName", "options": "OK"}, "properties": [{"id": "color"}]}]}`},
		{name: "byRegexp", targets: fixed, settings: override("byRegexp", `"/.*ail.*/"`)},
		{name: "byRegexp of nothing", targets: fixed, settings: override("byRegexp", `"/.*Tx.*/"`), at: `"/.*Tx`, says: "an override", fix: "write a pattern"},
		{name: "byRegexp where the data decides", targets: byModel, settings: override("byRegexp", `"/.*Tx.*/"`)},
		{name: "byRegexp that is none", targets: fixed, settings: override("byRegexp", `"/(/"`)},
		{name: "byNames, one of them", targets: fixed, settings: override("byNames", `{"mode": "include", "names": ["x", "Failure"]}`)},
		{name: "byNames, none of them", targets: fixed, settings: override("byNames", `{"mode": "include", "names": ["x", "y"]}`), at: `"x"`},
		{name: "byNames, all but", targets: fixed, settings: override("byNames", `{"mode": "exclude", "names": ["x"]}`)},
		{name: "byFrameRefID", targets: fixed, settings: override("byFrameRefID", `"B"`)},
		{name: "byFrameRefID of no query", targets: fixed, settings: override("byFrameRefID", `"C"`), at: `"C"`, says: "fields of a query", fix: "(A, B)"},
		{name: "byType", targets: fixed, settings: override("byType", `"string"`)},
		{name: "a label of a table", targets: table, kind: "table", settings: override("byName", `"model"`)},
		{name: "no label of a table", targets: table, kind: "table", settings: override("byName", `"Model"`), at: `"Model"`, fix: `write "model"`},
		{name: "the value of one table", targets: table, kind: "table", settings: override("byName", `"Value #A"`), at: `"Value #A"`, fix: `write "Value"`},
		{name: "the value of several", targets: tables, kind: "table", settings: override("byName", `"Value #B"`)},
		{name: "the value of no table", targets: tables, kind: "table", settings: override("byName", `"Value #C"`), at: `"Value #C"`},
		{name: "organize", targets: tables, kind: "table", settings: transformation("organize", `{"excludeByName": {"Time": true, "gone": true}, "indexByName": {"gone": 1}, "renameByName": {"model": "Model", "Value #A": "Requests"}}`)},
		{name: "organize renames what is not there", targets: tables, kind: "table", settings: transformation("organize", `{"renameByName": {"modle": "Model"}}`), at: `"modle"`, says: "the renaming of fields", fix: `write "model"`},
		{name: "organize hides what is almost there", targets: tables, kind: "table", settings: transformation("organize", `{"excludeByName": {"instnace": true}}`), at: `"instnace"`, says: "the hiding of fields"},
		{name: "an override after renaming", targets: tables, kind: "table", settings: transformation("organize", `{"renameByName": {"model": "Model"}}`) + ", " + override("byName", `"Model"`)},
		{name: "an override of the name before", targets: tables, kind: "table", settings: transformation("organize", `{"renameByName": {"model": "Model"}}`) + ", " + override("byName", `"model"`), at: `"model"}, "prop`, says: "an override"},
		{name: "sorting", targets: table, kind: "table", settings: transformation("sortBy", `{"sort": [{"field": "vlaue"}]}`), at: `"vlaue"`, says: "the sorting"},
		{name: "joining", targets: tables, kind: "table", settings: transformation("joinByField", `{"byField": "gpu"}`), at: `"gpu"`, says: "the join by field"},
		{name: "filtering", targets: table, kind: "table", settings: transformation("filterFieldsByName", `{"include": {"names": ["model", "val"]}}`), at: `"val"`, says: "the filter of the fields"},
		{name: "grouping", targets: table, kind: "table", settings: transformation("groupBy", `{"fields": {"modell": {"operation": "groupby", "aggregations": []}, "gone": {}}}`), at: `"modell"`, says: "the grouping"},
		{name: "calculating", targets: fixed, settings: transformation("calculateField", `{"mode": "binary", "alias": "Ratio", "binary": {"left": "Success", "operator": "/", "right": "Failed"}}`), at: `"Failed"`, says: "a calculation"},
		{name: "calculating with a number, and an override of the result", targets: fixed,
			settings: transformation("calculateField", `{"mode": "binary", "alias": "Double", "binary": {"left": "Success", "operator": "*", "right": "2"}}`) + ", " + override("byName", `"Double"`)},
		{name: "after what is not known", targets: table, kind: "table", settings: transformation("reduce", `{}`) + ", " + override("byName", `"x"`)},
		{name: "switched off", targets: table, kind: "table", settings: `"transformations": [{"id": "sortBy", "disabled": true, "options": {"sort": [{"field": "x"}]}}]`},
		{name: "a reducer", targets: fixed, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/^Failure$/"}}`},
		{name: "a reducer of no field", targets: fixed, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/^Failures$/"}}`, at: `"/^Failures`, says: `the choice of fields to show names "Failures"`, fix: `write "Failure"`},
		{name: "a reducer by name", targets: fixed, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "Failure"}}`},
		{name: "a reducer by the name of no field", targets: fixed, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "Failures"}}`, at: `"Failures`, fix: `write "Failure"`},
		{name: "a reducer of a series that is there", targets: byModel, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/^in b/"}}`},
		{name: "a reducer of none that is there", targets: byModel, kind: "gauge", settings: `"options": {"reduceOptions": {"fields": "/resnet/"}}`, at: `"/resnet`, says: `the choice of fields to show names "/resnet/"`},
		{name: "a reducer of one that other data would bring", targets: byModel, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/^in resnet$/"}}`, at: `"/^in resnet`},
		{name: "a reducer of names that are not known", targets: plain, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/resnet/"}}`},
		{name: "a reducer of all", targets: fixed, kind: "stat", settings: `"options": {"reduceOptions": {"fields": "/.*/"}}`},
		{name: "a reducer that is left over", targets: fixed, settings: `"options": {"reduceOptions": {"fields": "/^Failed$/"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.kind == "" {
				c.kind = "timeseries"
			}
			if c.answer == nil {
				c.answer = models
			}
			f := shipped(t).write(boardFile, boardWith("", fmt.Sprintf(`{"id": 1, "type": %q, "title": "a", "targets": [%s], %s}`, c.kind, c.targets, c.settings)))
			in := f.live()
			for _, q := range in.Boards[0].Questions {
				a := &Asked{Question: q, Request: q.Requests[0], Sent: true}
				if !c.empty {
					a.answer(c.answer)
				}
				in.Asked = append(in.Asked, a)
			}
			found := panelFieldUnmatched().Live(in)
			if c.at == "" {
				assert.Empty(t, found)
				return
			}
			f.expect(found, []expected{{at: c.at, says: c.says, fix: c.fix}})
		})
	}
}

// What is computed, hidden or asked elsewhere leaves the names of a result open.
func TestFieldsOfWhatIsNotAsked(t *testing.T) {
	for name, second := range map[string]string{
		"an expression":      `{"refId": "B", "datasource": {"uid": "__expr__"}, "type": "math", "expression": "$A * 2"}`,
		"another datasource": `{"refId": "B", "datasource": {"uid": "-- Grafana --"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", `{"id": 1, "type": "timeseries", "title": "a", "targets": [{"refId": "A", "expr": "up", "legendFormat": "x"}, `+second+`], `+override("byName", `"B"`)+`}`))
			in := f.live()
			f.ask(in, "a").answer(answered(model.Metric{}))
			require.Len(t, in.Boards[0].Questions, 2)
			in.Asked = append(in.Asked, &Asked{Question: in.Boards[0].Questions[1], Status: StatusUnchecked})
			assert.Empty(t, panelFieldUnmatched().Live(in))
		})
	}
}
