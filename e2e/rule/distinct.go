package rule

import (
	"github.com/panelgate/panelgate/stack/dashboard"
)

// distinct is boards with each file once: what a file says is wrong once, in
// however many folders its dashboard ends up.
func distinct(boards []*Board) []*Board {
	seen := map[string]bool{}
	var out []*Board
	for _, b := range boards {
		if !seen[b.File] {
			seen[b.File] = true
			out = append(out, b)
		}
	}
	return out
}

// readable are the boards whose panels and variables Grafana would read from the
// file: those of the classic model, also in a wrapper that has a finding of its own.
func readable(boards []*Board) []*Board {
	var out []*Board
	for _, b := range distinct(boards) {
		if b.Format != dashboard.V2 && b.Format != dashboard.NotADashboard {
			out = append(out, b)
		}
	}
	return out
}

// served says whether Grafana takes a file of this format for a dashboard.
func served(d *dashboard.Dashboard) bool {
	return d.Format == dashboard.Classic || d.Format == dashboard.ResourceV1
}

// eachTarget calls find for the questions of readable boards until it has a
// finding for their target: a repeated panel asks one target several times, and
// what is wrong with it is said once.
func eachTarget(boards []*Board, find func(*Question) *Finding) []Finding {
	type place struct {
		panel  *dashboard.Panel
		target *dashboard.Target // nil for a library panel that is not in the file
	}
	var out []Finding
	for _, b := range readable(boards) {
		said := map[place]bool{}
		for _, q := range b.Questions {
			at := place{q.Panel, q.Target}
			if said[at] {
				continue
			}
			if f := find(q); f != nil {
				out = append(out, *f)
				said[at] = true
			}
		}
	}
	return out
}
