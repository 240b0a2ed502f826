package drawing

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/rule"
)

// at is where a panel is, with its row.
type at struct {
	title   string
	section int
	grid    Grid
}

func places(d *Drawing) []at {
	var out []at
	for _, p := range d.Panels {
		out = append(out, at{p.Title, p.Section, p.Grid})
	}
	return out
}

const twoHosts = `"templating": {"list": [{"name": "host", "type": "custom", "query": "a,b,c", "multi": true, "includeAll": true,
	"current": {"text": ["a", "b", "c"], "value": ["a", "b", "c"]}}]}`

func TestLayout(t *testing.T) {
	for _, tt := range []struct {
		name, board string
		want        []at
	}{
		{
			"a grid", `{"schemaVersion": 39, "panels": [
				{"id": 2, "type": "stat", "title": "right", "gridPos": {"x": 12, "y": 0, "w": 12, "h": 8}},
				{"id": 1, "type": "stat", "title": "left", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 4}},
				{"id": 3, "type": "stat", "title": "below", "gridPos": {"x": 0, "y": 9, "w": 6, "h": 3}}]}`,
			[]at{{"left", 0, Grid{0, 0, 12, 4}}, {"right", 0, Grid{12, 0, 12, 8}}, {"below", 0, Grid{0, 4, 6, 3}}}, // moved up
		},
		{
			"rows, open and collapsed", `{"schemaVersion": 39, "panels": [
				{"id": 1, "type": "stat", "title": "top", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 2}},
				{"id": 2, "type": "row", "title": "open", "gridPos": {"x": 0, "y": 2, "w": 24, "h": 1}},
				{"id": 3, "type": "stat", "title": "in", "gridPos": {"x": 0, "y": 3, "w": 12, "h": 5}},
				{"id": 4, "type": "row", "title": "closed", "collapsed": true, "gridPos": {"x": 0, "y": 8, "w": 24, "h": 1},
					"panels": [{"id": 5, "type": "stat", "title": "hidden", "gridPos": {"x": 6, "y": 40, "w": 6, "h": 5}}]}]}`,
			[]at{{"top", 0, Grid{0, 0, 24, 2}}, {"open", 1, Grid{0, 0, 24, 1}}, {"in", 1, Grid{0, 0, 12, 5}}, {"closed", 2, Grid{0, 0, 24, 1}}, {"hidden", 2, Grid{6, 0, 6, 5}}},
		},
		{
			"repeated beside one another", `{"schemaVersion": 39, ` + twoHosts + `, "panels": [
				{"id": 1, "type": "text", "title": "of $host", "repeat": "host", "repeatDirection": "h", "maxPerRow": 2, "gridPos": {"x": 0, "y": 0, "w": 24, "h": 5}},
				{"id": 2, "type": "text", "title": "below", "gridPos": {"x": 0, "y": 5, "w": 24, "h": 2}}]}`,
			[]at{{"of a", 0, Grid{0, 0, 12, 5}}, {"of b", 0, Grid{12, 0, 12, 5}}, {"of c", 0, Grid{0, 5, 12, 5}}, {"below", 0, Grid{0, 10, 24, 2}}},
		},
		{
			"repeated below one another", `{"schemaVersion": 39, ` + twoHosts + `, "panels": [
				{"id": 1, "type": "text", "title": "of $host", "repeat": "host", "repeatDirection": "v", "gridPos": {"x": 4, "y": 0, "w": 8, "h": 5}}]}`,
			[]at{{"of a", 0, Grid{4, 0, 8, 5}}, {"of b", 0, Grid{4, 5, 8, 5}}, {"of c", 0, Grid{4, 10, 8, 5}}},
		},
		{
			"a repeated row", `{"schemaVersion": 39, ` + twoHosts + `, "panels": [
				{"id": 1, "type": "row", "title": "Host $host", "repeat": "host", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}},
				{"id": 2, "type": "text", "title": "on $host", "gridPos": {"x": 0, "y": 1, "w": 24, "h": 2}}]}`,
			[]at{
				{"Host a", 1, Grid{0, 0, 24, 1}}, {"on a", 1, Grid{0, 0, 24, 2}}, {"Host b", 2, Grid{0, 0, 24, 1}}, {"on b", 2, Grid{0, 0, 24, 2}},
				{"Host c", 3, Grid{0, 0, 24, 1}}, {"on c", 3, Grid{0, 0, 24, 2}},
			},
		},
		{
			"rows of old, without headings", `{"schemaVersion": 14, "rows": [
				{"height": "250px", "panels": [{"id": 1, "type": "graph", "title": "a", "span": 6}, {"id": 2, "type": "graph", "title": "b", "span": 6}, {"id": 3, "type": "graph", "title": "c", "span": 12}]},
				{"height": 100, "panels": [{"id": 4, "type": "graph", "title": "d"}]}]}`,
			[]at{{"a", 0, Grid{0, 0, 12, 7}}, {"b", 0, Grid{12, 0, 12, 7}}, {"c", 0, Grid{0, 7, 24, 7}}, {"d", 0, Grid{0, 14, 8, 3}}},
		},
		{
			"rows of old, with headings", `{"schemaVersion": 14, "rows": [
				{"title": "one", "showTitle": true, "panels": [{"id": 1, "type": "graph", "title": "a", "span": 3}]},
				{"title": "two", "collapse": true, "panels": [{"id": 2, "type": "graph", "title": "b", "span": 4}]}]}`,
			[]at{{"one", 1, Grid{0, 0, 24, 1}}, {"a", 1, Grid{0, 0, 6, 7}}, {"two", 2, Grid{0, 0, 24, 1}}, {"b", 2, Grid{0, 0, 8, 7}}},
		},
		{
			"places beyond the grid", `{"schemaVersion": 39, "panels": [
				{"id": 1, "type": "stat", "title": "a", "gridPos": {"x": 40, "y": -3, "w": 90, "h": 100000}}, {"id": 2, "type": "stat", "title": "b"}]}`,
			[]at{{"a", 0, Grid{0, 0, 24, tallest}}, {"b", 0, Grid{0, tallest, 6, 3}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, places(Of(board(t, tt.board), nil)))
		})
	}
}

// TestLayoutOfNothing draws what has neither panels nor variables.
func TestLayoutOfNothing(t *testing.T) {
	b := board(t, `{"title": "empty"}`)
	b.Scope = nil
	assert.Empty(t, Of(b, []*rule.Asked{}).Panels)
}
