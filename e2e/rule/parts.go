package rule

import (
	"runtime"
	"slices"
	"sync"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// Files are the boards by file, in the order of their first ones: what is wrong with a
// file is said once, in however many folders its dashboard ends up.
func Files(boards []*Board) [][]*Board {
	at := map[string]int{}
	var out [][]*Board
	for _, b := range boards {
		i, known := at[b.File]
		if !known {
			i = len(out)
			at[b.File] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], b)
	}
	return out
}

// parts are the static input of each file of dashboards, and last that of the stack's
// own rules.
func (in *Static) parts() []*Static {
	var out []*Static
	for _, boards := range Files(in.Boards) {
		p := *in
		p.Boards, p.parsed, p.aside = boards, &parsed{map[string]tree{}}, true
		out = append(out, &p)
	}
	return append(out, in.ofOwnRules())
}

// ofOwnRules is the input without any dashboard.
func (in *Static) ofOwnRules() *Static {
	out := *in
	out.Boards, out.parsed = nil, &parsed{map[string]tree{}}
	return &out
}

// parts are the input of each file of dashboards with what was asked for it, and last
// that of the stack's own rules.
func (in *Live) parts() []*Live {
	asked, variables := map[*Board][]*Asked{}, map[*Board][]Variable{}
	for _, a := range in.Asked {
		asked[a.Board] = append(asked[a.Board], a)
	}
	for _, v := range in.Variables {
		variables[v.Board] = append(variables[v.Board], v)
	}
	said, elsewhere := in.saidByFile()
	var out []*Live
	for _, static := range in.Static.parts() {
		p := *in
		p.Static, p.Asked, p.Variables, p.Said = static, nil, nil, elsewhere
		if len(static.Boards) > 0 {
			p.Said = slices.Concat(said[static.Boards[0].File], elsewhere)
		}
		for _, b := range static.Boards {
			p.Asked, p.Variables = append(p.Asked, asked[b]...), append(p.Variables, variables[b]...)
		}
		out = append(out, &p)
	}
	return out
}

// saidByFile are the findings of the files alone at each file of dashboards, and those
// elsewhere.
func (in *Live) saidByFile() (byFile map[string][]Finding, elsewhere []Finding) {
	byFile = map[string][]Finding{}
	for _, b := range in.Boards {
		byFile[b.File] = nil
	}
	for _, f := range in.Said {
		if _, ofBoard := byFile[f.Pos.File]; ofBoard {
			byFile[f.Pos.File] = append(byFile[f.Pos.File], f)
		} else {
			elsewhere = append(elsewhere, f)
		}
	}
	return byFile, elsewhere
}

// inParallel has each part judged by one of as many workers as there are processors,
// and gives what was found in the parts' order.
func inParallel[T any](parts []T, judge func(T) []Finding) []Finding {
	found := make([][]Finding, len(parts))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(parts)) {
		workers.Go(func() {
			for i := range next {
				found[i] = judge(parts[i])
			}
		})
	}
	for i := range parts {
		next <- i
	}
	close(next)
	workers.Wait()
	var out []Finding
	for _, f := range found {
		out = append(out, f...)
	}
	return out
}

// parsed remembers the trees of expressions while the rules look at one file: each of
// them takes the same expressions apart. Nobody changes a tree. It is not safe for
// concurrent use, and nil remembers nothing.
type parsed struct{ trees map[string]tree }

type tree struct {
	root promparser.Expr
	err  error
}

func (p *parsed) parse(expr string) (promparser.Expr, error) {
	if p == nil {
		return Parse(expr)
	}
	t, known := p.trees[expr]
	if !known {
		t.root, t.err = Parse(expr)
		p.trees[expr] = t
	}
	return t.root, t.err
}
