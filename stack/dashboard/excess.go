package dashboard

import (
	"fmt"

	"github.com/panelgate/panelgate/stack/source"
)

// What a dashboard may hold: many times what a browser can show. Each costs memory and
// questions far beyond the text that it is written in.
const (
	mostPanels    = 20_000
	mostTargets   = 20_000
	mostVariables = 1_000
	mostProblems  = 1_000 // that are told of one file
)

// room says whether the dashboard may have one more panel, which begins at n.
func (r *reader) room(n *source.Node) bool {
	return r.within(n, len(r.d.Panels), mostPanels, "panels")
}

func (r *reader) oneMoreVariable(n *source.Node) bool {
	return r.within(n, len(r.d.Variables), mostVariables, "variables")
}

func (r *reader) oneMoreTarget(n *source.Node) bool {
	r.targets++
	return r.within(n, r.targets-1, mostTargets, "targets")
}

// within refuses the whole dashboard at the first of something that is one too many:
// to leave out the rest of it would be to prove what nobody has asked for.
func (r *reader) within(n *source.Node, there, most int, what string) bool {
	if there >= most && r.excess == nil {
		r.excess = &source.Problem{Pos: n.Pos(), Message: fmt.Sprintf("more than %d %s in one dashboard", most, what)}
	}
	return r.excess == nil
}
