package query

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/dashboard"
)

func TestResolveDatasource(t *testing.T) {
	scope := NewScope(
		Value{Name: "ds", Values: []string{"backup"}},
		Value{Name: "default", Values: []string{"default"}},
		Value{Name: "many", Multi: true, Values: []string{"logs", "main"}},
		Value{Name: "mixed", Values: []string{"-- Mixed --"}},
	)
	tests := []struct {
		name     string
		ref      *dashboard.Ref
		uid      string
		special  string
		key, run string // of the error
	}{
		{name: "none", uid: "main"},
		{name: "null", ref: &dashboard.Ref{Null: true}, uid: "main"},
		{name: "uid", ref: &dashboard.Ref{UID: text("backup"), Type: text("prometheus")}, uid: "backup"},
		{name: "name", ref: &dashboard.Ref{Name: text("Backup")}, uid: "backup"},
		{name: "uid in the place of a name", ref: &dashboard.Ref{Name: text("logs")}, uid: "logs"},
		{name: "default", ref: &dashboard.Ref{Name: text("default")}, uid: "main"},
		{name: "variable", ref: &dashboard.Ref{UID: text("${ds}")}, uid: "backup"},
		{name: "bare variable", ref: &dashboard.Ref{Name: text("$ds")}, uid: "backup"},
		{name: "variable that says default", ref: &dashboard.Ref{Name: text("$default")}, uid: "main"},
		{name: "first of several", ref: &dashboard.Ref{UID: text("$many")}, uid: "logs"},
		{name: "mixed", ref: &dashboard.Ref{Name: text("-- Mixed --")}, special: SpecialMixed},
		{name: "grafana", ref: &dashboard.Ref{UID: text("-- Grafana --")}, special: SpecialGrafana},
		{name: "grafana's uid", ref: &dashboard.Ref{UID: text("grafana")}, special: SpecialGrafana},
		{name: "dashboard", ref: &dashboard.Ref{UID: text("-- Dashboard --")}, special: SpecialDashboard},
		{name: "expression", ref: &dashboard.Ref{UID: text("__expr__")}, special: SpecialExpr},
		{name: "through a variable", ref: &dashboard.Ref{UID: text("$mixed")}, special: SpecialMixed},
		{name: "unknown", ref: &dashboard.Ref{UID: text("nope")}, key: "nope", run: "nope"},
		{name: "left from an export", ref: &dashboard.Ref{UID: text("${DS_PROMETHEUS}")}, key: "${DS_PROMETHEUS}", run: "${DS_PROMETHEUS}"},
		{name: "case counts", ref: &dashboard.Ref{Name: text("main ")}, key: "main ", run: "main "},
		{name: "prefix and variable", ref: &dashboard.Ref{UID: text("x-$ds")}, key: "x-$ds", run: "x-backup"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ds, special, err := ResolveDatasource(tt.ref, scope, sources())
			if tt.key != "" {
				var unknown *DatasourceError
				require.ErrorAs(t, err, &unknown)
				assert.Equal(t, DatasourceError{Key: tt.key, Resolved: tt.run}, *unknown)
				assert.Contains(t, err.Error(), tt.run)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.special, special)
			if tt.uid == "" {
				assert.Nil(t, ds)
			} else {
				assert.Equal(t, tt.uid, ds.EffectiveUID)
			}
		})
	}
}

func TestNoDefaultDatasource(t *testing.T) {
	_, _, err := ResolveDatasource(nil, NewScope(), sources()[1:])
	assert.EqualError(t, err, "there is no default datasource")
}

