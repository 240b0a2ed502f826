package rule

import "testing"

func TestPanelIDDuplicate(t *testing.T) {
	checkCases(t, panelIDDuplicate(), []ruleCase{
		{name: "twice", board: boardWith("", panelWith(7, "a", "up")+","+panelWith(7, "b", "up")),
			want: []expected{{at: `7, "type": "timeseries", "title": "b"`, says: `panels "a" and "b" share the id 7`, evidence: boardFile + ":8:", fix: `give "b" the id 8`}}},
		{name: "three times", board: boardWith("", panelWith(1, "a", "up")+","+panelWith(1, "b", "up")+","+panelWith(1, "c", "up")),
			want: []expected{{says: `"a" and "b"`, fix: "the id 2"}, {says: `"a" and "c"`, fix: "the id 3"}}},
		{name: "inside of a row", board: boardWith("", panelWith(3, "a", "up")+`, {"id": 9, "type": "row", "title": "Host", "collapsed": true, "panels": [`+panelWith(3, "b", "up")+`]}`),
			want: []expected{{says: `"Host › b"`, fix: "the id 10"}}},
		{name: "a row and a panel", board: boardWith("", `{"id": 3, "type": "row", "panels": []},`+panelWith(3, "b", "up")), want: []expected{{at: "3, "}}},
		{name: "no ids", board: boardWith("", `{"type": "text"}, {"type": "text"}`)},
		{name: "saved copies of a repeated panel", board: boardWith("", panelWith(3, "a", "up")+`, {"id": 3, "type": "text", "repeatPanelId": 3}`)},
	})
}
