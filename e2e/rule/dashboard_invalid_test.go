package rule

import "testing"

func TestDashboardInvalid(t *testing.T) {
	checkCases(t, dashboardInvalid(), []ruleCase{
		{name: "no JSON", board: "{\n  \"title\": \"x\",,\n}", want: []expected{{at: ",\n}"}}},
		{name: "an array", board: "[]", want: []expected{{at: "[]", says: "a dashboard is an object"}}},
		{name: "something else", board: "\n{\"name\": \"package\", \"private\": true}",
			want: []expected{{at: `{"name"`, says: "no dashboard", fix: "move the file"}}},
		{name: "a part that cannot be read", board: boardWith("", "\n 5"),
			want: []expected{{at: "5", says: "a number, expected an object"}}},
		{name: "an empty list is fine", board: boardWith("", "")},
		{name: "a v2 export is a dashboard", board: `{"title": "x", "elements": {}, "layout": {}}`},
		{name: "no title is for another rule", board: `{"panels": []}`},
	})
}
