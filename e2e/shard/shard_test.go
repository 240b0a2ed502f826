package shard

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

func TestParse(t *testing.T) {
	s, err := Parse("2/3")
	require.NoError(t, err)
	assert.Equal(t, Shard{2, 3}, s)
	assert.Equal(t, "2/3", s.String())
	assert.True(t, Shard{}.Whole())
	assert.Empty(t, Shard{}.String())
	for text, want := range map[string]string{
		"": "want I/N", "1": "want I/N", "1/x": "want I/N", "1/2/3": "want I/N", "1/0": "want between 1 and 1000 runs",
		"0/3": "counted from 1", "4/3": "the last is 3/3", "1/1001": "want between 1 and 1000 runs",
	} {
		_, err := Parse(text)
		assert.ErrorContains(t, err, want, text)
	}
	_, err = All(0)
	assert.ErrorContains(t, err, "between 1 and 1000")
	all, err := All(2)
	require.NoError(t, err)
	assert.Equal(t, []Shard{{1, 2}, {2, 2}}, all)
}

// board is a dashboard with so many targets in two panels.
func board(file, uid, title string, targets int) *stack.Board {
	d := &dashboard.Dashboard{File: file, UID: source.Text{Value: uid}, Title: source.Text{Value: title}}
	d.Panels = []*dashboard.Panel{{Targets: make([]*dashboard.Target, targets/2)}, {Targets: make([]*dashboard.Target, targets-targets/2)}}
	return &stack.Board{Dashboard: d}
}

// dealt are the files of each shard, with their targets.
func dealt(s *stack.Stack, names []string, n int) (files map[string]int, load []int) {
	files, load = map[string]int{}, make([]int, n)
	for b, i := range Split(s, names, n) {
		files[path(s, b)] = i
		load[i-1] += cost(b)
	}
	return files, load
}

func TestSplitIsTheSameOnAnyMachine(t *testing.T) {
	here := &stack.Stack{Dir: "/here/stack"}
	for i := range 200 {
		here.Dashboards = append(here.Dashboards, board(fmt.Sprintf("boards/%03d.json", i), fmt.Sprintf("u%d", i), "", (i*i)%37))
	}
	here.Dashboards = append(here.Dashboards, board("/here/shared/x.json", "x", "", 5))
	files, load := dealt(here, nil, 7)
	assert.Len(t, files, 201, "every dashboard is in one shard")
	for _, n := range load {
		assert.InDelta(t, load[0], n, 37, "and each has about as much to ask: %v", load)
	}

	there := &stack.Stack{Dir: "/else/where"}
	for _, i := range rand.Perm(200) {
		there.Dashboards = append(there.Dashboards, here.Dashboards[i])
	}
	there.Dashboards = append(there.Dashboards, board("/else/shared/x.json", "x", "", 5))
	again, _ := dealt(there, nil, 7)
	assert.Equal(t, files, again, "in whatever order, and wherever it lies")
}

func TestSplitTakesTheLargestFirst(t *testing.T) {
	s := &stack.Stack{Dashboards: []*stack.Board{
		board("a", "", "", 1), board("b", "", "", 5), board("c", "", "", 4), board("d", "", "", 4), board("e", "", "", 0),
	}}
	files, load := dealt(s, nil, 2)
	assert.Equal(t, map[string]int{"b": 1, "c": 2, "d": 2, "a": 1, "e": 1}, files)
	assert.Equal(t, []int{7, 8}, load)
	files, _ = dealt(s, nil, 9)
	assert.Equal(t, map[string]int{"b": 1, "c": 2, "d": 3, "a": 4, "e": 5}, files, "and four have nothing")
}

func TestSplitKeepsTogetherWhatHasToBeSeenTogether(t *testing.T) {
	s := &stack.Stack{Dashboards: []*stack.Board{
		board("a", "one", "", 9), board("b", "other", "", 8), board("c", "one", "", 7),
		board("d", "", "Title", 6), board("e", "", "Title", 5), board("f", "", "", 4), board("f", "", "", 4),
		board("g", "bridge", "Title", 3), board("h", "", "bridge", 2),
	}}
	files, _ := dealt(s, nil, 9)
	assert.Equal(t, files["a"], files["c"], "one uid")
	assert.NotEqual(t, files["a"], files["b"])
	assert.NotEqual(t, files["d"], files["e"], "a title alone ties nothing")
	assert.Len(t, Split(s, nil, 9), 9)

	files, _ = dealt(s, []string{"Title", "bridge", ""}, 9)
	for _, file := range []string{"e", "g", "h"} {
		assert.Equal(t, files["d"], files[file], "an expectation names %s too", file)
	}
	assert.NotEqual(t, files["a"], files["b"])
}

func TestFingerprint(t *testing.T) {
	at := func(files map[string]string) string {
		s := &stack.Stack{Dir: filepath.Join(t.TempDir(), "stack")}
		require.NoError(t, os.Mkdir(s.Dir, 0o755))
		var names []string
		for name, text := range files {
			names = append(names, filepath.Join(s.Dir, name))
			if text != "" {
				require.NoError(t, os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o644))
			}
		}
		sum, err := Fingerprint(s, append(names, "", names[0]))
		require.NoError(t, err)
		return sum
	}
	one := at(map[string]string{"a": "x", "../b": "y"})
	assert.Equal(t, one, at(map[string]string{"../b": "y", "a": "x"}), "wherever it lies")
	for name, other := range map[string]map[string]string{
		"content": {"a": "x", "../b": "z"}, "name": {"a": "x", "b": "y"}, "gone": {"a": "x", "../b": ""}, "more": {"a": "x", "../b": "y", "c": "z"},
		"shifted": {"a": "xy", "../b": "y"},
	} {
		assert.NotEqual(t, one, at(other), name)
	}
}
