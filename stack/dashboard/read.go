package dashboard

import (
	"fmt"
	"math"

	"github.com/panelgate/panelgate/stack/source"
)

// reader fills in a dashboard. What it cannot read becomes a Problem of the
// dashboard, so that one wrong value does not hide the rest of the file.
type reader struct {
	d *Dashboard
	// library holds the models of __elements by their uid.
	library map[string]*source.Node
	targets int // read so far
	// excess is why the dashboard is refused: it has more of something than anybody
	// could look at. Reading goes no further.
	excess *source.Problem
}

func (r *reader) problem(n *source.Node, format string, args ...any) {
	switch len(r.d.Problems) {
	case mostProblems:
		return
	case mostProblems - 1:
		format, args = "here and further down there is more that cannot be read: only the first %d places are told", []any{mostProblems}
	}
	r.d.Problems = append(r.d.Problems, &source.Problem{Pos: n.Pos(), Message: fmt.Sprintf(format, args...)})
}

// wrong reports a value of another kind than Grafana's model has there.
func (r *reader) wrong(n *source.Node, what, want string) {
	r.problem(n, "%s is %s, expected %s", what, n.Kind(), want)
}

// text reads a string. A number or boolean in its place is reported and taken.
func (r *reader) text(n *source.Node, what string) source.Text {
	switch n.Kind() {
	case source.Null:
		return source.Text{}
	case source.String:
		return n.Text()
	}
	r.wrong(n, what, "a string")
	return scalarText(n)
}

// label reads what may be a string or a number, as ids and intervals are.
func (r *reader) label(n *source.Node, what string) source.Text {
	if n.Kind() == source.Number {
		return n.Text()
	}
	return r.text(n, what)
}

func scalarText(n *source.Node) source.Text {
	if n.Scalar() == "" {
		return source.Text{}
	}
	return n.Text()
}

func (r *reader) bool(n *source.Node, what string) bool {
	switch n.Kind() {
	case source.Null:
		return false
	case source.Bool:
		return n.Bool()
	}
	r.wrong(n, what, "a boolean")
	return truthy(n)
}

// truthy is how a browser takes a value that stands for a boolean.
func truthy(n *source.Node) bool {
	switch n.Kind() {
	case source.Null:
		return false
	case source.Bool:
		return n.Bool()
	case source.Number:
		v, ok := n.Float()
		return ok && v != 0
	case source.String:
		return n.Str() != ""
	default:
		return true
	}
}

// int reads a number or a numeric string; an empty string is none. A boolean
// counts as 0 or 1, as old dashboards wrote "refresh".
func (r *reader) int(n *source.Node, what string) int64 {
	switch n.Kind() {
	case source.Null:
		return 0
	case source.Bool:
		if n.Bool() {
			return 1
		}
		return 0
	case source.String:
		if n.Str() == "" {
			return 0
		}
	}
	v, ok := n.Float()
	if !ok || math.IsNaN(v) || math.Abs(v) > 1<<53 {
		r.problem(n, "%s is no number that can be used", what)
		return 0
	}
	return int64(v)
}

// smallInt is int for enumerations, of which none comes near 2^31.
func (r *reader) smallInt(n *source.Node, what string) int {
	v := r.int(n, what)
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.problem(n, "%s is no number that can be used", what)
		return 0
	}
	return int(v)
}

// list reads an array.
func (r *reader) list(n *source.Node, what string) []*source.Node {
	switch n.Kind() {
	case source.Null:
		return nil
	case source.Array:
		return n.Items()
	}
	r.wrong(n, what, "an array")
	return nil
}

// objects reads an array of objects, leaving out and reporting what is none.
func (r *reader) objects(n *source.Node, what, item string) []*source.Node {
	var out []*source.Node
	for i, el := range r.list(n, what) {
		if el.Kind() != source.Object {
			r.wrong(el, fmt.Sprintf("%s %d of %s", item, i+1, what), "an object")
			continue
		}
		out = append(out, el)
	}
	return out
}

// object reads an object that may be missing.
func (r *reader) object(n *source.Node, what string) *source.Node {
	switch n.Kind() {
	case source.Null:
		return nil
	case source.Object:
		return n
	}
	r.wrong(n, what, "an object")
	return nil
}
