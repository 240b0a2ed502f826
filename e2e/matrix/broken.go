package matrix

import (
	"cmp"
	"slices"
)

// Broken is one thing that is broken somewhere in a matrix, and where.
type Broken struct {
	Break            // as the first cell in which it is broken tells it
	Where   string   // "everywhere", "since grafana 12.3", …
	Cells   []int    // positions of the results in which it is broken
	Untold  int      // how many cells could not tell
	Reasons []string // why, where more than one cell had something to say
}

// subject is what makes two findings of two cells the same thing. What was seen is
// left out: it holds times, and each version has its own words.
type subject struct {
	rule, file, dashboard, panel, refID string
	line, column                        int
	panelID                             int64
}

func (b Break) subject() subject {
	return subject{b.Rule, b.File, b.Dashboard, b.Panel, b.RefID, b.Line, b.Column, b.PanelID}
}

// Broken gathers what is broken in the results: what is broken in the most cells
// first, and otherwise in the order in which the cells tell it.
func (p *Plan) Broken(results []Result) []Broken {
	var out []Broken
	known := map[subject]int{}
	for i, r := range results {
		for _, b := range r.Outcome.Broken {
			n, ok := known[b.subject()]
			if !ok {
				n = len(out)
				known[b.subject()] = n
				out = append(out, Broken{Break: b})
			}
			out[n].add(i, b.Reason)
		}
	}
	for i := range out {
		out[i].Where, out[i].Untold = p.where(results, out[i].Cells)
	}
	slices.SortStableFunc(out, func(a, b Broken) int {
		return cmp.Or(len(b.Cells)-len(a.Cells), slices.Compare(a.Cells, b.Cells))
	})
	return out
}

func (b *Broken) add(cell int, reason string) {
	if !slices.Contains(b.Cells, cell) { // a cell may tell of it twice
		b.Cells = append(b.Cells, cell)
	}
	if reason != "" && !slices.Contains(b.Reasons, reason) {
		b.Reasons = append(b.Reasons, reason)
	}
}
