package dashboard

import (
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// Use says what hangs on a text whose variables Grafana fills in.
type Use uint8

const (
	// UseQuery is part of what is asked: a variable missing there breaks the query.
	UseQuery Use = iota
	// UseDisplay is only shown or followed by a person: titles, legends, links.
	UseDisplay
	// UseUnsure is a text of a plugin's own, which may or may not be interpolated.
	// It counts as a use of a variable; that it names an unknown one proves nothing.
	UseUnsure
)

// Place is a text that names variables, and where it stands.
type Place struct {
	// Where names the place for a message: "expr", "panel title", "link url",
	// "variable query", or the field's own key where Use is UseUnsure.
	Where string
	Use   Use
	// Bare marks a text that is a variable's name itself, without $, as repeat is.
	Bare bool
	Text source.Text
	// What the text belongs to. All are nil for the dashboard's own links; a
	// target comes with its panel.
	Panel      *Panel
	Target     *Target
	Variable   *Variable
	Annotation *Annotation
}

// Texts lists every text of the dashboard in which Grafana may fill in
// variables and which has a reference ($name, ${name}, [[name]]) or is one.
// Saved selections and options of variables are left out, and so are panels
// that Grafana drops (Clone). A model that two library panels share is listed
// once for each.
func (d *Dashboard) Texts() []Place {
	c := &collector{}
	for _, v := range d.Variables {
		c.variable(v)
	}
	for _, a := range d.Annotations {
		c.annotation(a)
	}
	for _, p := range d.Panels {
		if !p.Clone {
			c.panel(p)
		}
	}
	c.begin(Place{})
	c.walk(d.Root.Get("links"), scope{where: "link", use: UseDisplay})
	c.walk(d.Root.Get("layout"), scope{use: UseUnsure}) // of the v2 model
	return c.places
}

// collector gathers places. What the model knows of an owner is added first,
// by name; a walk over its node then adds what is left.
type collector struct {
	places []Place
	owner  Place // the context that new places get
	seen   map[source.Pos]bool
	target map[source.Pos]*Target // of the panel walked, by where they begin
	skip   map[string]bool        // keys the walk leaves out
}

func (c *collector) begin(owner Place, skip ...string) {
	c.owner, c.seen, c.target, c.skip = owner, map[source.Pos]bool{}, nil, map[string]bool{}
	for _, key := range skip {
		c.skip[key] = true
	}
}

func (c *collector) add(where string, use Use, t source.Text) {
	if c.seen[t.Pos] {
		return
	}
	c.seen[t.Pos] = true
	if !strings.Contains(t.Value, "$") && !strings.Contains(t.Value, "[[") {
		return
	}
	place := c.owner
	place.Where, place.Use, place.Text = where, use, t
	c.places = append(c.places, place)
}

// addName adds a text that is the name of a variable.
func (c *collector) addName(where string, t source.Text) {
	if t.Value == "" || c.seen[t.Pos] {
		return
	}
	c.seen[t.Pos] = true
	place := c.owner
	place.Where, place.Use, place.Bare, place.Text = where, UseQuery, true, t
	c.places = append(c.places, place)
}

func (c *collector) addRef(r *Ref) {
	if r != nil {
		c.add("datasource", UseQuery, r.Key())
	}
}

func (c *collector) variable(v *Variable) {
	c.begin(Place{Variable: v}, "current", "options", "definition", "name")
	use := UseUnsure // the values of the others stand for themselves
	switch v.Type.Value {
	case "query", "custom":
		use = UseQuery
	}
	c.add("variable query", use, v.Query)
	c.add("variable regex", UseQuery, v.Regex)
	c.add("variable all value", use, v.AllValue)
	c.addRef(v.Datasource)
	c.walk(v.Node, scope{use: UseUnsure})
}

func (c *collector) annotation(a *Annotation) {
	c.begin(Place{Annotation: a})
	c.add("annotation query", UseQuery, a.Expr)
	c.addRef(a.Datasource)
	c.walk(a.Node, scope{use: UseUnsure})
}

func (c *collector) panel(p *Panel) {
	c.begin(Place{Panel: p}, "panels", "libraryPanel")
	c.target = map[source.Pos]*Target{}
	for _, t := range p.Targets {
		c.target[t.Node.Pos()] = t
	}
	c.add("panel title", UseDisplay, p.Title)
	c.add("panel description", UseDisplay, p.Description)
	c.addRef(p.Datasource)
	c.add("panel interval", UseQuery, p.Interval)
	c.add("panel timeFrom", UseQuery, p.TimeFrom)
	c.add("panel timeShift", UseQuery, p.TimeShift)
	c.addName("repeat", p.Repeat)
	for _, t := range p.Targets {
		c.targetTexts(t)
	}
	c.walk(p.Node, scope{use: UseUnsure})
}

func (c *collector) targetTexts(t *Target) {
	c.owner.Target = t
	defer func() { c.owner.Target = nil }()
	c.addRef(t.Datasource)
	c.add("target interval", UseQuery, t.Interval)
	c.add("legend", UseDisplay, t.LegendFormat)
	if t.IsExpression() {
		c.seen[t.Expression.Pos] = true // its $A is a refId
		return
	}
	c.add("expr", UseQuery, t.Expr)
}

// scope is what a walk knows of the texts below a node.
type scope struct {
	where string // "" : the text's own key
	key   string
	use   Use
}

// walk adds the texts below a node that are not in the list yet.
func (c *collector) walk(n *source.Node, s scope) {
	switch n.Kind() {
	case source.String:
		c.add(s.name(), s.use, n.Text())
	case source.Array:
		for _, item := range n.Items() {
			c.walk(item, s)
		}
	case source.Object:
		if len(c.target) > 0 {
			if t := c.target[n.Pos()]; t != nil {
				c.owner.Target = t
				defer func() { c.owner.Target = nil }()
			}
		}
		for _, f := range n.Fields() {
			if !c.skip[f.Key] {
				c.field(n, f, s)
			}
		}
	}
}

// field walks one member, after what its key tells.
func (c *collector) field(parent *source.Node, f source.Field, s scope) {
	s.key = f.Key
	switch {
	case f.Key == "repeat" && f.Value.Kind() == source.Object: // {mode: variable, value}
		c.addName("repeat", f.Value.Get("value").Text())
	case f.Key == "links", f.Key == "value" && parent.Get("id").Str() == "links":
		s = scope{where: "link", use: UseDisplay}
	case f.Key == "transformations":
		s = scope{where: "transformation", use: UseUnsure}
	case f.Key == "content":
		s = scope{where: "text content", use: UseDisplay}
	case f.Key == "displayName", f.Key == "value" && parent.Get("id").Str() == "displayName":
		s = scope{where: "display name", use: UseDisplay}
	case f.Key == "titleFormat", f.Key == "textFormat":
		s = scope{where: "annotation text", use: UseDisplay}
	}
	c.walk(f.Value, s)
}

func (s scope) name() string {
	switch {
	case s.where == "":
		return s.key
	case s.where == "link" && s.key != "":
		return "link " + s.key
	default:
		return s.where
	}
}
