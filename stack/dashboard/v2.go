package dashboard

import (
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// v2 reads the model of elements and layouts, as far as messages about it and
// its queries need: rows, tabs and the repetition of its layouts are left out,
// panels come in the order of the file.
func (r *reader) v2(top *source.Node) {
	d, n := r.d, r.d.Root
	d.UID = r.text(first2(top.Get("metadata"), "name", "uid"), "metadata.name")
	if d.UID.Value == "" {
		d.UID = r.text(n.Get("uid"), "the dashboard's uid")
	}
	d.Title = r.text(n.Get("title"), "the dashboard's title")
	d.ID = n.Get("id")
	window := r.object(n.Get("timeSettings"), "timeSettings")
	d.From = r.text(window.Get("from"), "timeSettings.from")
	d.To = r.text(window.Get("to"), "timeSettings.to")
	d.Timezone = r.text(window.Get("timezone"), "timeSettings.timezone").Value
	for _, v := range r.objects(n.Get("variables"), "variables", "variable") {
		if !r.oneMoreVariable(v) {
			break
		}
		d.Variables = append(d.Variables, r.v2Variable(v))
	}
	for _, a := range r.objects(n.Get("annotations"), "annotations", "annotation") {
		d.Annotations = append(d.Annotations, r.v2Annotation(a))
	}
	for _, f := range r.object(n.Get("elements"), "elements").Fields() {
		if f.Value.Kind() != source.Object {
			r.wrong(f.Value, "element "+f.Key, "an object")
			continue
		}
		if !r.room(f.Value) {
			return
		}
		d.Panels = append(d.Panels, r.v2Panel(f.Value))
	}
}

// v2Variable reads {kind: "QueryVariable", spec}; the spec is much like the
// classic entry.
func (r *reader) v2Variable(n *source.Node) *Variable {
	spec := r.object(n.Get("spec"), "a variable's spec")
	v := r.variable(spec)
	kind := strings.ToLower(strings.TrimSuffix(n.Get("kind").Str(), "Variable"))
	if kind == "text" {
		kind = "textbox"
	}
	v.Type = source.Text{Value: kind, Pos: n.Get("kind").Pos()}
	v.Pos, v.Node = n.Pos(), n
	if kind == "datasource" {
		v.Query = r.text(spec.Get("pluginId"), "a variable's pluginId")
	}
	if v.Datasource == nil {
		v.Datasource = r.v2Ref(spec.Get("query"))
	}
	return v
}

func (r *reader) v2Annotation(n *source.Node) *Annotation {
	spec := r.object(n.Get("spec"), "an annotation's spec")
	a := r.annotation(spec)
	a.Pos, a.Node = n.Pos(), n
	if a.Expr.Value == "" {
		a.Expr = r.text(spec.At("query", "spec", "expr"), "an annotation's expr")
	}
	if a.Datasource == nil {
		a.Datasource = r.v2Ref(spec.Get("query"))
	}
	return a
}

func (r *reader) v2Panel(n *source.Node) *Panel {
	spec := r.object(n.Get("spec"), "an element's spec")
	viz := r.object(spec.Get("vizConfig"), "a panel's vizConfig")
	data := r.object(spec.At("data", "spec"), "a panel's data")
	options := r.object(data.Get("queryOptions"), "a panel's queryOptions")
	lib, _ := r.libraryRef(spec)
	p := &Panel{
		ID:          r.label(spec.Get("id"), "a panel's id"),
		Title:       r.text(spec.Get("title"), "a panel's title"),
		Type:        r.text(viz.Get("group"), "a panel's type"),
		Description: r.text(spec.Get("description"), "a panel's description"),
		Interval:    r.label(options.Get("interval"), "a panel's interval"),
		TimeFrom:    r.text(options.Get("timeFrom"), "a panel's timeFrom"),
		TimeShift:   r.text(options.Get("timeShift"), "a panel's timeShift"),
		Unit:        unit(viz.Get("spec")),
		Library:     lib,
		Pos:         n.Pos(),
		Node:        n,
	}
	if p.Type.Value == "" && viz.Get("kind").Str() != "VizConfig" {
		p.Type = r.text(viz.Get("kind"), "a panel's type") // v2alpha1
	}
	p.MaxDataPoints = max(0, r.int(options.Get("maxDataPoints"), "a panel's maxDataPoints"))
	for _, q := range r.objects(data.Get("queries"), "a panel's queries", "query") {
		if !r.oneMoreTarget(q) {
			break
		}
		p.Targets = append(p.Targets, r.v2Target(q))
	}
	nameTargets(p.Targets)
	return p
}

func (r *reader) v2Target(n *source.Node) *Target {
	outer := r.object(n.Get("spec"), "a query's spec")
	query := r.object(outer.Get("query"), "a query")
	t := r.target(query.Get("spec"))
	t.Pos, t.Node = n.Pos(), n
	t.RefID = r.text(outer.Get("refId"), "a target's refId")
	t.Hide = r.bool(outer.Get("hidden"), "a target's hidden")
	t.Datasource = r.ref(outer.Get("datasource"), "a target's datasource")
	if t.Datasource == nil {
		t.Datasource = r.v2Ref(query)
	}
	r.expression(t, query.Get("spec"))
	return t
}

// v2Ref reads the datasource of a DataQuery: {group: type, datasource: {name: uid}}.
func (r *reader) v2Ref(query *source.Node) *Ref {
	ds := query.Get("datasource")
	plugin := query.Get("group")
	if !plugin.Exists() {
		plugin = query.Get("kind") // v2alpha1
	}
	if plugin.Str() == RefExpression {
		return &Ref{UID: plugin.Text(), Type: plugin.Text(), Pos: plugin.Pos()}
	}
	if ds.Kind() != source.Object {
		return nil
	}
	ref := &Ref{
		UID:  r.text(first2(ds, "name", "uid"), "a datasource's name"),
		Type: r.text(plugin, "a query's group"),
		Pos:  ds.Pos(),
	}
	ref.Null = ref.UID.Value == ""
	return ref
}
