package dashboard

import (
	"slices"

	"github.com/panelgate/panelgate/stack/source"
)

// AllValueToken is the saved value that stands for the option "All".
const AllValueToken = "$__all"

// Variable is the dashboard's variable of that name, nil where there is none.
func (d *Dashboard) Variable(name string) *Variable {
	for _, v := range d.Variables {
		if v.Name.Value == name {
			return v
		}
	}
	return nil
}

// IsAll says whether the saved selection is the option "All".
func (v *Variable) IsAll() bool {
	if slices.Contains(v.CurrentValue, AllValueToken) {
		return true
	}
	return v.IncludeAll && len(v.CurrentValue) == 0 && slices.Contains(v.CurrentText, "All")
}

func (r *reader) variable(n *source.Node) *Variable {
	v := &Variable{
		Name:         r.text(n.Get("name"), "a variable's name"),
		Type:         r.text(n.Get("type"), "a variable's type"),
		Label:        r.text(n.Get("label"), "a variable's label"),
		Query:        r.variableQuery(n.Get("query")),
		Regex:        r.text(n.Get("regex"), "a variable's regex"),
		RegexApplyTo: n.Get("regexApplyTo").Str(),
		Definition:   scalarText(n.Get("definition")),
		Sort:         r.enum(n.Get("sort"), "a variable's sort"),
		Multi:        r.bool(n.Get("multi"), "a variable's multi"),
		IncludeAll:   r.bool(n.Get("includeAll"), "a variable's includeAll"),
		AllValue:     r.label(n.Get("allValue"), "a variable's allValue"),
		Datasource:   r.ref(n.Get("datasource"), "a variable's datasource"),
		Hide:         r.enum(n.Get("hide"), "a variable's hide"),
		Refresh:      r.enum(n.Get("refresh"), "a variable's refresh"),
		Auto:         truthy(n.Get("auto")),
		AutoCount:    r.smallInt(first2(n, "auto_count", "autoCount"), "a variable's auto_count"),
		AutoMin:      r.label(first2(n, "auto_min", "autoMin"), "a variable's auto_min").Value,
		Pos:          n.Pos(),
		Node:         n,
	}
	r.current(v, n.Get("current"))
	for _, o := range r.list(n.Get("options"), "a variable's options") {
		if o.Kind() != source.Object { // Grafana builds them anew where they are of no use
			continue
		}
		v.Options = append(v.Options, Option{Text: joined(o.Get("text")), Value: joined(o.Get("value"))})
	}
	return v
}

// variableQuery is the text of a query, which an editor may have wrapped in an
// object with its own fields beside.
func (r *reader) variableQuery(n *source.Node) source.Text {
	if n.Kind() != source.Object {
		return r.label(n, "a variable's query")
	}
	if q := n.Get("query"); q.Kind() == source.String || q.Kind() == source.Number {
		return q.Text()
	}
	for _, key := range []string{"expr", "__legacyStringValue"} {
		if q := n.Get(key); q.Kind() == source.String {
			return q.Text()
		}
	}
	if spec := n.Get("spec"); spec.Kind() == source.Object { // the v2 model
		return r.variableQuery(spec)
	}
	return source.Text{}
}

// current reads the saved selection: {text, value}, each one value or a list.
func (r *reader) current(v *Variable, n *source.Node) {
	if !n.Exists() {
		return
	}
	v.CurrentPos = n.Pos()
	switch n.Kind() {
	case source.Null:
	case source.Object:
		v.CurrentText = values(n.Get("text"))
		v.CurrentValue = values(n.Get("value"))
	case source.String: // of a switch in the v2 model
		v.CurrentText, v.CurrentValue = values(n), values(n)
	default:
		r.wrong(n, "a variable's current", "an object")
	}
}

// values are the scalars of one value or of a list.
func values(n *source.Node) []string {
	var out []string
	switch n.Kind() {
	case source.Array:
		for _, item := range n.Items() {
			if k := item.Kind(); k == source.String || k == source.Number || k == source.Bool {
				out = append(out, item.Scalar())
			}
		}
	case source.String, source.Number, source.Bool:
		out = append(out, n.Scalar())
	}
	return out
}

// joined is an option's text or value; a list of one stands for its item.
func joined(n *source.Node) string {
	if all := values(n); len(all) > 0 {
		return all[0]
	}
	return ""
}

func first2(n *source.Node, a, b string) *source.Node {
	if v := n.Get(a); v.Exists() {
		return v
	}
	return n.Get(b)
}

// enum reads what the classic model writes as a number and the v2 model as a word.
func (r *reader) enum(n *source.Node, what string) int {
	switch n.Str() {
	case "dontHide", "never", "disabled":
		return 0
	case "hideLabel", "onDashboardLoad", "alphabeticalAsc":
		return 1
	case "hideVariable", "onTimeRangeChanged", "alphabeticalDesc":
		return 2
	case "inControlsMenu", "numericalAsc":
		return 3
	case "numericalDesc":
		return 4
	case "alphabeticalCaseInsensitiveAsc":
		return 5
	case "alphabeticalCaseInsensitiveDesc":
		return 6
	case "naturalAsc":
		return 7
	case "naturalDesc":
		return 8
	}
	return r.smallInt(n, what)
}
