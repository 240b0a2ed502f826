package dashboard

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

func load(t *testing.T, name string) *Dashboard {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	d, err := Parse(name, data, source.DefaultLimits())
	require.NoError(t, err)
	return d
}

func parse(t *testing.T, text string) *Dashboard {
	t.Helper()
	d, err := Parse("d.json", []byte(text), source.DefaultLimits())
	require.NoError(t, err)
	return d
}

// at is the text of a file that begins at pos.
func at(t *testing.T, name string, pos source.Pos) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	require.Equal(t, name, pos.File)
	lines := strings.Split(string(data), "\n")
	require.LessOrEqual(t, pos.Line, len(lines))
	return lines[pos.Line-1][pos.Column-1:]
}

func paths(d *Dashboard) []string {
	var out []string
	for _, p := range d.Panels {
		out = append(out, p.Path())
	}
	return out
}

func TestModern(t *testing.T) {
	d := load(t, "modern.json")
	assert.Empty(t, d.Problems)
	assert.Equal(t, Classic, d.Format)
	assert.Equal(t, "modern-fixture", d.UID.Value)
	assert.True(t, strings.HasPrefix(at(t, "modern.json", d.UID.Pos), `"modern-fixture"`))
	assert.Equal(t, "Modern fixture", d.Title.Value)
	assert.Equal(t, source.Null, d.ID.Kind())
	assert.True(t, d.ID.Exists())
	assert.Equal(t, 41, d.SchemaVersion)
	assert.Equal(t, []string{"now-3h", "now", "utc"}, []string{d.From.Value, d.To.Value, d.Timezone})
	require.Len(t, d.Inputs, 1)
	assert.Equal(t, "DS_MAIN", d.Inputs[0].Name.Value)
	assert.Equal(t, "prometheus", d.Inputs[0].PluginID.Value)

	require.Len(t, d.Annotations, 2)
	assert.True(t, d.Annotations[0].BuiltIn)
	assert.True(t, d.Annotations[1].Enable)
	assert.Equal(t, `changes(boot_seconds{host=~"$host"}[5m]) > 0`, d.Annotations[1].Expr.Value)
}

func TestModernPanels(t *testing.T) {
	d := load(t, "modern.json")
	repeated := `Later in the file's grid: "$host"`
	assert.Equal(t, []string{
		"Zone $zone", "Zone $zone › Notes", "Zone $zone › " + repeated,
		"Shut", "Shut › Inside", "Shut › stat #6", "After the shut row",
	}, paths(d))
	row, notes, p := d.Panels[0], d.Panels[1], d.Panels[2]
	assert.True(t, row.IsRow())
	assert.False(t, row.Collapsed)
	assert.Equal(t, "zone", row.Repeat.Value)
	assert.Same(t, row, notes.Row)
	assert.Equal(t, "2", notes.ID.Value)
	assert.Empty(t, notes.Targets)

	assert.Same(t, row, p.Row)
	assert.Equal(t, "3", p.ID.Value)
	assert.Equal(t, "$pace", p.Interval.Value)
	assert.EqualValues(t, 250, p.MaxDataPoints)
	assert.True(t, p.HideTimeOverride)
	assert.Equal(t, []string{"2h", "1d", "host", "bytes"},
		[]string{p.TimeFrom.Value, p.TimeShift.Value, p.Repeat.Value, p.Unit.Value})
	assert.Equal(t, "${source}", p.Datasource.UID.Value)

	shut := d.Panels[3]
	assert.True(t, shut.Collapsed)
	assert.EqualValues(t, 100, d.Panels[4].MaxDataPoints)
	assert.Equal(t, RefMixed, d.Panels[4].Datasource.UID.Value)
	assert.Equal(t, RefDashboard, d.Panels[5].Datasource.UID.Value)
	assert.Nil(t, d.Panels[6].Row, "what follows a collapsed row is outside it")
}

func TestModernTargets(t *testing.T) {
	targets := load(t, "modern.json").Panels[2].Targets
	require.Len(t, targets, 4)
	a, c, math, last := targets[0], targets[1], targets[2], targets[3]
	assert.Equal(t, `sum by (host) (rate(sent_bytes_total{host=~"$host"}[$__rate_interval]))`, a.Expr.Value)
	offset := strings.Index(a.Expr.Value, "[$__rate")
	assert.True(t, strings.HasPrefix(at(t, "modern.json", a.Expr.PosAt(offset)), "[$__rate"),
		"an offset into the expression leads back to the file, through its escaped quotes")
	assert.True(t, a.Range)
	assert.False(t, a.Instant)
	assert.Nil(t, a.Datasource)
	assert.Equal(t, "time_series", a.Format)
	assert.Equal(t, "{{host}} in $zone", a.LegendFormat.Value)

	assert.Equal(t, "C", c.RefID.Value, "the first letter that no other target has")
	assert.True(t, c.Hide)
	assert.True(t, c.Instant)
	assert.Equal(t, "table", c.Format)
	assert.Equal(t, "other", c.Datasource.UID.Value)

	assert.True(t, math.IsExpression())
	assert.False(t, a.IsExpression())
	assert.Equal(t, "math", math.ExpressionType)
	assert.Equal(t, "$A / 2", math.Expression.Value)
	assert.Empty(t, math.Expr.Value)

	assert.True(t, last.Range && last.Instant && last.Exemplar)
	assert.Equal(t, "30s", last.Interval.Value)
	assert.EqualValues(t, 2, last.IntervalFactor)
}

