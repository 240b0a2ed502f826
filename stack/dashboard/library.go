package dashboard

import (
	"slices"

	"github.com/panelgate/panelgate/stack/source"
)

// elements reads __elements, in which an export for sharing carries the models
// of its library panels: an object by uid, or an array in Grafana 8.
func (r *reader) elements(n *source.Node) {
	r.library = map[string]*source.Node{}
	add := func(uid string, el *source.Node) {
		if el.Kind() != source.Object {
			r.wrong(el, "an element of __elements", "an object")
			return
		}
		if own := el.Get("uid").Str(); uid == "" {
			uid = own
		}
		if model := el.Get("model"); model.Kind() == source.Object {
			r.library[uid] = model
		}
	}
	switch n.Kind() {
	case source.Null:
	case source.Object:
		for _, f := range n.Fields() {
			add(f.Key, f.Value)
		}
	case source.Array:
		for _, el := range n.Items() {
			add("", el)
		}
	default:
		r.wrong(n, "__elements", "an object")
	}
}

// libraryRef reads what a panel says of the library, and finds the model if it
// is in the file: inside the reference, in __elements, or in the panel itself.
// The model returned is nil in the last case and where there is none. A panel that
// has no target itself is not taken for a model: Grafana saves empty lists too.
func (r *reader) libraryRef(panel *source.Node) (*LibraryRef, *source.Node) {
	n := r.object(panel.Get("libraryPanel"), "a panel's libraryPanel")
	if n == nil {
		return nil, nil
	}
	lib := &LibraryRef{
		UID:  r.text(n.Get("uid"), "a library panel's uid"),
		Name: r.text(n.Get("name"), "a library panel's name"),
	}
	model := r.object(n.Get("model"), "a library panel's model")
	if model == nil && lib.UID.Value != "" {
		model = r.library[lib.UID.Value]
	}
	lib.Resolved = model != nil || slices.ContainsFunc(panel.Get("targets").Items(),
		func(t *source.Node) bool { return t.Kind() == source.Object })
	return lib, model
}
