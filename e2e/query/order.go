package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
)

// CycleError says that variables' queries need one another's values.
type CycleError struct {
	Names []string // from one variable back to it
}

// Error implements error.
func (e *CycleError) Error() string {
	return fmt.Sprintf("variables depend on each other in a circle: $%s", strings.Join(e.Names, " → $"))
}

// ordering sorts variables so that each comes after those it needs.
type ordering struct {
	byName  map[string]*dashboard.Variable
	state   map[string]visit
	path    []string
	sorted  []*dashboard.Variable
	cycles  []*CycleError
	inCycle map[string]*CycleError
}

type visit uint8

const (
	unvisited visit = iota
	visiting
	visited
)

// inOrder sorts the dashboard's variables by their dependencies, those without
// in file order. Of a circle, each member is in inCycle.
func inOrder(d *dashboard.Dashboard) *ordering {
	o := &ordering{
		byName:  make(map[string]*dashboard.Variable, len(d.Variables)),
		state:   make(map[string]visit, len(d.Variables)),
		inCycle: make(map[string]*CycleError),
	}
	for _, v := range d.Variables {
		o.byName[v.Name.Value] = v
	}
	for _, v := range d.Variables {
		if o.byName[v.Name.Value] == v {
			o.visit(v)
		}
	}
	return o
}

func (o *ordering) visit(v *dashboard.Variable) {
	name := v.Name.Value
	switch o.state[name] {
	case visited:
		return
	case visiting:
		i := slices.Index(o.path, name)
		c := &CycleError{Names: append(slices.Clone(o.path[i:]), name)}
		o.cycles = append(o.cycles, c)
		for _, member := range o.path[i:] {
			o.inCycle[member] = c
		}
		return
	}
	o.state[name] = visiting
	o.path = append(o.path, name)
	for _, needed := range dependencies(v) {
		// A variable that names itself reads its own saved value, as in Grafana.
		if w := o.byName[needed]; w != nil && w != v {
			o.visit(w)
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.state[name] = visited
	o.sorted = append(o.sorted, v)
}

// dependencies are the names that a variable's options depend on.
func dependencies(v *dashboard.Variable) []string {
	var names []string
	for _, text := range []string{queryText(v), v.Regex.Value, v.Datasource.Key().Value} {
		for _, ref := range References(text) {
			names = append(names, ref.Name)
		}
	}
	return names
}
