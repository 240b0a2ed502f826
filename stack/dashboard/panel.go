package dashboard

import (
	"cmp"
	"slices"

	"github.com/panelgate/panelgate/stack/source"
)

// Path names the panel as a person finds it: "Row › Title". A panel without a
// title goes by its type and id.
func (p *Panel) Path() string {
	name := p.Title.Value
	if name == "" {
		name = p.Type.Value
		if name == "" {
			name = "panel"
		}
		if p.ID.Value != "" {
			name += " #" + p.ID.Value
		}
	}
	if p.Row != nil && p.Row.Title.Value != "" {
		return p.Row.Title.Value + " › " + name
	}
	return name
}

// panels reads the dashboard's panels[]. Grafana orders them by their place on
// the grid, and what stands below an open row belongs to it; a collapsed row
// holds its panels itself, and what follows it is outside.
func (r *reader) panels(list *source.Node) {
	nodes := r.objects(list, "panels", "panel")
	slices.SortStableFunc(nodes, byGridPos)
	var open *Panel
	for _, n := range nodes {
		if !r.room(n) {
			return
		}
		p := r.panel(n)
		if !p.IsRow() {
			p.Row = open
			r.d.Panels = append(r.d.Panels, p)
			continue
		}
		open = p
		if p.Collapsed {
			open = nil
		}
		r.row(p, n.Get("panels"))
	}
}

func byGridPos(a, b *source.Node) int {
	coord := func(n *source.Node, key string) float64 {
		v, _ := n.At("gridPos", key).Float() // a missing place counts as 0, as in Grafana
		return v
	}
	return cmp.Or(cmp.Compare(coord(a, "y"), coord(b, "y")), cmp.Compare(coord(a, "x"), coord(b, "x")))
}

// row adds a row and the panels inside it.
func (r *reader) row(row *Panel, list *source.Node) {
	r.d.Panels = append(r.d.Panels, row)
	for _, n := range r.objects(list, "the panels of a row", "panel") {
		if !r.room(n) {
			return
		}
		p := r.panel(n)
		p.Row, p.Clone = row, p.Clone || row.Clone
		if p.IsRow() {
			r.row(p, n.Get("panels"))
			continue
		}
		r.d.Panels = append(r.d.Panels, p)
	}
}

// rows reads the rows[] of schemaVersion 15 and before as row panels.
func (r *reader) rows(list *source.Node) {
	nodes := r.objects(list, "rows", "row")
	if len(nodes) > 0 && r.d.SchemaVersion >= rowsUntil {
		r.problem(list, "Grafana ignores rows since schemaVersion %d, and this dashboard says %d: their panels are not shown",
			rowsUntil, r.d.SchemaVersion)
	}
	for _, n := range nodes {
		if !r.room(n) {
			return
		}
		row := &Panel{
			Title:     r.text(n.Get("title"), "a row's title"),
			Type:      source.Text{Value: "row", Pos: n.Pos()},
			Repeat:    r.text(n.Get("repeat"), "a row's repeat"),
			Collapsed: r.bool(n.Get("collapse"), "a row's collapse"),
			Clone:     truthy(n.Get("repeatIteration")),
			Pos:       n.Pos(),
			Node:      n,
			Place:     n,
		}
		r.row(row, n.Get("panels"))
	}
}

// panel reads one panel without those inside it. Of a library panel whose model
// is in the file, the content is the model's; its place, its id, its repetition
// and a title of its own are the dashboard's.
func (r *reader) panel(n *source.Node) *Panel {
	lib, model := r.libraryRef(n)
	if model == nil {
		p := r.panelContent(n)
		p.Library = lib
		if lib != nil && p.Title.Value == "" {
			p.Title = lib.Name
		}
		return p
	}
	p := r.panelContent(model)
	p.Library, p.Pos, p.Place = lib, n.Pos(), n
	p.ID = r.label(n.Get("id"), "a panel's id")
	p.Repeat = r.text(n.Get("repeat"), "a panel's repeat")
	if own := r.text(n.Get("title"), "a panel's title"); own.Value != "" {
		p.Title = own
	}
	if p.Title.Value == "" {
		p.Title = lib.Name
	}
	return p
}

func (r *reader) panelContent(n *source.Node) *Panel {
	p := &Panel{
		ID:               r.label(n.Get("id"), "a panel's id"),
		Title:            r.text(n.Get("title"), "a panel's title"),
		Type:             r.text(n.Get("type"), "a panel's type"),
		Description:      r.text(n.Get("description"), "a panel's description"),
		Datasource:       r.ref(n.Get("datasource"), "a panel's datasource"),
		Interval:         r.label(n.Get("interval"), "a panel's interval"),
		TimeFrom:         r.text(n.Get("timeFrom"), "a panel's timeFrom"),
		TimeShift:        r.text(n.Get("timeShift"), "a panel's timeShift"),
		Repeat:           r.text(n.Get("repeat"), "a panel's repeat"),
		Collapsed:        r.bool(n.Get("collapsed"), "a row's collapsed"),
		HideTimeOverride: r.bool(n.Get("hideTimeOverride"), "a panel's hideTimeOverride"),
		Clone:            truthy(n.Get("repeatPanelId")) && (!truthy(n.Get("repeat")) || truthy(n.Get("repeatedByRow"))),
		Unit:             unit(n),
		Pos:              n.Pos(),
		Node:             n,
		Place:            n,
	}
	p.MaxDataPoints = max(0, r.int(n.Get("maxDataPoints"), "a panel's maxDataPoints"))
	for i, t := range r.list(n.Get("targets"), "a panel's targets") {
		if t.Kind() != source.Object {
			r.problem(t, "target %d of panel %q is %s, expected an object", i+1, p.Path(), t.Kind())
			continue
		}
		if !r.oneMoreTarget(t) {
			break
		}
		p.Targets = append(p.Targets, r.target(t))
	}
	nameTargets(p.Targets)
	return p
}

// unit is where the panel's type keeps the unit of its values.
func unit(n *source.Node) source.Text {
	modern := []*source.Node{
		n.At("fieldConfig", "defaults", "unit"),
		n.At("options", "fieldOptions", "defaults", "unit"), // Grafana 6
		n.At("options", "yAxis", "unit"),                    // heatmap
	}
	legacy := []*source.Node{
		first(n.Get("yaxes")).Get("format"),
		first(n.Get("y_formats")),
		n.At("yAxis", "format"), // heatmap before Grafana 9
		n.Get("format"),
	}
	places := slices.Concat(modern, legacy)
	switch n.Get("type").Str() {
	case "graph", "singlestat": // they, and Grafana's migration of them, look only here
		places = slices.Concat(legacy, modern)
	}
	for _, u := range places {
		if u.Str() != "" {
			return u.Text()
		}
	}
	return source.Text{}
}

func first(n *source.Node) *source.Node {
	if items := n.Items(); len(items) > 0 {
		return items[0]
	}
	return nil
}
