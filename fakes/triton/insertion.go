package triton

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/panelgate/panelgate/fakes"
)

// Printed is a series of a family as a scrape shows it: its labels by name, which model (or GPU) it is of, and which of that one's own it is,
// in the order in which Triton makes them.
type Printed struct {
	Labels   []fakes.CustomLabel
	Of, Rank int
}

// LoadOrder is the order in which things were loaded, as far as the order tells in which the series of families are printed; later are
// those that cannot be before others. It is false where no order was found that prints all families as they were.
func LoadOrder(later []bool, families ...[]Printed) ([]int, bool) {
	s := search{later: later}
	for _, f := range families {
		if len(f) == 0 {
			continue
		}
		hashes := make([]uint64, len(f))
		for i, p := range f {
			labels := make([]label, len(p.Labels))
			for j, l := range p.Labels {
				labels[j] = label{l.Name, l.Value}
			}
			hashes[i] = hashLabels(labels)
		}
		if !slices.ContainsFunc(s.hashes, func(known []uint64) bool { return slices.Equal(known, hashes) }) { // else it says nothing new
			s.families, s.hashes = append(s.families, f), append(s.hashes, hashes)
		}
	}
	best, least := []int(nil), -1
	starts := s.starts()
	for round := 0; least != 0 && (round == 0 || s.inserted < mostInserted); round++ {
		for i, start := range starts {
			if order, wrong := s.improve(s.allowed(start), uint64(round*len(starts)+i)); least < 0 || wrong < least {
				best, least = order, wrong
			}
			if least == 0 || len(later) < 2 {
				return best, least == 0
			}
		}
	}
	return best, least == 0
}

// mostInserted is how many series a search inserts into tables before it gives up.
const mostInserted = 12_000_000

// search looks for an order of loading.
type search struct {
	later    []bool
	families [][]Printed
	hashes   [][]uint64
	inserted int
}

// mostTries ends a search from one start that leads nowhere, as of a server that has unloaded models.
const mostTries = 12_000

// starts are the orders that are tried first: as given, and what each family would be filled in by if no two labels shared a bucket.
func (s *search) starts() [][]int {
	given := make([]int, len(s.later))
	for i := range given {
		given[i] = i
	}
	all := [][]int{given}
	for _, f := range s.families {
		printed := make([]int, len(f))
		for i := range printed {
			printed[i] = i
		}
		var order []int
		for _, i := range undone(printed) {
			if of := f[i].Of; !slices.Contains(order, of) {
				order = append(order, of)
			}
		}
		for _, i := range given { // what the family does not have
			if !slices.Contains(order, i) {
				order = append(order, i)
			}
		}
		all = append(all, order)
	}
	return all
}

// undone is in which order what is printed was inserted: each time a table grows, what is in it turns around.
func undone(printed []int) []int {
	before := 0 // how many were in it when it last grew
	for growth := 1; bucketCount(growth) < uint64(len(printed)); growth++ {
		before = int(bucketCount(growth))
	}
	late := slices.Clone(printed[:len(printed)-before])
	slices.Reverse(late)
	if before == 0 {
		return late
	}
	early := slices.Clone(printed[len(printed)-before:])
	slices.Reverse(early)
	return append(undone(early), late...)
}

// allowed puts those that came later behind the others.
func (s *search) allowed(order []int) []int {
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case s.later[a] == s.later[b]:
			return 0
		case s.later[a]:
			return 1
		}
		return -1
	})
	return order
}

// How a search begins to accept steps that make an order worse, in series that are printed behind another one, and how it ends.
const warmest, coldest = 4.0, 0.15

// improve moves one thing after the other, at first even where that prints less as it was: what is right in one growth of a table may
// only be reached by way of what is wrong in another.
func (s *search) improve(order []int, seed uint64) ([]int, int) {
	now := s.wrong(order)
	best, least := order, now
	r := rand.New(rand.NewPCG(1, seed))
	for try := 0; try < mostTries && least > 0 && len(order) > 1 && s.inserted < mostInserted; try++ {
		from, to := r.IntN(len(order)), r.IntN(len(order))
		moved := slices.Delete(slices.Clone(order), from, from+1)
		moved = s.allowed(slices.Insert(moved, to, order[from]))
		warmth := warmest * math.Pow(coldest/warmest, float64(try)/mostTries)
		if w := s.wrong(moved); w <= now || r.Float64() < math.Exp(float64(now-w)/warmth) {
			order, now = moved, w
		}
		if now < least {
			best, least = order, now
		}
	}
	return best, least
}

// wrong is how many series would be printed behind another one than they were.
func (s *search) wrong(order []int) int {
	place := make([]int, len(order))
	for i, of := range order {
		place[of] = i
	}
	n := 0
	for f, printed := range s.families {
		made := make([]int, len(printed))
		for i := range made {
			made[i] = i
		}
		slices.SortFunc(made, func(a, b int) int {
			return cmp.Or(cmp.Compare(place[printed[a].Of], place[printed[b].Of]), cmp.Compare(printed[a].Rank, printed[b].Rank))
		})
		var t hashTable
		for _, i := range made {
			t.insert(s.hashes[f][i])
		}
		s.inserted += len(made)
		before := -1
		for _, key := range t.keys() {
			if made[key] != before+1 {
				n++
			}
			before = made[key]
		}
	}
	return n
}
