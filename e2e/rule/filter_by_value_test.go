package rule

import (
	"fmt"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
)

// condition is one of a filter by value.
func condition(field, id, options string) string {
	return fmt.Sprintf(`{"fieldName": %q, "config": {"id": %q, "options": %s}}`, field, id, options)
}

func filterByValue(kind, match, conditions string) string {
	return transformation("filterByValue", fmt.Sprintf(`{"type": %q, "match": %q, "filters": [%s]}`, kind, match, conditions))
}

func streams(values map[string][]float64) model.Matrix {
	var out model.Matrix
	for _, name := range []string{"bert", "yolo"} {
		s := &model.SampleStream{Metric: model.Metric{"model": model.LabelValue(name)}}
		for i, v := range values[name] {
			s.Values = append(s.Values, model.SamplePair{Timestamp: model.Time(1000 * i), Value: model.SampleValue(v)})
		}
		out = append(out, s)
	}
	return out
}

// A filter by value that leaves nothing empties the panel, whose queries have data.
func TestFilterByValue(t *testing.T) {
	const (
		series = `{"refId": "A", "expr": "up", "legendFormat": "{{model}}"}`
		all    = `{"refId": "A", "expr": "up", "legendFormat": "all"}`
		table  = `{"refId": "A", "expr": "up", "format": "table"}`
	)
	above := func(field string, bound float64) string {
		return condition(field, "greater", fmt.Sprintf(`{"value": %g}`, bound))
	}
	for _, c := range []struct {
		name, targets, settings string
		says, evidence          string // "" where nothing is found
	}{
		{"one row is kept", series, filterByValue("include", "any", above("bert", 2)), "", ""},
		{"none is kept", series, filterByValue("include", "any", above("bert", 3)), "leaves none of the 5 rows", `"bert" is above 3; its values are between 1 and 3`},
		{"a name that other data has", series, filterByValue("include", "any", above("gpt", 0)), "leaves none", `"gpt" is above 0; no field has that name`},
		{"its own name", series, filterByValue("include", "any", above("Value", 9)), "", ""},
		{"the time", series, filterByValue("include", "any", condition("Time", "greater", `{"value": 1}`)), "", ""},
		{"a name of a variable", series, filterByValue("include", "any", above("$model", 9)), "", ""},
		{"a bound of a variable", series, filterByValue("include", "any", condition("bert", "greater", `{"value": "$bound"}`)), "", ""},
		{"any of two", series, filterByValue("include", "any", above("bert", 9)+","+above("yolo", 4)), "", ""},
		{"none of two", series, filterByValue("include", "any", above("bert", 9)+","+above("yolo", 9)), "leaves none", "its values are between 4 and 5"},
		{"both of two, of which no frame has both", series, filterByValue("include", "all", above("bert", 0)+","+above("yolo", 0)), "leaves none", ""},
		{"both of two", all, filterByValue("include", "all", above("all", 1)+","+condition("all", "lower", `{"value": 3}`)), "", ""},
		{"never both", all, filterByValue("include", "all", above("all", 3)+","+condition("all", "lower", `{"value": 3}`)), "leaves none", `"all" is below 3`},
		{"all are removed", all, filterByValue("exclude", "any", above("all", 0)), "leaves none", `the rows are removed whose "all" is above 0; its values`},
		{"all but one are removed", all, filterByValue("exclude", "any", above("all", 1)), "", ""},
		{"without a legend", `{"refId": "A", "expr": "up"}`, filterByValue("include", "any", above("bert", 9)), "", ""},
		{"no condition", series, filterByValue("include", "any", ""), "", ""},
		{"neither in nor out", series, filterByValue("", "any", above("bert", 9)), "", ""},
		{"a table's value", table, filterByValue("include", "any", above("Value", 5)), "leaves none", "between 1 and 5"},
		{"a table's value that is there", table, filterByValue("include", "any", above("Value", 4)), "", ""},
		{"a table's label", table, filterByValue("include", "any", condition("model", "equal", `{"value": "gpt"}`)), "leaves none", `"model" is equal to gpt; its values are bert, yolo`},
		{"a table's label that is there", table, filterByValue("include", "any", condition("model", "equal", `{"value": "bert"}`)), "", ""},
		{"a table's label that is excluded", table, filterByValue("include", "any", condition("model", "notEqual", `{"value": "bert"}`)), "", ""},
		{"a label that is made a number", table, filterByValue("include", "any", condition("model", "equal", `{"value": 1}`)), "", ""},
		{"a pattern", table, filterByValue("include", "any", condition("model", "regex", `{"value": "gpt"}`)), "", ""},
		{"two tables", table + `, {"refId": "B", "expr": "up", "format": "table"}`, filterByValue("include", "any", above("Value #B", 5)), "leaves none of the 10", ""},
		{"two tables, one is kept", table + `, {"refId": "B", "expr": "up", "format": "table"}`, filterByValue("include", "any", above("Value #B", 4)), "", ""},
		{"a hidden query is none", series + `, {"refId": "B", "expr": "up", "legendFormat": "b", "hide": true}`, filterByValue("include", "any", above("b", 0)), "leaves none of the 5", ""},
		{"switched off", series, `"transformations": [{"id": "filterByValue", "disabled": true, "options": {"type": "include", "match": "any", "filters": [` + above("bert", 9) + `]}}]`, "", ""},
		{"of some frames", series, `"transformations": [{"id": "filterByValue", "filter": {"id": "byRefId", "options": "A"}, "options": {"type": "include", "match": "any", "filters": [` + above("bert", 9) + `]}}]`, "", ""},
		{"after what is not followed", series, `"transformations": [{"id": "reduce", "options": {}}, {"id": "filterByValue", "options": {"type": "include", "match": "any", "filters": [` + above("bert", 9) + `]}}]`, "", ""},
		{"before what counts rows", series, `"transformations": [{"id": "filterByValue", "options": {"type": "include", "match": "any", "filters": [` + above("bert", 9) + `]}}, {"id": "reduce", "options": {}}]`, "", ""},
		{"before what makes no rows", series, `"transformations": [{"id": "filterByValue", "options": {"type": "include", "match": "any", "filters": [` + above("bert", 9) + `]}}, {"id": "organize", "options": {}}]`, "leaves none", ""},
		{"between", all, filterByValue("include", "any", condition("all", "between", `{"from": 3, "to": 4}`)), "leaves none", `"all" is between 3 and 4`},
		{"a text as a bound", all, filterByValue("include", "any", condition("all", "lower", `{"value": "1"}`)), "leaves none", "below 1"},
		{"at least", all, filterByValue("include", "any", condition("all", "greaterOrEqual", `{"value": 5}`)), "", ""},
		{"more than there is", all, filterByValue("include", "any", condition("all", "greaterOrEqual", `{"value": 5.5}`)), "leaves none", "5.5 or above"},
		{"at most", all, filterByValue("include", "any", condition("all", "lowerOrEqual", `{"value": 0}`)), "leaves none", "0 or below"},
		{"equal", all, filterByValue("include", "any", condition("all", "equal", `{"value": 2.5}`)), "leaves none", "equal to 2.5"},
		{"other than", all, filterByValue("include", "any", condition("all", "notEqual", `{"value": 2}`)), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith("", fmt.Sprintf(`{"id": 1, "type": "timeseries", "title": "a", "targets": [%s], %s}`, c.targets, c.settings)))
			in := f.live()
			for _, q := range in.Boards[0].Questions {
				a := &Asked{Question: q, Status: StatusSkipped}
				if q.Asks() {
					a.Request, a.Sent = q.Requests[0], true
					a.answer(streams(map[string][]float64{"bert": {1, 2, 3}, "yolo": {4, 5}}))
					a.Samples = 5
				}
				in.Asked = append(in.Asked, a)
			}
			found := panelNoData().Live(in)
			if c.says == "" {
				assert.Empty(t, found)
				return
			}
			f.expect(found, []expected{{at: `{"id": "filterByValue"`, says: c.says, evidence: c.evidence, fix: "change the condition"}})
			assert.Equal(t, "filtered-out", found[0].Reason)

			in.Expectations = []Expectation{expects(ExpectsEmpty, "small", "a", "")}
			assert.Empty(t, panelNoData().Live(in), "declared empty")
			assert.Empty(t, gateExpectationStale().Live(in), "and so it is")
		})
	}
}