func TestLegacyRows(t *testing.T) {
	d := load(t, "legacy_rows.json")
	assert.Empty(t, d.Problems)
	assert.Equal(t, "12", d.ID.Scalar())
	assert.Equal(t, []string{"Load", "Load › CPU", "Load › Up", "For $disk", "For $disk › IO", "For $disk", "For $disk › IO"}, paths(d))
	cpu, up, row := d.Panels[1], d.Panels[2], d.Panels[3]
	assert.Equal(t, "percent", cpu.Unit.Value, "a graph looks at its axes")
	assert.Equal(t, "none", up.Unit.Value)
	assert.Equal(t, "Prom", cpu.Datasource.Name.Value)
	assert.True(t, up.Datasource.Null)
	assert.True(t, up.Datasource.IsDefault())
	assert.Equal(t, []string{"B", "A"}, []string{cpu.Targets[0].RefID.Value, cpu.Targets[1].RefID.Value})
	assert.EqualValues(t, 2, cpu.Targets[0].IntervalFactor)
	assert.True(t, row.Collapsed && row.IsRow())
	assert.Equal(t, "disk", row.Repeat.Value)
	assert.False(t, row.Clone)
	assert.False(t, d.Panels[4].Clone)
	assert.True(t, d.Panels[5].Clone && d.Panels[6].Clone)
	assert.Equal(t, "ALERTS", d.Annotations[0].Expr.Value)
	assert.False(t, d.Annotations[0].Enable)

	disk := d.Variable("disk")
	require.NotNil(t, disk)
	assert.Equal(t, 1, disk.Refresh)
	assert.True(t, disk.IsAll())
	assert.Nil(t, d.Variable("nobody"))
}

func TestRowsAfterTheirTime(t *testing.T) {
	d := parse(t, `{"title":"t","schemaVersion":30,"rows":[{"panels":[{"title":"a"}]}]}`)
	require.Len(t, d.Panels, 2)
	require.Len(t, d.Problems, 1)
	assert.Contains(t, d.Problems[0].Error(), "d.json:1:40: Grafana ignores rows since schemaVersion 16")
	assert.Empty(t, parse(t, `{"title":"t","schemaVersion":30,"rows":[],"panels":[]}`).Problems)
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		want Format
		uid  string
	}{
		"title alone":           {`{"title":"t"}`, Classic, ""},
		"panels":                {`{"panels":[],"uid":"u"}`, Classic, "u"},
		"wrapper":               {`{"dashboard":{"uid":"in"},"overwrite":true}`, APIWrapper, "in"},
		"wrapper with v2":       {`{"dashboard":{"elements":{},"layout":{}}}`, V2, ""},
		"panels beat a wrapper": {`{"dashboard":{"uid":"in"},"panels":[],"uid":"out"}`, Classic, "out"},
		"resource": {
			`{"apiVersion":"dashboard.grafana.app/v0alpha1","kind":"Dashboard","metadata":{"name":"m"},"spec":{"uid":"own","title":"t"}}`,
			ResourceV1, "own",
		},
		"resource v2 without elements": {
			`{"apiVersion":"dashboard.grafana.app/v2","kind":"Dashboard","metadata":{"name":"m"},"spec":{"title":"t"}}`, V2, "m",
		},
		"another project's resource": {`{"apiVersion":"x.dev/v1","kind":"Dashboard","spec":{"title":"t"}}`, NotADashboard, ""},
		"another resource":           {`{"apiVersion":"v1","kind":"ConfigMap","spec":{}}`, NotADashboard, ""},
		"empty":                      {`{}`, NotADashboard, ""},
		"a package":                  {`{"name":"p","version":"1"}`, NotADashboard, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := parse(t, c.json)
			assert.Equal(t, c.want, d.Format)
			assert.Equal(t, c.uid, d.UID.Value)
			assert.Empty(t, d.Problems)
		})
	}
}

func TestWrapperAndResource(t *testing.T) {
	for file, want := range map[string]Format{"wrapper.json": APIWrapper, "resource_v1.json": ResourceV1} {
		d := load(t, file)
		assert.Equal(t, want, d.Format, file)
		require.Len(t, d.Panels, 1, file)
		assert.Equal(t, "up", d.Panels[0].Targets[0].Expr.Value, file)
	}
	assert.Equal(t, "wrapped", load(t, "wrapper.json").UID.Value)
	assert.Equal(t, "from-metadata", load(t, "resource_v1.json").UID.Value)
}

