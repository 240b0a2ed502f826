package rule

import (
	"errors"
	"testing"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/dashboard"
)

func TestVariableDefaultMissing(t *testing.T) {
	offered := []dashboard.Option{{Text: "a", Value: "a"}, {Text: "b", Value: "b"}}
	for _, c := range []struct {
		name string
		res  query.Resolution
		want []expected
	}{
		{name: "gone", res: query.Resolution{Options: offered, CurrentMissing: true, Value: query.Value{Values: []string{"a"}}},
			want: []expected{{at: `{"text"`, says: `saved with "old", which is not among its options: Grafana opens the dashboard with "a"`,
				evidence: `on offer: "a", "b"`, fix: "on offer"}}},
		{name: "gone, and All instead", res: query.Resolution{Options: offered, CurrentMissing: true, Value: query.Value{All: true}},
			want: []expected{{says: "opens the dashboard with All"}}},
		{name: "there", res: query.Resolution{Options: offered}},
		{name: "nothing on offer is another rule's", res: query.Resolution{CurrentMissing: true}},
		{name: "so is a failure", res: query.Resolution{CurrentMissing: true, Options: offered, Err: errors.New("refused")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t).write(boardFile, boardWith(`{"name": "v", "type": "query", "query": "label_values(up, job)",
      "multi": true, "current": {"text": ["old", "b"], "value": ["old", "b"]}}`, ""))
			in := f.live()
			c.res.Variable = in.Boards[0].Variable("v")
			in.Variables = []Variable{{Board: in.Boards[0], Resolution: c.res}}
			f.expect(variableDefaultMissing().Live(in), c.want)
		})
	}
}

func TestQuotedListIsCut(t *testing.T) {
	var many []string
	for range 10 {
		many = append(many, "x")
	}
	if got := quotedList(many); got != `"x", "x", "x", "x", "x", "x", "x", "x" and 2 more` {
		t.Error(got)
	}
}
