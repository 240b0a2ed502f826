package rule

import "testing"

func TestDashboardIDSet(t *testing.T) {
	with := func(id string) string { return `{"title": "x", "uid": "u", "id": ` + id + `, "panels": []}` }
	checkCases(t, dashboardIDSet(), []ruleCase{
		{name: "a number", board: with("17"), want: []expected{{at: "17", says: "id 17", fix: `"id": null`}}},
		{name: "a number as text", board: with(`"17"`), want: []expected{{at: `"17"`}}},
		{name: "null", board: with("null")},
		{name: "zero", board: with("0")},
		{name: "empty", board: with(`""`)},
	})
}
