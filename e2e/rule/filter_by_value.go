package rule

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/why"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// filtered finds the panels of which the queries have data and a filter of the data by
// value, as Grafana's transformation of that name, leaves nothing: they show "No data"
// as those do whose query has a comparison that removes all.
func filtered(in *Live) []Finding {
	var out []Finding
	for _, asked := range in.byPanel() {
		filter := emptying(asked[0].Panel)
		if filter == nil {
			continue
		}
		copies := gathered(asked, func(a *Asked) *query.Scope { return a.Scope }) // of a repeated panel
		for _, copied := range copies {
			if f, ok := leavesNothing(filter, copied); ok && !slices.ContainsFunc(copied, in.mayBeEmpty) {
				out = append(out, f)
				break // the other copies have the same filter
			}
		}
	}
	return out
}

func (in *Live) mayBeEmpty(a *Asked) bool { return in.Expected(a.Question, in.Instance.Now) }

// emptying is the filter by value that comes first among a panel's transformations, if
// those after it make no data where there is none; nil for no such filter.
func emptying(p *dashboard.Panel) *source.Node {
	list := slices.DeleteFunc(slices.Clone(p.Node.Get("transformations").Items()), func(t *source.Node) bool { return t.Get("disabled").Bool() })
	if len(list) == 0 || list[0].Get("id").Str() != "filterByValue" || list[0].Get("filter").Exists() {
		return nil
	}
	for _, t := range list[1:] {
		if !slices.Contains([]string{"filterByValue", "filterFieldsByName", "limit", "merge", "organize", "sortBy"}, t.Get("id").Str()) {
			return nil
		}
	}
	return list[0]
}

// leavesNothing says whether a filter by value leaves no row of a panel's frames, where
// that is certain.
func leavesNothing(filter *source.Node, asked []*Asked) (Finding, bool) {
	frames, ok := framesOf(asked)
	if !ok {
		return Finding{}, false
	}
	options, rows := filter.Get("options"), 0
	for _, f := range frames {
		kept, ok := f.keeps(options)
		if !ok || kept {
			return Finding{}, false
		}
		rows += f.rows
	}
	if rows == 0 { // every query is hidden
		return Finding{}, false
	}
	out := onPanel(asked[0].Board.Dashboard, asked[0].Panel, filter.Pos())
	out.Reason = string(why.FilteredOut)
	out.Message = fmt.Sprintf("no data in %s: the filter of the data by value leaves none of the %d rows that the queries return", asked[0].window(), rows)
	out.Evidence = compared(options, frames)
	out.Fix = "change the condition so that it leaves some of these values, or remove the transformation; a panel that is empty while all is well can be declared so in panelgate.yml (is: empty)"
	return out, true
}

// keeps says whether a filter keeps a row of the frame. ok is false where it has a
// condition of which that is not certain.
func (f frame) keeps(options *source.Node) (kept, ok bool) {
	filters := options.Get("filters").Items()
	all, include := options.Get("match").Str() == "all", options.Get("type").Str() == "include"
	if len(filters) == 0 || !include && options.Get("type").Str() != "exclude" {
		return true, len(filters) == 0
	}
	conditions := make([][]bool, len(filters))
	for i, filter := range filters {
		if conditions[i], ok = f.meets(filter); !ok {
			return false, false
		}
	}
	for row := range f.rows {
		matches := all
		for _, c := range conditions {
			if c[row] != all {
				matches = !all
				break
			}
		}
		kept = kept || matches == include
	}
	return kept, true
}

// meets says of each row whether it meets a condition. A field that the frame has not
// meets none.
func (f frame) meets(filter *source.Node) (out []bool, ok bool) {
	name := filter.Get("fieldName").Str()
	if variable(name) || name == "Time" {
		return nil, false
	}
	i := slices.IndexFunc(f.columns, func(c column) bool { return c.name == name })
	if i < 0 { // what a series' field is called in itself is "Value", whatever its legend
		return make([]bool, f.rows), name != "Value"
	}
	id, value := filter.At("config", "id").Str(), filter.At("config", "options", "value")
	if variable(value.Str()) {
		return nil, false
	}
	if f.columns[i].texts != nil {
		return compareTexts(f.columns[i].texts, id, value)
	}
	return compareNumbers(f.columns[i].numbers, id, filter.At("config", "options"))
}

