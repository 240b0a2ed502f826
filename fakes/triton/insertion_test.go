package triton

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/fakes"
)

// printedOf is how a family is printed whose things are loaded in an order, each with some series.
func printedOf(order []int, each int) []Printed {
	var made []Printed
	var table []series
	for _, of := range order {
		for rank := range each {
			labels := []label{{"model", fmt.Sprint("model-", of)}, {"reason", fmt.Sprint(rank)}}
			table = append(table, series{labels: labels})
			var shown []fakes.CustomLabel
			for _, l := range labels {
				shown = append(shown, fakes.CustomLabel{Name: l.name, Value: l.value})
			}
			made = append(made, Printed{Labels: shown, Of: of, Rank: rank})
		}
	}
	var out []Printed
	for _, i := range printOrder(table) {
		out = append(out, made[i])
	}
	return out
}

func TestAnOrderOfLoadingIsFoundThatPrintsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 5, 13, 14, 20, 31} {
		order := r.Perm(n)
		families := [][]Printed{printedOf(order, 1), printedOf(order, 1), printedOf(order, 4)}
		if n > 20 {
			families = families[:2] // with more, many orders have to be tried
		}
		found, exactly := LoadOrder(make([]bool, n), families...)
		assert.True(t, exactly, "%d models", n)
		for _, f := range families {
			each := 1
			if n > 0 {
				each = len(f) / n
			}
			assert.Equal(t, f, printedOf(found, each), "%d models", n)
		}
	}
}

func TestWhatCameLaterStaysBehind(t *testing.T) {
	order := []int{3, 0, 4, 1, 2}
	later := []bool{false, true, true, false, false}
	found, exactly := LoadOrder(later, printedOf(order, 1))
	assert.True(t, exactly)
	assert.ElementsMatch(t, []int{1, 2}, found[3:])
}

func TestAnOrderIsGivenWhereNoneFits(t *testing.T) {
	f := printedOf([]int{0, 1, 2, 3, 4, 5, 6, 7}, 4)
	slices.Reverse(f[3:20])
	found, exactly := LoadOrder(make([]bool, 8), f)
	assert.False(t, exactly)
	assert.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, found)
}
