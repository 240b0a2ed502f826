package dashboard

import (
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// rowsUntil is the first schemaVersion that has no rows[] any more: Grafana
// turns rows into panels only in dashboards older than it.
const rowsUntil = 16

// Parse reads a dashboard. The error is a *source.Problem: JSON that is broken,
// beyond the limits or no object. An object that is something else than a
// dashboard has Format NotADashboard, and parts that cannot be read are
// Problems of the dashboard returned.
func Parse(file string, data []byte, lim source.Limits) (*Dashboard, error) {
	top, err := source.ParseJSON(file, data, lim)
	if err != nil {
		return nil, err
	}
	if top.Kind() != source.Object {
		return nil, &source.Problem{Pos: top.Pos(), Message: "the file holds " + top.Kind().String() + ", a dashboard is an object"}
	}
	d := &Dashboard{File: file}
	d.Format, d.Root = recognise(top)
	r := &reader{d: d}
	switch d.Format {
	case NotADashboard:
	case V2:
		r.v2(top)
	default:
		r.classic(top)
	}
	if r.excess != nil {
		return nil, r.excess
	}
	d.Fold()
	return d, nil
}

// recognise tells the shape of a file, and where in it the model is.
func recognise(top *source.Node) (Format, *source.Node) {
	if spec := top.Get("spec"); spec.Kind() == source.Object && isDashboardResource(top) {
		if isV2(spec) || strings.Contains(top.Get("apiVersion").Str(), "/v2") {
			return V2, spec
		}
		return ResourceV1, spec
	}
	if isV2(top) {
		return V2, top
	}
	if inner := top.Get("dashboard"); inner.Kind() == source.Object && !hasAny(top, "panels", "rows") {
		if isV2(inner) {
			return V2, inner
		}
		return APIWrapper, inner
	}
	// A title is all that Grafana's provisioning asks for.
	if hasAny(top, "panels", "rows", "templating", "schemaVersion", "title") {
		return Classic, top
	}
	return NotADashboard, top
}

func isDashboardResource(top *source.Node) bool {
	switch top.Get("kind").Str() {
	case "Dashboard", "DashboardWithAccessInfo":
		// Other projects' resources have this kind too.
		return strings.HasPrefix(top.Get("apiVersion").Str(), "dashboard.grafana.app/")
	}
	return false
}

func isV2(n *source.Node) bool {
	return n.Get("elements").Kind() == source.Object && n.Get("layout").Kind() == source.Object
}

func hasAny(n *source.Node, keys ...string) bool {
	for _, k := range keys {
		if n.Get(k).Exists() {
			return true
		}
	}
	return false
}

// classic reads the model of panels and templating; top is what may hold the
// metadata of a resource around it.
func (r *reader) classic(top *source.Node) {
	d, n := r.d, r.d.Root
	d.UID = r.text(n.Get("uid"), "the dashboard's uid")
	if d.UID.Value == "" && d.Format == ResourceV1 {
		d.UID = r.text(top.At("metadata", "name"), "metadata.name")
	}
	d.Title = r.text(n.Get("title"), "the dashboard's title")
	d.ID = n.Get("id")
	d.SchemaVersion = r.smallInt(n.Get("schemaVersion"), "schemaVersion")
	window := r.object(n.Get("time"), "time")
	d.From = r.text(window.Get("from"), "time.from")
	d.To = r.text(window.Get("to"), "time.to")
	d.Timezone = r.text(n.Get("timezone"), "timezone").Value
	r.inputs(n.Get("__inputs"))
	r.elements(n.Get("__elements"))
	templating := r.object(n.Get("templating"), "templating")
	for _, v := range r.objects(templating.Get("list"), "templating.list", "variable") {
		if !r.oneMoreVariable(v) {
			break
		}
		d.Variables = append(d.Variables, r.variable(v))
	}
	annotations := r.object(n.Get("annotations"), "annotations")
	for _, a := range r.objects(annotations.Get("list"), "annotations.list", "annotation") {
		d.Annotations = append(d.Annotations, r.annotation(a))
	}
	r.panels(n.Get("panels"))
	r.rows(n.Get("rows"))
}

func (r *reader) inputs(n *source.Node) {
	for _, in := range r.objects(n, "__inputs", "input") {
		r.d.Inputs = append(r.d.Inputs, Input{
			Name:     r.text(in.Get("name"), "an input's name"),
			Type:     r.text(in.Get("type"), "an input's type"),
			PluginID: r.text(in.Get("pluginId"), "an input's pluginId"),
		})
	}
}

// annotation reads an entry of annotations.list. Its PromQL stands in "target"
// since Grafana 9, in "expr" before.
func (r *reader) annotation(n *source.Node) *Annotation {
	a := &Annotation{
		Name:       r.text(n.Get("name"), "an annotation's name"),
		Datasource: r.ref(n.Get("datasource"), "an annotation's datasource"),
		Enable:     truthy(n.Get("enable")),
		BuiltIn:    truthy(n.Get("builtIn")),
		Pos:        n.Pos(),
		Node:       n,
	}
	a.Expr = r.text(n.Get("expr"), "an annotation's expr")
	if a.Expr.Value == "" {
		a.Expr = r.text(n.At("target", "expr"), "an annotation's expr")
	}
	return a
}
