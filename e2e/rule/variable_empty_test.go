package rule

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

func TestVariableEmpty(t *testing.T) {
	used := panelWith(1, "a", `up{job="$v"}`)
	const run = `label_values(up{x="y"}, job)`
	for _, c := range []struct {
		name, panels string
		res          query.Resolution
		want         []expected
	}{
		{name: "nothing found", panels: used, res: query.Resolution{Query: run},
			want: []expected{{at: `"label_values(up, job)"`, says: `variable "v" has no option: ` + run + " finds nothing", evidence: "/a.*/"}}},
		{name: "something found", panels: used, res: query.Resolution{Query: run, Options: []dashboard.Option{{Text: "a", Value: "a"}}}},
		{name: "used by nothing", panels: panelWith(1, "a", "up"), res: query.Resolution{Query: run}},
		{name: "failed", panels: used, res: query.Resolution{Query: run, Err: errors.New("refused")}},
		{name: "not asked", panels: used, res: query.Resolution{Unchecked: "its datasource is of another type"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith(`{"name": "v", "type": "query", "query": "label_values(up, job)", "regex": "/a.*/"}`, c.panels))
			in := f.live()
			c.res.Variable = in.Boards[0].Variable("v")
			in.Variables = []Variable{{Board: in.Boards[0], Resolution: c.res}}
			f.expect(variableEmpty().Live(in), c.want)
		})
	}
}

func TestVariableEmptyWithAnAllValue(t *testing.T) {
	f := shipped(t).write(boardFile, boardWith(`{"name": "v", "type": "query", "query": "label_values(up, job)", "includeAll": true, "allValue": ".*"}`, panelWith(1, "a", `up{job=~"$v"}`)))
	in := f.live()
	v := in.Boards[0].Variable("v")
	in.Variables = []Variable{{Board: in.Boards[0], Resolution: query.Resolution{
		Variable: v, Query: "label_values(up, job)", Value: query.Value{Name: "v", All: true, AllValue: ".*"},
	}}}
	found := variableEmpty().Live(in)
	f.expect(found, []expected{{says: "only All can be chosen"}})
	assert.NotContains(t, found[0].Message, "shows nothing")
}
