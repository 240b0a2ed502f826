package drawing

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// FuzzOf draws whatever the file of a dashboard says of its looks: each panel is on the grid, none over another, and what is written
// of it can be read again.
func FuzzOf(f *testing.F) {
	for _, seed := range []string{
		`{"panels":[{"id":1,"type":"timeseries","gridPos":{"x":0,"y":0,"w":12,"h":8},"targets":[{"refId":"A","expr":"up","legendFormat":"{{gpu}} x"}]},{"id":2,"type":"stat","gridPos":{"x":6,"y":4,"w":24,"h":4}}]}`,
		`{"panels":[{"id":1,"type":"gauge","gridPos":{"x":1e300,"y":-1,"w":1e300,"h":1e300},"targets":[{"expr":"up"}],"fieldConfig":{"defaults":{"min":1e308,"max":-1,"decimals":1e9,"thresholds":{"mode":"percentage","steps":[{"color":"red","value":null},{"value":80}]},"mappings":[{"type":"value","options":{"1":{"text":"\u001b[2J"}}}]}}}]}`,
		`{"rows":[{"height":1e300,"panels":[{"type":"graph","span":1e300,"targets":[{"expr":"up"}]},{"type":"singlestat","span":0.001,"height":"1e300px"}]},{"height":"250px","showTitle":true,"title":"R","panels":[{"type":"table"}]}]}`,
		`{"panels":[{"type":"row","collapsed":true,"repeat":"a","panels":[{"type":"heatmap","repeat":"b","maxPerRow":1e300,"targets":[{"expr":"up","format":"heatmap"}]}]}],"templating":{"list":[{"name":"a","type":"custom","multi":true,"current":{"value":["1","2"]},"query":"1,2"},{"name":"b","type":"custom","multi":true,"current":{"value":["3","4","5"]},"query":"3,4,5"}]}}`,
		`{"panels":[{"type":"table","targets":[{"expr":"up","format":"table","instant":true}],"transformations":[{"id":"organize","options":{"renameByName":{"a":"b"},"indexByName":{"gpu":1e300}}},{"id":"renameByRegex","options":{"regex":"/(.*)/","renamePattern":"$1$1"}},{"id":"limit","options":{"limitField":-1e300}}]}]}`,
		`{"panels":[{"type":"text","options":{"content":"<script>$a"}},{"type":"piechart","targets":[{"expr":"up"}],"fieldConfig":{"overrides":[{"matcher":{"id":"byRegexp","options":"/(/"},"properties":[{"id":"decimals","value":-1e300}]}]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	answer := model.Matrix{series(labels("gpu", "0", "le", "1"), 1, math.Inf(1), 3), series(labels("gpu", "1", "le", "+Inf"), math.MaxFloat64, -math.MaxFloat64)}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := dashboard.Parse("board.json", data, source.DefaultLimits())
		if err != nil {
			return
		}
		scope, _ := query.StaticScope(d, nil)
		b := &rule.Board{Board: &stack.Board{Dashboard: d}, Scope: scope}
		var answers []model.Value
		for _, p := range b.Panels {
			for range p.Targets {
				answers = append(answers, answer)
			}
		}
		drawn := Of(b, answered(b, answers...))
		laidOut(t, drawn.Panels)
		first, err := json.Marshal(drawn)
		if err != nil {
			t.Fatalf("it cannot be written: %v", err)
		}
		var again Drawing
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s\nis read as\n%s: %v", first, second, err)
		}
	})
}

// laidOut wants every panel within the columns, and none over another of its section.
func laidOut(t *testing.T, panels []Panel) {
	const few = 200 // each with each
	for i, p := range panels {
		g := p.Grid
		if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > columns || g.H > tallest {
			t.Fatalf("panel %d is at %+v", p.ID, g)
		}
		if len(p.Series) > most {
			t.Fatalf("panel %d has %d series", p.ID, len(p.Series))
		}
		for _, o := range panels[:min(i, few)] {
			if p.Kind == Row || o.Kind == Row || o.Section != p.Section {
				continue
			}
			if g.X < o.Grid.X+o.Grid.W && o.Grid.X < g.X+g.W && g.Y < o.Grid.Y+o.Grid.H && o.Grid.Y < g.Y+g.H {
				t.Fatalf("panel %d at %+v lies over panel %d at %+v", p.ID, g, o.ID, o.Grid)
			}
		}
	}
}

// FuzzCell reads cells of tables: what is written of one is read as the same.
func FuzzCell(f *testing.F) {
	for _, seed := range []string{`1`, `null`, `"+Inf"`, `"-Inf"`, `"NaN"`, `"a\u001b"`, `1e400`, `1777896000000`, `0.1234567891`, `-0`, `1e15`, `[1]`, `true`, `""`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again Cell
		if json.Unmarshal(data, &c) != nil {
			return
		}
		first, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s is written as %s: %v", data, first, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s is written as %s, and that as %s: %v", data, first, second, err)
		}
	})
}
