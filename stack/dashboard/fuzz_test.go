package dashboard

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/source"
)

// FuzzParse: no input makes Parse or what users call on its result panic, an
// error is a Problem, and all that is reported lies inside the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(checkAny)
}

// checkAny is what holds for any input at all.
func checkAny(t *testing.T, data []byte) {
	d, err := Parse("f.json", data, source.Limits{Bytes: 1 << 16, Depth: 50, Nodes: 10_000})
	if err != nil {
		var problem *source.Problem
		require.True(t, errors.As(err, &problem))
		require.Nil(t, d)
		return
	}
	for _, p := range d.Problems {
		require.Equal(t, "f.json", p.Pos.File, p.Message)
	}
	for _, p := range d.Panels {
		require.NotNil(t, p.Node)
		require.NotEmpty(t, p.Path())
		for _, target := range p.Targets {
			require.NotEmpty(t, target.RefID.Value)
		}
	}
	for _, place := range d.Texts() {
		require.Equal(t, "f.json", place.Text.Pos.File)
		place.Text.PosAt(len(place.Text.Value) / 2)
	}
}

// TestEveryValueReplaced puts a value of each kind in the place of every value
// of every fixture, which a fuzzer of bytes takes long to come upon.
func TestEveryValueReplaced(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var root any
		require.NoError(t, json.Unmarshal(data, &root))
		replaced := 0
		eachValue(root, func(get any, set func(any)) {
			for _, other := range []any{nil, true, 1.5, "$x", []any{nil, "$y"}, map[string]any{"uid": 1}} {
				set(other)
				changed, err := json.Marshal(root)
				require.NoError(t, err)
				checkAny(t, changed)
				replaced++
			}
			set(get)
		})
		require.Greater(t, replaced, 50, file)
	}
}

// eachValue visits every member and element below v.
func eachValue(v any, visit func(get any, set func(any))) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			visit(item, func(other any) { v[i] = other })
			eachValue(item, visit)
		}
	case map[string]any:
		for key, member := range v {
			visit(member, func(other any) { v[key] = other })
			eachValue(member, visit)
		}
	}
}
