package rule

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/internal/material"
	"github.com/panelgate/panelgate/stack"
)

// Rules that cannot be sure have to be silent: the dashboards of other projects
// work, so of these rules only what is plainly so in them may be found.
func TestBoardRulesOnOtherProjects(t *testing.T) {
	plain := []string{ // true of the files whatever stack they are in
		"dashboard/uid-missing", "dashboard/id-set", "panel/type-removed", "panel/unchecked", "variable/unused", "promql/rate-window",
	}
	files, err := filepath.Glob(filepath.Join(material.Path(t, "corpus", "dashboards"), "*", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			f := shipped(t).write(boardFile, string(data))
			expectOnly(t, f.static(), plain)
		})
	}
}

func TestBoardRulesOnOtherStacks(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(material.Path(t, "corpus", "stacks"), "*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			s, err := stack.Load(t.Context(), dir)
			require.NoError(t, err)
			expectOnly(t, NewStatic(s, nil, time.Unix(0, 0)), []string{"dashboard/uid-missing", "dashboard/id-set", "panel/type-removed", "panel/unchecked"})
		})
	}
}

func TestBoardRulesOnTheShippedStack(t *testing.T) {
	expectOnly(t, shipped(t).static(), nil)
}

func expectOnly(t *testing.T, in *Static, ids []string) {
	t.Helper()
	for _, r := range boardRules() {
		if r.Static == nil || slices.Contains(ids, r.ID) {
			continue
		}
		for _, f := range r.Static(in) {
			assert.Fail(t, "unexpected finding", "%s at %s: %s (%s)", r.ID, f.Pos, f.Message, f.Expr)
		}
	}
}

// Every rule takes dashboards of any shape in a stack with nothing else in it.
func TestBoardRulesOnPoorStacks(t *testing.T) {
	for name, board := range map[string]string{
		"nothing": ``, "null": `null`, "another object": `{"a": 1}`, "a v2 model": `{"elements": {"a": {}}, "layout": {}}`,
		"a v1 resource": resourceV1, "a wrapper": `{"dashboard": {}}`, "a title": `{"title": "x"}`,
		"panels of nothing": `{"title": "x", "panels": [{}, {"type": "row"}, {"targets": [{}, {"expr": "up[$"}]}, {"libraryPanel": {}}],
      "templating": {"list": [{}, {"type": "query"}, {"name": "a", "type": "query", "query": {}}, {"name": "$a", "type": "custom"}]}, "links": [{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := shipped(t).write(boardFile, board).remove(composeFile).remove(prometheusFile).remove(datasourceFile)
			live := f.live()
			for _, b := range live.Boards {
				for _, v := range b.Variables {
					live.Variables = append(live.Variables, Variable{Board: b, Resolution: query.Resolution{Variable: v, CurrentMissing: true}})
				}
				for _, q := range b.Questions {
					a := &Asked{Question: q, Status: StatusFailed, Err: q.BuildErr}
					if q.Skip != "" {
						a.Status = StatusSkipped
					}
					live.Asked = append(live.Asked, a)
				}
			}
			for _, r := range append(boardRules(), panelNoData()) {
				if r.Static != nil {
					for _, found := range r.Static(live.Static) {
						assert.NotEmpty(t, found.Message, r.ID)
						assert.NotEmpty(t, found.Pos.File, "%s: %s", r.ID, found.Message)
					}
				}
				if r.Live != nil {
					for _, found := range r.Live(live) {
						assert.NotEmpty(t, found.Message, r.ID)
						assert.NotEmpty(t, found.Pos.File, "%s: %s", r.ID, found.Message)
					}
				}
			}
		})
	}
}
