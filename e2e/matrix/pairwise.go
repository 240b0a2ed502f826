package matrix

import "slices"

// every is each combination of positions in axes of these sizes.
func every(sizes []int) [][]int {
	out := [][]int{nil}
	for _, n := range sizes {
		var longer [][]int
		for _, at := range out {
			for v := range n {
				longer = append(longer, append(slices.Clone(at), v))
			}
		}
		out = longer
	}
	return out
}

// pair is a value of one axis together with a value of a later one.
type pair struct{ axis, value, other, otherValue int }

// pairwise is a set of combinations in which any two values of two axes meet. It is
// built greedily and always the same: each combination begins with the first pair
// that has not been met and takes, axis by axis, what meets the most further ones.
func pairwise(sizes []int) [][]int {
	if len(sizes) < 2 {
		return every(sizes)
	}
	open := map[pair]bool{}
	var order []pair
	for a, n := range sizes {
		for b := a + 1; b < len(sizes); b++ {
			for v := range n {
				for w := range sizes[b] {
					order = append(order, pair{a, v, b, w})
					open[pair{a, v, b, w}] = true
				}
			}
		}
	}
	var out [][]int
	for _, first := range order {
		if open[first] {
			at := extend(sizes, open, first)
			out = append(out, at)
			for _, met := range meets(at) {
				delete(open, met)
			}
		}
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// none is the position of an axis that has not been decided on.
const none = -1

// extend completes a pair to a combination.
func extend(sizes []int, open map[pair]bool, first pair) []int {
	at := slices.Repeat([]int{none}, len(sizes))
	at[first.axis], at[first.other] = first.value, first.otherValue
	for axis, n := range sizes {
		if at[axis] != none {
			continue
		}
		best, most := 0, -1
		for v := range n {
			at[axis] = v
			gain := 0
			for _, met := range meets(at) {
				if open[met] {
					gain++
				}
			}
			if gain > most {
				best, most = v, gain
			}
		}
		at[axis] = best
	}
	return at
}

// meets are the pairs in a combination, as far as it has been decided on.
func meets(at []int) []pair {
	var out []pair
	for a, v := range at {
		for b := a + 1; b < len(at); b++ {
			if v != none && at[b] != none {
				out = append(out, pair{a, v, b, at[b]})
			}
		}
	}
	return out
}
