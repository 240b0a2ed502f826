package rule

import (
	"strings"
	"testing"
)

func TestDashboardUIDTooLong(t *testing.T) {
	with := func(uid string) string { return `{"title": "x", "uid": "` + uid + `", "panels": []}` }
	checkCases(t, dashboardUIDTooLong(), []ruleCase{
		{name: "41 characters", board: with(strings.Repeat("a", 41)), want: []expected{{at: `"aaa`, says: "has 41 characters", fix: strings.Repeat("a", 40)}}},
		{name: "40 characters", board: with(strings.Repeat("a", 40))},
		{name: "a blank", board: with("my board"), want: []expected{{at: ` board"`, says: `holds " "`, fix: `"my-board"`}}},
		{name: "all that is allowed", board: with("aZ09_-")},
		{name: "none at all", board: with("")},
	})
}
