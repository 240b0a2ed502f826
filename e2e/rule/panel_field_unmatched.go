package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// panelFieldUnmatched proves that what a panel's settings name is in its result: an
// override, a transformation or a reducer that finds nothing changes nothing, and
// a stat that reads no field shows nothing.
func panelFieldUnmatched() Rule {
	return Rule{
		ID:       "panel/field-unmatched",
		Severity: Warning,
		Summary:  "an override, transformation or reducer names a field that the result has not",
		Live: func(in *Live) []Finding {
			var out []Finding
			for _, asked := range in.byPanel() {
				p := asked[0].Panel
				f := panelFields(asked)
				found := f.transform(p.Node.Get("transformations").Items())
				found = append(found, f.overrides(p)...)
				found = append(found, f.reducer(p)...)
				for _, u := range found {
					out = append(out, u.finding(asked[0]))
				}
			}
			return out
		},
	}
}

// byPanel are all questions of each panel, in all its copies.
func (in *Live) byPanel() [][]*Asked {
	return gathered(in.Asked, func(a *Asked) *dashboard.Panel { return a.Panel })
}

func (u unmatched) finding(a *Asked) Finding {
	f := onPanel(a.Board.Dashboard, a.Panel, u.pos)
	f.Message = fmt.Sprintf("%s names %q, and the result has no such field", u.what, oneLine(u.name))
	if u.then != nil {
		f.Evidence = []string{u.then.said()}
	}
	f.Fix = "name a field that is there, or remove the setting"
	if u.fix != "" {
		f.Fix = u.fix
	} else if u.then != nil {
		if near := u.then.near(u.name); len(near) > 0 {
			f.Fix = fmt.Sprintf("write %q, if that is what is meant", near[0])
		}
	}
	return f
}

// overrides looks for fields of the settings that are for some fields only.
func (f *fields) overrides(p *dashboard.Panel) []unmatched {
	if p.Node.At("fieldConfig", "defaults", "displayName").Scalar() != "" {
		return nil // which gives all fields other names
	}
	list := p.Node.At("fieldConfig", "overrides").Items()
	names := f.copy()
	for _, o := range list {
		for _, property := range o.Get("properties").Items() {
			if property.Get("id").Str() == "displayName" {
				names.add(property.Get("value").Str())
				names.open = names.open || variable(property.Get("value").Str())
			}
		}
	}
	var out []unmatched
	for _, o := range list {
		matcher := o.Get("matcher")
		if len(o.Get("properties").Items()) == 0 || variable(matcher.Get("options").Str()) {
			continue
		}
		out = append(out, names.override(p, matcher)...)
	}
	return out
}

func (f *fields) override(p *dashboard.Panel, matcher *source.Node) []unmatched {
	const what = "an override"
	options := matcher.Get("options")
	switch matcher.Get("id").Str() {
	case "byName":
		return f.look(what, options)
	case "byRegexp":
		if pattern := options.Str(); pattern != "" && !f.matches(pattern) {
			return []unmatched{{pos: options.Pos(), name: pattern, what: what, then: f, fix: "write a pattern that matches a field, or remove the override"}}
		}
	case "byNames":
		names := options.Get("names").Items()
		if options.Get("mode").Str() != "exclude" && len(names) > 0 {
			if lost := f.look(what, names...); len(lost) == len(names) {
				return lost[:1]
			}
		}
	case "byFrameRefID":
		return lostRefID(p, options)
	}
	return nil
}

// lostRefID finds an override for a query that the panel has not. Transformations
// make frames of their own.
func lostRefID(p *dashboard.Panel, options *source.Node) []unmatched {
	refID := options.Str()
	if refID == "" || len(p.Node.Get("transformations").Items()) > 0 || len(p.Targets) == 0 {
		return nil
	}
	var refs []string
	for _, t := range p.Targets {
		refs = append(refs, t.RefID.Value)
	}
	if slices.Contains(refs, refID) || strings.HasPrefix(refID, "/") {
		return nil
	}
	return []unmatched{{pos: options.Pos(), name: refID, what: "an override for the fields of a query",
		fix: "name one of the panel's queries (" + strings.Join(refs, ", ") + "), or remove the override"}}
}

// reducer looks for the field that a stat, a gauge or the like shows.
func (f *fields) reducer(p *dashboard.Panel) []unmatched {
	node := p.Node.At("options", "reduceOptions", "fields")
	pattern := node.Str()
	reduces := slices.Contains([]string{"stat", "gauge", "bargauge", "piechart"}, p.Type.Value)
	if !reduces || pattern == "" || variable(pattern) || p.Node.At("fieldConfig", "defaults", "displayName").Scalar() != "" {
		return nil
	}
	for _, o := range p.Node.At("fieldConfig", "overrides").Items() {
		for _, property := range o.Get("properties").Items() {
			if property.Get("id").Str() == "displayName" {
				return nil // the reducer may mean the name that it gives
			}
		}
	}
	if f.shows(pattern) {
		return nil
	}
	name := pattern
	if literal, ok := literally(pattern); ok {
		name = literal
	}
	return []unmatched{{pos: node.Pos(), name: name, what: "the choice of fields to show", then: f}}
}
