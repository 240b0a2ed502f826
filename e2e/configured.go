package e2e

import (
	"path/filepath"
	"time"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// static prepares the stack for the rules that read the files, with what
// panelgate.yml says of its findings.
func (r *run) static() *rule.Static {
	in := rule.NewStatic(r.stack, r.Choose, time.Now())
	r.runs(in)
	for _, e := range r.Config.Expect {
		for _, pos := range []*source.Pos{&e.Pos, &e.UntilPos, &e.Dashboard.Pos, &e.Panel.Pos, &e.RefID.Pos} {
			*pos = r.inStack(*pos)
		}
		in.Expectations = append(in.Expectations, e)
	}
	for _, e := range r.Config.Exclude {
		for _, pos := range []*source.Pos{&e.Pos, &e.Dashboard.Pos, &e.Panel.Pos, &e.RefID.Pos, &e.File.Pos} {
			*pos = r.inStack(*pos)
		}
		in.Exclusions = append(in.Exclusions, e)
	}
	return in
}

// inStack tells a place of the configuration as places of the stack are told, where
// it lies in the stack's directory.
func (r *run) inStack(pos source.Pos) source.Pos {
	if inside, err := filepath.Rel(r.stack.Dir, pos.File); err == nil && pos.File != "" && filepath.IsLocal(inside) {
		pos.File = filepath.ToSlash(inside)
	}
	return pos
}