func TestLibraryPanels(t *testing.T) {
	d := load(t, "library.json")
	assert.Empty(t, d.Problems)
	assert.Equal(t, []string{"Model A", "Own title", "Elsewhere", "Inline", "Model A"}, paths(d))
	type state struct {
		id, kind, repeat string
		resolved         bool
		targets          int
	}
	var got []state
	for _, p := range d.Panels {
		got = append(got, state{p.ID.Value, p.Type.Value, p.Repeat.Value, p.Library.Resolved, len(p.Targets)})
	}
	assert.Equal(t, []state{
		{"1", "gauge", "", true, 1}, {"2", "stat", "x", true, 1}, {"3", "", "", false, 0},
		{"4", "stat", "", true, 1}, {"5", "gauge", "", true, 1},
	}, got)
	assert.True(t, strings.HasPrefix(at(t, "library.json", d.Panels[0].Pos), `{"id": 1,`))
	array := parse(t, `{"title":"t","__elements":[{"uid":"u","model":{"type":"stat"}}],"panels":[{"libraryPanel":{"uid":"u"}}]}`)
	assert.True(t, array.Panels[0].Library.Resolved)
}

// What Grafana saves besides the reference is no model: only a target counts.
func TestLibraryPanelWithoutModel(t *testing.T) {
	for targets, resolved := range map[string]bool{`[]`: false, `[null]`: false, `null`: false, `{}`: false, `[{"expr":"up"}]`: true} {
		d := parse(t, `{"title":"t","panels":[{"type":"stat","libraryPanel":{"uid":"u","name":"n"},"targets":`+targets+`}]}`)
		assert.Equal(t, resolved, d.Panels[0].Library.Resolved, targets)
	}
}

func TestBrokenTypes(t *testing.T) {
	d := load(t, "broken_types.json")
	var got []string
	for _, p := range d.Problems {
		require.Equal(t, "broken_types.json", p.Pos.File)
		require.NotZero(t, p.Pos.Line)
		got = append(got, p.Message)
	}
	for _, want := range []string{
		"the dashboard's uid is a number, expected a string",
		"the dashboard's title is an object, expected a string",
		"schemaVersion is no number that can be used",
		"time is a string, expected an object",
		"__inputs is an object, expected an array",
		"__elements is a number, expected an object",
		"variable 1 of templating.list is null, expected an object",
		"a variable's name is an array, expected a string",
		"a variable's query is an array, expected a string",
		"a variable's current is a number, expected an object",
		"a variable's options is a string, expected an array",
		"a variable's datasource is a number, expected a name or an object with a uid",
		"annotations.list is a string, expected an array",
		"panel 1 of panels is a string, expected an object",
		"a panel's id is an object, expected a string",
		"a panel's title is a number, expected a string",
		"a panel's targets is a number, expected an array",
		"a panel's maxDataPoints is no number that can be used",
		`target 1 of panel "Half" is null, expected an object`,
		`target 2 of panel "Half" is a number, expected an object`,
		"a target's expr is a number, expected a string",
		"a target's hide is a string, expected a boolean",
		"a panel's libraryPanel is a string, expected an object",
		"the panels of a row is an object, expected an array",
		"row 1 of rows is a number, expected an object",
	} {
		assert.Contains(t, got, want)
	}
	assert.Equal(t, "7", d.UID.Value, "what can be read is taken")
	require.Len(t, d.Panels, 3)
	assert.Equal(t, "5", d.Panels[0].Title.Value)
	half := d.Panels[1]
	require.Len(t, half.Targets, 2)
	assert.Equal(t, []string{"A", "B"}, []string{half.Targets[0].RefID.Value, half.Targets[1].RefID.Value})
	require.NotNil(t, d.Variable("good"))
	assert.Equal(t, []Option{{"a", "a"}}, d.Variable("good").Options)
}

func TestNotReadable(t *testing.T) {
	small := source.Limits{Bytes: 40, Depth: 3, Nodes: 1000}
	for name, c := range map[string]struct{ json, want string }{
		"broken":     {"{\"title\": \n  ]}", "d.json:2:3: not valid JSON"},
		"no object":  {" [1]", "d.json:1:2: the file holds an array, a dashboard is an object"},
		"empty":      {"", "the file is empty"},
		"not UTF-8":  {"{\"title\":\"\xff\"}", "not valid JSON"},
		"too big":    {`{"title":"` + strings.Repeat("x", 40) + `"}`, "the limit is 40"},
		"too deep":   {`{"panels":[[[[1]]]]}`, "nested deeper than 3"},
		"cut in two": {`{"title":"x"`, "d.json:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse("d.json", []byte(c.json), small)
			assert.Nil(t, d)
			var p *source.Problem
			require.True(t, errors.As(err, &p))
			assert.Contains(t, p.Error(), c.want)
		})
	}
}

func TestRepeatClones(t *testing.T) {
	for panel, want := range map[string]bool{
		`{"repeat":"v"}`:                                         false,
		`{"repeat":"v","repeatIteration":1}`:                     false,
		`{"repeat":null,"repeatPanelId":2}`:                      true,
		`{"repeat":"v","repeatPanelId":2,"repeatedByRow":true}`:  true,
		`{"repeat":"v","repeatPanelId":2,"repeatedByRow":false}`: false,
	} {
		assert.Equal(t, want, parse(t, `{"panels":[`+panel+`]}`).Panels[0].Clone, panel)
	}
}
