package dashboard

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack/source"
)

func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	dir := material.Path(tb, "corpus", "dashboards")
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	require.NoError(tb, err)
	require.NotEmpty(tb, out)
	return out
}

// counts is what a generic walk over the JSON finds, by the names of keys alone.
type counts struct {
	panels, targets, exprs, variables int
}

func (c *counts) add(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			c.add(item)
		}
	case map[string]any:
		for key, member := range v {
			list, _ := member.([]any)
			switch key {
			case "panels", "rows":
				c.panels += len(list)
			case "targets":
				c.targets += len(list)
			case "expr":
				c.exprs++
			case "templating":
				templating, _ := member.(map[string]any)
				list, _ = templating["list"].([]any)
				c.variables += len(list)
			}
			c.add(member)
		}
	}
}

func TestCorpus(t *testing.T) {
	for name, data := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(name, data, source.DefaultLimits())
			require.NoError(t, err)
			assert.Empty(t, d.Problems)
			assert.Equal(t, Classic, d.Format)
			var generic any
			require.NoError(t, json.Unmarshal(data, &generic))
			var want, got counts
			want.add(generic)
			got.panels, got.variables = len(d.Panels), len(d.Variables)
			for _, a := range d.Annotations {
				if a.Node.Get("expr").Exists() || a.Node.Get("target").Get("expr").Exists() {
					got.exprs++
				}
			}
			for _, p := range d.Panels {
				got.targets += len(p.Targets)
				for _, target := range p.Targets {
					if !target.Expr.IsZero() {
						got.exprs++
					}
				}
			}
			assert.Equal(t, want, got)
			assert.NotZero(t, got.exprs)
			assertTextsComplete(t, d, data)
		})
	}
}

// assertTextsComplete checks that every expression with a variable is listed,
// at the place in the file where it stands.
func assertTextsComplete(t *testing.T, d *Dashboard, data []byte) {
	t.Helper()
	lines := strings.Split(string(data), "\n")
	listed := map[*Target]bool{}
	for _, place := range d.Texts() {
		if place.Where == "expr" {
			listed[place.Target] = true
		}
		require.True(t, strings.HasPrefix(lines[place.Text.Pos.Line-1][place.Text.Pos.Column-1:], `"`), place.Text.Pos)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			if !p.Clone {
				assert.Equal(t, strings.Contains(target.Expr.Value, "$"), listed[target], target.Expr.Value)
			}
		}
	}
}

func BenchmarkParseLargest(b *testing.B) {
	var largest []byte
	for _, data := range corpus(b) {
		if len(data) > len(largest) {
			largest = data
		}
	}
	b.SetBytes(int64(len(largest)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("largest.json", largest, source.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTextsLargest(b *testing.B) {
	var largest []byte
	for _, data := range corpus(b) {
		if len(data) > len(largest) {
			largest = data
		}
	}
	d, err := Parse("largest.json", largest, source.DefaultLimits())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		d.Texts()
	}
}
