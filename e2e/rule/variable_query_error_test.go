package rule

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/panelgate/panelgate/e2e/query"
)

func queryVariable(name, text string) string {
	return fmt.Sprintf(`
    {"name": %q, "type": "query", "query": %s}`, name, strconv.Quote(text))
}

func TestVariableQueryError(t *testing.T) {
	of := func(text string) string { return boardWith(queryVariable("v", text), "") }
	checkCases(t, variableQueryError(), []ruleCase{
		{name: "a selector that does not parse", board: of(`label_values(up{job=="x"}, job)`),
			want: []expected{{at: `=\"x`, says: `query of variable "v" does not parse`}}},
		{name: "an expression that does not parse", board: of(`query_result(sum(up)` + `))`), want: []expected{{says: "does not parse"}}},
		{name: "a misspelt function", board: of(`label_value(up, job)`),
			want: []expected{{says: `calls "label_value", which is no function of variable queries, nearest: label_values`, fix: "label_values"}}},
		{name: "PromQL alone", board: of(`sum(up)`), want: []expected{{says: `calls "sum"`, fix: "query_result()"}}},
		{name: "a function of another form", board: of(`label_values(up, job, instance)`),
			want: []expected{{at: ", job, instance", says: `unexpected ","`}}},
		{name: "label_values of nothing", board: of(`label_values()`), want: []expected{{says: "none of the forms that label_values has", fix: "label_values(label)"}}},
		{name: "a circle", board: boardWith(queryVariable("a", `label_values(up{x="$b"}, y)`)+","+queryVariable("b", `label_values(up{x="$a"}, y)`), ""),
			want: []expected{{says: `variable "a" cannot be filled`}, {says: `variable "b" cannot be filled`}}},
		{name: "all the forms", board: boardWith(queryVariable("a", "label_names()")+","+queryVariable("b", "label_values(job)")+","+
			queryVariable("c", `metrics(nv_.*)`)+","+queryVariable("d", "query_result(topk(5, sum by (a) (rate(x[$__range]))))")+","+
			queryVariable("e", `up{job="x"}`), "")},
		{name: "what hangs on another variable", board: boardWith(queryVariable("m", "metrics(nv_.*)")+","+queryVariable("v", "label_values($m, job)"), "")},
		{name: "what hangs on one that is not there", board: of(`label_values($gone, job)`)},
		{name: "another kind of datasource", board: boardWith(`{"name": "v", "type": "query", "datasource": {"uid": "-- Grafana --"}, "query": "show tables("}`, "")},
	})
}

func TestVariableQueryErrorLive(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(queryVariable("ok", "label_values(up, job)")+","+
		queryVariable("hangs", `label_values($ok, job)`)+","+queryVariable("broken", "label_values(up{, job)"), ""))
	in := f.live()
	b := in.Boards[0]
	add := func(name, run string, err error, syntax *query.SyntaxError) {
		in.Variables = append(in.Variables, Variable{Board: b, Resolution: query.Resolution{
			Variable: b.Variable(name), Query: run, Err: err, Syntax: syntax}})
	}
	bad := &query.SyntaxError{Offset: 13, Err: errors.New("unexpected comma")}
	add("ok", "label_values(up, job)", errors.New("connection refused"), nil)
	add("hangs", "label_values(, job)", bad, bad)
	add("broken", "label_values(up{, job)", bad, bad)    // said by the static side
	add("ok", "", nil, nil)                              // nothing wrong
	add("ok", "", &query.DatasourceError{Key: "x"}, nil) // datasource/uid-unknown
	f.expect(variableQueryError().Live(in), []expected{
		{at: `"label_values(up, job)`, says: `variable "ok" cannot be filled: connection refused`},
		{at: "$ok", says: "none of the forms that label_values has", evidence: "label_values(, job)"},
	})
}
