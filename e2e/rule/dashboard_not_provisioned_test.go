package rule

import "testing"

func TestDashboardNotProvisioned(t *testing.T) {
	for _, c := range []struct {
		name, board string
		want        []expected
	}{
		{name: "the shipped dashboard"},
		{name: "no title", board: `{"panels": [], "uid": "u"}`, want: []expected{{at: `{"panels"`, says: "has no title", evidence: "title cannot be empty", fix: "a title"}}},
		{name: "a blank title", board: `{"panels": [], "title": " "}`, want: []expected{{at: `" "`}}},
		{name: "a wrapper is another rule's", board: `{"dashboard": {"panels": []}}`},
		{name: "so is a v2 model", board: `{"elements": {}, "layout": {}}`},
		{name: "so is what is no dashboard", board: `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shipped(t)
			if c.board != "" {
				f.write(boardFile, c.board)
			}
			f.expect(dashboardNotProvisioned().Live(f.live()), c.want)
		})
	}
}