func compareTexts(texts []string, id string, value *source.Node) ([]bool, bool) {
	var meets func(string) bool
	switch id {
	case "equal":
		meets = func(s string) bool { return s == value.Scalar() }
	case "notEqual":
		meets = func(s string) bool { return s != value.Scalar() }
	default:
		return nil, false
	}
	if value.Kind() != source.String { // JavaScript would make a number of the text
		return nil, false
	}
	return mapped(texts, meets), true
}

func compareNumbers(numbers []float64, id string, options *source.Node) ([]bool, bool) {
	bound, ok := options.Get("value").Float()
	var meets func(float64) bool
	switch id {
	case "greater":
		meets = func(v float64) bool { return v > bound }
	case "greaterOrEqual":
		meets = func(v float64) bool { return v >= bound }
	case "lower":
		meets = func(v float64) bool { return v < bound }
	case "lowerOrEqual":
		meets = func(v float64) bool { return v <= bound }
	case "equal":
		meets = func(v float64) bool { return v == bound }
	case "notEqual":
		meets = func(v float64) bool { return v != bound }
	case "between":
		to, known := options.Get("to").Float()
		bound, ok = options.Get("from").Float()
		ok = ok && known
		meets = func(v float64) bool { return bound < v && v < to }
	default:
		return nil, false
	}
	return mapped(numbers, meets), ok
}

func mapped[T any](all []T, meets func(T) bool) []bool {
	out := make([]bool, len(all))
	for i, v := range all {
		out[i] = meets(v)
	}
	return out
}

// compared says what the fields hold that a filter names.
func compared(options *source.Node, frames []frame) []string {
	done := "kept"
	if options.Get("type").Str() == "exclude" {
		done = "removed"
	}
	var out []string
	for _, filter := range options.Get("filters").Items() {
		name := filter.Get("fieldName").Str()
		said := fmt.Sprintf("the rows are %s whose %q is %s", done, oneLine(name), conditionOf(filter.Get("config")))
		if held := held(name, frames); held != "" {
			said += "; " + held
		} else {
			said += "; no field has that name"
		}
		out = append(out, said)
	}
	return out
}

// conditionOf is a condition of a filter in words.
func conditionOf(config *source.Node) string {
	options := config.Get("options")
	value := oneLine(options.Get("value").Scalar())
	switch config.Get("id").Str() {
	case "greater":
		return "above " + value
	case "greaterOrEqual":
		return value + " or above"
	case "lower":
		return "below " + value
	case "lowerOrEqual":
		return value + " or below"
	case "equal":
		return "equal to " + value
	case "notEqual":
		return "other than " + value
	case "between":
		return fmt.Sprintf("between %s and %s", oneLine(options.Get("from").Scalar()), oneLine(options.Get("to").Scalar()))
	}
	return oneLine(config.Get("id").Str())
}

// held are the values of the fields of a name, "" where there is none.
func held(name string, frames []frame) string {
	low, high := math.Inf(1), math.Inf(-1)
	var texts []string
	for _, f := range frames {
		for _, c := range f.columns {
			if c.name != name {
				continue
			}
			for _, v := range c.numbers {
				low, high = min(low, v), max(high, v)
			}
			texts = append(texts, c.texts...)
		}
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	const most = 5
	switch {
	case low <= high:
		return fmt.Sprintf("its values are between %.4g and %.4g", low, high)
	case len(texts) > most:
		return "its values are " + oneLine(strings.Join(texts[:most], ", ")) + ", …"
	case len(texts) > 0:
		return "its values are " + oneLine(strings.Join(texts, ", "))
	}
	return ""
}
