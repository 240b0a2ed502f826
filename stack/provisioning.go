package stack

import (
	"strconv"

	"github.com/panelgate/panelgate/stack/source"
)

// provisioned reads the values of one provisioning file. The format without an
// apiVersion, which Grafana still takes, names its keys differently and has no
// variables.
type provisioned struct {
	*loader
	area   Area
	vars   *expander
	legacy bool
}

// key is the name a key has in the format of the file.
func (p *provisioned) key(current, legacy string) string {
	if p.legacy {
		return legacy
	}
	return current
}

// isLegacy says whether a file is of the format without an apiVersion.
func isLegacy(root *source.Node) bool {
	version, ok := root.Get("apiVersion").Int()
	return !ok || version <= 0
}

// text is a scalar with its variables replaced. It keeps the position of the
// value in the file.
func (p *provisioned) text(n *source.Node) source.Text {
	if k := n.Kind(); k == source.Array || k == source.Object {
		p.problem(p.area, n.Pos(), "is %s, a single value is expected", k)
		return source.Text{}
	}
	t := n.Text()
	if p.legacy {
		return t
	}
	expanded, err := p.vars.expand(t.Value)
	if err != nil {
		p.problem(p.area, n.Pos(), "cannot be expanded: %s", p.anonymous(err.Error()))
	}
	if expanded != t.Value {
		return source.Text{Value: expanded, Pos: t.Pos}
	}
	return t
}

// boolean is false where the value is missing or empty.
func (p *provisioned) boolean(n *source.Node) bool {
	t := p.text(n)
	if t.Value == "" {
		return false
	}
	v, err := strconv.ParseBool(t.Value)
	if err != nil {
		p.problem(p.area, n.Pos(), "%q is neither true nor false", t.Value)
	}
	return v
}

// org is the organisation's id, which is 1 where the file leaves it out.
func (p *provisioned) org(n *source.Node) int64 {
	t := p.text(n)
	if t.Value == "" || t.Value == "0" {
		return 1
	}
	v, err := strconv.ParseInt(t.Value, 10, 64)
	if err != nil {
		p.problem(p.area, n.Pos(), "%q is no organisation id", t.Value)
		return 1
	}
	return v
}

// entries are the objects of a list; whatever else stands there is a problem.
func (p *provisioned) entries(list *source.Node) []*source.Node {
	if list.Kind() != source.Array && list.Kind() != source.Null {
		p.problem(p.area, list.Pos(), "is %s, a list is expected", list.Kind())
	}
	var out []*source.Node
	for _, n := range list.Items() {
		if n.Kind() != source.Object {
			p.problem(p.area, n.Pos(), "is %s, an object is expected", n.Kind())
			continue
		}
		out = append(out, n)
	}
	return out
}
