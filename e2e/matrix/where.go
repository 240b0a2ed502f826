package matrix

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// seen is a cell that could tell whether a thing is broken in it.
type seen struct {
	cell   Cell
	broken bool
}

const everywhere = "everywhere"

// where says in few words in which cells a thing is broken, and how many cells could
// not tell. It claims no more than what was run: every cell that its words are about
// is broken, and every other one that could tell is fine.
func (p *Plan) where(results []Result, broken []int) (words string, untold int) {
	var told []seen
	for i, r := range results {
		switch isBroken := slices.Contains(broken, i); {
		case isBroken:
			told = append(told, seen{r.Cell, true})
		case r.Outcome.Verdict == Error || r.Outcome.Blind:
			untold++
		default:
			told = append(told, seen{r.Cell, false})
		}
	}
	if words, ok := p.together(told); ok {
		if words == everywhere && len(results) < p.Combinations() {
			words = "in every cell that was run"
		}
		return words, untold
	}
	if len(told) == p.Combinations() {
		if words, ok := p.either(told); ok {
			return words, untold
		}
	}
	return listed(told), untold
}

// together describes what is broken where certain values of some axes meet: the
// smallest such set that holds every broken cell, if it holds no other.
func (p *Plan) together(told []seen) (string, bool) {
	bad := make([][]int, len(p.Axes))
	for axis := range p.Axes {
		bad[axis] = p.values(axis, told, func(s seen) bool { return s.broken })
	}
	for _, s := range told {
		inside := true
		for axis := range p.Axes {
			inside = inside && slices.Contains(bad[axis], s.cell.At(axis))
		}
		if inside != s.broken {
			return "", false
		}
	}
	var parts []string
	for axis := range p.Axes {
		if all := p.values(axis, told, func(seen) bool { return true }); len(bad[axis]) < len(all) {
			parts = append(parts, p.phrase(axis, bad[axis], all))
		}
	}
	if len(parts) == 0 {
		return everywhere, true
	}
	return strings.Join(parts, ", "), true
}

// either describes what is broken with some value of one axis or of another, as two
// faults that look the same are.
func (p *Plan) either(told []seen) (string, bool) {
	var parts []string
	explained := map[string]bool{}
	for axis := range p.Axes {
		all := p.values(axis, told, func(seen) bool { return true })
		fine := p.values(axis, told, func(s seen) bool { return !s.broken })
		var bad []int
		for _, v := range all {
			if !slices.Contains(fine, v) {
				bad = append(bad, v)
			}
		}
		if len(bad) == 0 {
			continue
		}
		parts = append(parts, strings.TrimPrefix(p.phrase(axis, bad, all), "only "))
		for _, s := range told {
			if slices.Contains(bad, s.cell.At(axis)) {
				explained[s.cell.Key()] = true
			}
		}
	}
	for _, s := range told {
		if s.broken != explained[s.cell.Key()] {
			return "", false
		}
	}
	return strings.Join(parts, ", or "), len(parts) > 0
}

// values are the positions on an axis of the cells that are asked for, in order.
func (p *Plan) values(axis int, told []seen, want func(seen) bool) []int {
	var out []int
	for _, s := range told {
		if want(s) && !slices.Contains(out, s.cell.At(axis)) {
			out = append(out, s.cell.At(axis))
		}
	}
	slices.Sort(out)
	return out
}

// phrase names some of an axis' values: by where they begin or end if they are
// versions in ascending order.
func (p *Plan) phrase(axis int, some, all []int) string {
	a := p.Axes[axis]
	name := func(v int) string { return a.Name + " " + a.Values[v].Name }
	if a.ascending() {
		switch {
		case slices.Equal(some, all[len(all)-len(some):]):
			return "since " + name(some[0])
		case len(some) > 1 && slices.Equal(some, all[:len(some)]):
			return "up to " + name(some[len(some)-1])
		}
	}
	var names []string
	for _, v := range some {
		names = append(names, a.Values[v].Name)
	}
	return "only with " + a.Name + " " + strings.Join(names, " and ")
}

// ascending says whether the values are versions, the older one always first: only
// then is there a since.
func (a Axis) ascending() bool {
	var last []int
	for i, v := range a.Values {
		version, ok := numbers(v.Name)
		if !ok || i > 0 && slices.Compare(last, version) >= 0 {
			return false
		}
		last = version
	}
	return true
}

// numbers are those of a version such as v3.5.0 or 10.1-dev, up to what is no number.
func numbers(version string) ([]int, bool) {
	version = strings.TrimPrefix(version, "v")
	if i := strings.IndexAny(version, "-+"); i >= 0 {
		version = version[:i]
	}
	var out []int
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// listed names the broken cells one by one.
func listed(told []seen) string {
	const most = 4
	var names []string
	for _, s := range told {
		if s.broken {
			names = append(names, s.cell.Label)
		}
	}
	out := fmt.Sprintf("in %d of %d cells: ", len(names), len(told))
	if len(names) > most {
		return out + strings.Join(names[:most], "; ") + fmt.Sprintf("; and %d more", len(names)-most)
	}
	return out + strings.Join(names, "; ")
}