func TestTargetDatasource(t *testing.T) {
	ref := func(uid string) *dashboard.Ref { return &dashboard.Ref{UID: text(uid)} }
	tests := []struct {
		name          string
		panel, target *dashboard.Ref
		uid           string
	}{
		{"the target's", ref("main"), ref("backup"), "backup"},
		{"the panel's", ref("backup"), nil, "backup"},
		{"the panel's for an empty one", ref("backup"), &dashboard.Ref{Null: true}, "backup"},
		{"the default", nil, nil, "main"},
		{"of a mixed panel", ref("-- Mixed --"), ref("backup"), "backup"},
		{"of a mixed panel, unnamed", ref("-- Mixed --"), nil, "main"},
	}
	for _, tt := range tests {
		ds, special, err := TargetDatasource(&dashboard.Panel{Datasource: tt.panel}, &dashboard.Target{Datasource: tt.target}, NewScope(), sources())
		require.NoError(t, err, tt.name)
		assert.Empty(t, special)
		assert.Equal(t, tt.uid, ds.EffectiveUID, tt.name)
	}
}

func TestRepeats(t *testing.T) {
	d := parse(t, `{"name": "m", "type": "custom", "query": "a.1,b"}, {"name": "n", "type": "custom", "query": "1,2,3"}, {"name": "none", "type": "custom", "query": ""}`)
	scope := NewScope(
		Value{Name: "m", Multi: true, Values: []string{"a.1", "b"}, Texts: []string{"A", "B"}},
		Value{Name: "n", Multi: true, IncludeAll: true, All: true, AllValue: ".*", Options: options("1", "2", allOption, "3")},
		Value{Name: "none", Multi: true},
	)
	row := &dashboard.Panel{Type: text("row"), Repeat: text("m")}
	tests := []struct {
		name  string
		panel dashboard.Panel
		want  []string
	}{
		{"not repeated", dashboard.Panel{}, []string{`(a\\.1|b) .*`}},
		{"own variable", dashboard.Panel{Repeat: text("m")}, []string{`a\\.1 .*`, `b .*`}},
		{"All is every option", dashboard.Panel{Repeat: text("n")}, []string{`(a\\.1|b) 1`, `(a\\.1|b) 2`, `(a\\.1|b) 3`}},
		{"row and panel", dashboard.Panel{Repeat: text("n"), Row: row}, []string{`a\\.1 1`, `a\\.1 2`, `a\\.1 3`, `b 1`, `b 2`, `b 3`}},
		{"row and panel by one variable", dashboard.Panel{Repeat: text("m"), Row: row}, []string{`a\\.1 .*`, `b .*`}},
		{"no values", dashboard.Panel{Repeat: text("none")}, []string{`(a\\.1|b) .*`}},
		{"unknown variable", dashboard.Panel{Repeat: text("x")}, []string{`(a\\.1|b) .*`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			scopes, err := Repeats(d, &tt.panel, scope)
			require.NoError(t, err)
			for _, s := range scopes {
				out, err := s.Interpolate("$m $n", PromQL)
				require.NoError(t, err)
				got = append(got, out)
			}
			assert.Equal(t, tt.want, got)
		})
	}
	scopes, err := Repeats(d, &dashboard.Panel{Repeat: text("m")}, scope)
	require.NoError(t, err)
	out, err := scopes[0].Interpolate("${m:text}", Plain)
	require.NoError(t, err)
	assert.Equal(t, "A", out)
}

// A row and a panel in it that repeat make the product of both, which is refused before
// it is made.
func TestRepeatsAreBounded(t *testing.T) {
	var values []string
	for i := range 40 {
		values = append(values, strconv.Itoa(i))
	}
	scope := NewScope(Value{Name: "a", Values: values, Multi: true}, Value{Name: "b", Values: values[:25], Multi: true}, Value{Name: "c", Values: values[:26], Multi: true})
	d := &dashboard.Dashboard{Variables: []*dashboard.Variable{{Name: text("a")}, {Name: text("b")}, {Name: text("c")}}}
	row := &dashboard.Panel{Repeat: text("a")}
	scopes, err := Repeats(d, &dashboard.Panel{Row: row, Repeat: text("b")}, scope)
	require.NoError(t, err)
	assert.Len(t, scopes, mostCopies)
	_, err = Repeats(d, &dashboard.Panel{Row: row, Repeat: text("c")}, scope)
	assert.EqualError(t, err, "the panel is repeated for $c, which makes 1040 copies of it: the limit is 1000")
}
