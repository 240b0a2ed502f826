package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack/source"
)

// unmatched is a name in a panel's settings that no field of the result has.
type unmatched struct {
	pos  source.Pos
	name string
	what string // which setting names it
	then *fields
	fix  string // in the place of the nearest name, "" where that is the fix
}

// transform follows a panel's transformations from the fields of the result to those
// that the panel draws, and gathers the names that lead nowhere on the way. After one
// whose outcome is not known in advance, nothing is.
func (f *fields) transform(list []*source.Node) []unmatched {
	var out []unmatched
	for _, t := range list {
		if t.Get("disabled").Bool() || f.open {
			continue
		}
		if t.Get("filter").Exists() { // only some of the frames
			f.open = true
			continue
		}
		options := t.Get("options")
		switch id := t.Get("id").Str(); id {
		case "merge", "seriesToRows", "limit", "concatenate", "filterByRefId", "filterFrames", "prepareTimeSeries", "series":
			f.open = f.open || id == "seriesToRows" || id == "concatenate"
		case "organize":
			out = append(out, f.organize(options)...)
		case "filterFieldsByName":
			out = append(out, f.look("the filter of the fields by name", options.At("include", "names").Items()...)...)
		case "sortBy":
			for _, s := range options.Get("sort").Items() {
				out = append(out, f.look("the sorting", s.Get("field"))...)
			}
		case "joinByField", "seriesToColumns":
			out = append(out, f.look("the join by field", options.Get("byField"))...)
			f.open = f.open || len(f.shapes) > 0 && slices.Contains(f.names, "Value #A")
		case "filterByValue":
			for _, s := range options.Get("filters").Items() {
				out = append(out, f.look("the filter of the data by value", s.Get("fieldName"))...)
			}
		case "groupBy":
			for _, field := range options.Get("fields").Fields() {
				if field.Value.Get("operation").Str() != "" {
					out = append(out, f.key("the grouping", field)...)
				}
			}
			f.open = true
		case "calculateField":
			out = append(out, f.calculate(options)...)
		case "convertFieldType":
			for _, c := range options.Get("conversions").Items() {
				out = append(out, f.look("the conversion of a field's type", c.Get("targetField"))...)
			}
		default:
			f.open = true
		}
	}
	return out
}

// look gathers the names that no field has. Those that a variable fills are anybody's.
func (f *fields) look(what string, names ...*source.Node) []unmatched {
	var out []unmatched
	for _, n := range names {
		if name := n.Str(); name != "" && !variable(name) && !f.has(name) {
			out = append(out, unmatched{pos: n.Pos(), name: name, what: what, then: f.copy()})
		}
	}
	return out
}

// key is look for a name that is the key of a setting.
func (f *fields) key(what string, field source.Field) []unmatched {
	if field.Key == "" || variable(field.Key) || f.has(field.Key) {
		return nil
	}
	return []unmatched{{pos: field.KeyPos(), name: field.Key, what: what, then: f.copy()}}
}

func (f *fields) copy() *fields {
	return &fields{names: slices.Clone(f.names), shapes: slices.Clone(f.shapes), open: f.open}
}

func variable(name string) bool { return len(query.References(name)) > 0 }

// organize hides, orders and renames fields. Grafana writes every field that it has
// seen into what is hidden and ordered, so that one which is not there any more says
// nothing; but one that is spelt almost like a field was meant to hide that.
func (f *fields) organize(options *source.Node) []unmatched {
	var out []unmatched
	for _, field := range options.Get("excludeByName").Fields() {
		near := nearest.Names(field.Key, f.names, 1)
		if field.Value.Bool() && len(near) > 0 && nearest.Likely(field.Key, near[0]) && !options.Get("excludeByName").Get(near[0]).Exists() &&
			!options.Get("renameByName").Get(near[0]).Exists() && !valueColumn(field.Key) {
			out = append(out, f.key("the hiding of fields", field)...)
		}
	}
	renames := options.Get("renameByName").Fields()
	for _, field := range renames {
		if field.Value.Str() != "" && field.Value.Str() != field.Key && !options.At("excludeByName", field.Key).Bool() {
			out = append(out, f.key("the renaming of fields", field)...)
		}
	}
	var added []string
	for _, field := range renames {
		if to := field.Value.Str(); to != "" && f.has(field.Key) {
			f.names = slices.DeleteFunc(f.names, func(n string) bool { return n == field.Key })
			added = append(added, to)
		}
		f.open = f.open || variable(field.Value.Str())
	}
	f.add(added...)
	return out
}

// valueColumn says whether a name is one that Grafana gives to the values of a query:
// they are alike, and none is a misspelling of another.
func valueColumn(name string) bool { return name == "Value" || strings.HasPrefix(name, "Value #") }

// calculate adds a field that is made of others.
func (f *fields) calculate(options *source.Node) []unmatched {
	var out []unmatched
	if options.Get("mode").Str() == "binary" {
		binary := options.Get("binary")
		for _, side := range []*source.Node{binary.Get("left"), binary.Get("right")} {
			if _, err := strconv.ParseFloat(side.Str(), 64); err != nil {
				out = append(out, f.look("a calculation", side)...)
			}
		}
	} else {
		out = append(out, f.look("a calculation", options.At("reduce", "include").Items()...)...)
	}
	if alias := options.Get("alias").Str(); alias != "" && !variable(alias) {
		f.add(alias)
	} else {
		f.open = true // its name is made of what it does
	}
	if options.Get("replaceFields").Bool() {
		f.open = true
	}
	return out
}
