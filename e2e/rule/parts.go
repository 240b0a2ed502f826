package rule

import (
	"runtime"
	"slices"
	"sync"
)

// Files are the boards by file, in the order of their first ones: what is wrong with a
// file is said once, in however many folders its dashboard ends up.
func Files(boards []*Board) [][]*Board {
	return gathered(boards, func(b *Board) string { return b.File })
}

// gathered parts what is alike by a key from the rest, in the order of the first ones.
func gathered[T any, K comparable](all []T, key func(T) K) [][]T {
	at := map[K]int{}
	var out [][]T
	for _, x := range all {
		i, known := at[key(x)]
		if !known {
			i = len(out)
			at[key(x)] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], x)
	}
	return out
}

// parts are the static input of each file of dashboards, and last that of the stack's
// own rules.
func (in *Static) parts() []*Static {
	var out []*Static
	for _, boards := range Files(in.Boards) {
		p := *in
		p.Boards, p.reading, p.aside = boards, newReading(), true
		out = append(out, &p)
	}
	return append(out, in.ofOwnRules())
}

// folding gives what was found in a part, which nobody looks into any more.
func (in *Static) folding(found []Finding) []Finding {
	for _, b := range in.Boards {
		b.Fold()
	}
	return found
}

// ofOwnRules is the input without any dashboard.
func (in *Static) ofOwnRules() *Static {
	out := *in
	out.Boards, out.reading = nil, newReading()
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

// inParallel has each item done by one of as many workers as there are processors, and
// gives what came of them in the items' order.
func inParallel[T, R any](items []T, do func(T) []R) []R {
	results := make([][]R, len(items))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		workers.Go(func() {
			for i := range next {
				results[i] = do(items[i])
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	workers.Wait()
	return slices.Concat(results...)
}
