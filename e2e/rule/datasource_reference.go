package rule

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceRef is a place of a dashboard that names a datasource, or that
// leaves it to the default. A target comes with its panel.
type datasourceRef struct {
	board      *Board
	ref        *dashboard.Ref // nil where the place names none
	panel      *dashboard.Panel
	target     *dashboard.Target
	variable   *dashboard.Variable
	annotation *dashboard.Annotation
}

// datasourceRefs are the places of a dashboard whose datasource is asked for
// something: variables, annotations, and panels with a target.
func datasourceRefs(b *Board) []datasourceRef {
	var out []datasourceRef
	for _, v := range b.Variables {
		switch v.Type.Value {
		case "query", "adhoc", "groupby":
			out = append(out, datasourceRef{board: b, ref: v.Datasource, variable: v})
		}
	}
	for _, a := range b.Annotations {
		if !a.BuiltIn && a.Datasource != nil {
			out = append(out, datasourceRef{board: b, ref: a.Datasource, annotation: a})
		}
	}
	for _, p := range b.Panels {
		if !p.IsRow() && !p.Clone {
			out = append(out, panelRefs(b, p)...)
		}
	}
	return out
}

// panelRefs are the references of a panel and its targets. A hidden target is
// asked only where an expression computes something from it.
func panelRefs(b *Board, p *dashboard.Panel) []datasourceRef {
	computed := false
	for _, t := range p.Targets {
		computed = computed || t.IsExpression() && !t.Hide
	}
	var out []datasourceRef
	own := p.Datasource != nil && !p.Datasource.Null
	for _, t := range p.Targets {
		switch {
		case t.Hide && !computed, t.IsExpression():
		case t.Datasource.Key().Value != "":
			out = append(out, datasourceRef{board: b, ref: t.Datasource, panel: p, target: t})
		case !own || p.Datasource.Key().Value == dashboard.RefMixed:
			out = append(out, datasourceRef{board: b, panel: p, target: t})
		}
	}
	if own && len(p.Targets) > 0 {
		out = append([]datasourceRef{{board: b, ref: p.Datasource, panel: p}}, out...)
	}
	return out
}

// resolve finds where the reference leads, as query.ResolveDatasource does.
func (r datasourceRef) resolve(s *stack.Stack) (*stack.Datasource, error) {
	ds, _, err := query.ResolveDatasource(r.ref, r.board.Scope, s.Datasources)
	return ds, err
}

// pos is where the name stands, or where it would have to.
func (r datasourceRef) pos() source.Pos {
	switch key := r.ref.Key(); {
	case !key.Pos.IsZero():
		return key.Pos
	case r.ref != nil && !r.ref.Pos.IsZero():
		return r.ref.Pos
	case r.target != nil:
		return r.target.Pos
	case r.panel != nil:
		return r.panel.Pos
	case r.variable != nil:
		return r.variable.Pos
	default:
		return r.annotation.Pos
	}
}

// finding starts a finding at the reference.
func (r datasourceRef) finding() Finding {
	f := onPanel(r.board.Dashboard, r.panel, r.pos())
	if r.target != nil {
		f.RefID, f.Expr = r.target.RefID.Value, r.target.Expr.Value
	}
	return f
}

// owner names what the reference belongs to.
func (r datasourceRef) owner() string {
	switch {
	case r.panel != nil:
		return fmt.Sprintf("panel %q", r.panel.Path())
	case r.variable != nil:
		return fmt.Sprintf("variable %q", r.variable.Name.Value)
	default:
		return fmt.Sprintf("annotation %q", r.annotation.Name.Value)
	}
}

// variables are the names of the variables in a reference, without those that
// the scope does not know: these are variable/undefined or an unresolved input.
func (r datasourceRef) variables() (known []string, unknown bool) {
	for _, v := range query.References(r.ref.Key().Value) {
		if _, ok := r.board.Scope.Lookup(v.Name); ok {
			known = append(known, v.Name)
		} else {
			unknown = true
		}
	}
	return known, unknown
}

// boardVariable is the variable of that name, nil where the dashboard has none.
func boardVariable(d *dashboard.Dashboard, name string) *dashboard.Variable {
	for _, v := range d.Variables {
		if v.Name.Value == name {
			return v
		}
	}
	return nil
}

// suggestedDatasource is the datasource that a wrong name most likely means: the
// nearest in spelling, else the only one there is of the type. nil for none.
func suggestedDatasource(key, typ string, all []*stack.Datasource) *stack.Datasource {
	var fitting []*stack.Datasource
	for _, ds := range all {
		if typ == "" || ds.Type.Value == typ {
			fitting = append(fitting, ds)
		}
	}
	var names []string
	for _, ds := range fitting {
		names = append(names, ds.EffectiveUID, ds.Name.Value)
	}
	if near := nearest.Names(key, names, 1); len(near) > 0 {
		for _, ds := range fitting {
			if ds.EffectiveUID == near[0] || ds.Name.Value == near[0] {
				return ds
			}
		}
	}
	if len(fitting) == 1 {
		return fitting[0]
	}
	return nil
}

// provisionedDatasources lists what there is, for a finding's evidence.
func provisionedDatasources(all []*stack.Datasource) string {
	var out []string
	for _, ds := range all {
		out = append(out, fmt.Sprintf("%s (%q, %s)", ds.EffectiveUID, ds.Name.Value, ds.Type.Value))
	}
	return "provisioned: " + strings.Join(out, ", ")
}
