// Package shard splits the dashboards of a stack among several runs, in the same way
// on any machine: by the files alone, whatever the order in which they were read and
// whatever else is chosen.
package shard

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/stack"
)

// Shard is one of several runs that share their work. The zero Shard is a run that has
// all of it.
type Shard struct {
	Number int `json:"number"` // from 1
	Of     int `json:"of"`
}

// mostShards are more than anybody has machines for.
const mostShards = 1000

// Parse reads "1/3", the first of three.
func Parse(text string) (Shard, error) {
	number, of, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(number)
	n, ofErr := strconv.Atoi(of)
	switch {
	case err != nil || ofErr != nil:
		return Shard{}, fmt.Errorf("%q: want I/N, as 1/3 for the first of three runs", text)
	case n < 1 || n > mostShards:
		return Shard{}, fmt.Errorf("%q: want between 1 and %d runs", text, mostShards)
	case i < 1 || i > n:
		return Shard{}, fmt.Errorf("%q: shards are counted from 1, so that of %d runs the last is %d/%d", text, n, n, n)
	}
	return Shard{i, n}, nil
}

// All are the shards of n runs, at most as many as Parse takes.
func All(n int) ([]Shard, error) {
	if n < 1 || n > mostShards {
		return nil, fmt.Errorf("%d: want between 1 and %d runs", n, mostShards)
	}
	var out []Shard
	for i := range n {
		out = append(out, Shard{i + 1, n})
	}
	return out, nil
}

// Whole says whether the run has all of the work.
func (s Shard) Whole() bool { return s.Of == 0 }

// String is the shard as it is written, "" for the whole.
func (s Shard) String() string {
	if s.Whole() {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Of)
}

// Split gives each dashboard of a stack the number of its shard of n, from 1. The most
// expensive go first, each to the shard that has the least to ask so far; of equal ones
// the path decides. What asks is counted as the files have it: a target is one, and a
// dashboard without any counts as one too.
//
// Dashboards that have to be seen together stay together: those of one file, which two
// providers may read, those that have one uid, and those that an entry of panelgate.yml
// names together. Names are what these entries give, uids or titles.
func Split(s *stack.Stack, names []string, n int) map[*stack.Board]int {
	groups := grouped(s, names)
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.cost, a.cost), cmp.Compare(a.path, b.path))
	})
	out := map[*stack.Board]int{}
	load := make([]int, n)
	for _, g := range groups {
		least := slices.Index(load, slices.Min(load))
		load[least] += g.cost
		for _, b := range g.boards {
			out[b] = least + 1
		}
	}
	return out
}

// group are dashboards that stay together.
type group struct {
	boards []*stack.Board
	cost   int    // how many targets they have
	path   string // the first of theirs
}

func grouped(s *stack.Stack, names []string) []*group {
	named := map[string]bool{}
	for _, name := range names {
		named[name] = name != ""
	}
	of := map[string]*group{} // by what holds dashboards together
	var out []*group
	for _, b := range s.Dashboards {
		g := &group{boards: []*stack.Board{b}, cost: cost(b), path: path(s, b)}
		out = append(out, g)
		for _, tie := range ties(b, named) {
			other := of[tie]
			if other != nil && other != g {
				g.take(other)
				out = slices.DeleteFunc(out, func(x *group) bool { return x == other })
				for k, v := range of {
					if v == other {
						of[k] = g
					}
				}
			}
			of[tie] = g
		}
	}
	return out
}

func (g *group) take(other *group) {
	g.boards = append(g.boards, other.boards...)
	g.cost += other.cost
	g.path = min(g.path, other.path)
}

// ties are what a dashboard may have in common with others.
func ties(b *stack.Board, named map[string]bool) []string {
	out := []string{"file " + b.File}
	if b.UID.Value != "" {
		out = append(out, "uid "+b.UID.Value)
	}
	for _, name := range []string{b.UID.Value, b.Title.Value} {
		if named[name] {
			out = append(out, "name "+name)
		}
	}
	return out
}

func cost(b *stack.Board) int {
	targets := 0
	for _, p := range b.Panels {
		targets += len(p.Targets)
	}
	return max(targets, 1)
}

// path is a dashboard's file as seen from the stack's directory: on another machine
// that may be elsewhere.
func path(s *stack.Stack, b *stack.Board) string { return Rel(s, b.File) }

// Rel is a file as seen from the stack's directory, with forward slashes.
func Rel(s *stack.Stack, file string) string {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(s.Dir, file); err == nil {
			file = rel
		}
	}
	return filepath.ToSlash(file)
}
