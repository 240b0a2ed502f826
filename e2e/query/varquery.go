package query

import (
	"regexp"

	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// VariableKind is what a query variable of the Prometheus datasource asks for.
type VariableKind uint8

// The kinds of variable queries.
const (
	LabelNames  VariableKind = iota // label_names(), label_names(regex)
	LabelValues                     // label_values(label), label_values(selector, label)
	Metrics                         // metrics(regex)
	QueryResult                     // query_result(expr)
	Series                          // anything else: a series selector
)

// VariableQuery is a query variable's text, taken apart.
type VariableQuery struct {
	Kind VariableKind
	// Arg is the regular expression, the selector ("" for none) or the expression;
	// ArgOffset is its first byte in the text.
	Arg       string
	ArgOffset int
	Label     string // of LabelValues
}

var (
	labelNamesCall  = regexp.MustCompile(`^label_names\((.*)\)\s*$`)
	labelValuesCall = regexp.MustCompile(`(?s)^label_values\((?:(.+),\s*)?([a-zA-Z_$][a-zA-Z0-9_]*)\s*\)\s*$`)
	metricsCall     = regexp.MustCompile(`^metrics\((.+)\)\s*$`)
	queryResultCall = regexp.MustCompile(`(?s)^query_result\((.+)\)\s*$`)
)

// ParseVariableQuery takes a variable's query apart after its variables have been
// replaced. What is none of the functions is a series selector to Grafana, a
// misspelt function included; Prometheus then refuses it.
func ParseVariableQuery(text string) VariableQuery {
	for _, call := range []struct {
		kind    VariableKind
		pattern *regexp.Regexp
	}{{LabelNames, labelNamesCall}, {LabelValues, labelValuesCall}, {Metrics, metricsCall}, {QueryResult, queryResultCall}} {
		m := call.pattern.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		q := VariableQuery{Kind: call.kind}
		if m[2] >= 0 {
			q.Arg, q.ArgOffset = text[m[2]:m[3]], m[2]
		}
		if call.kind == LabelValues {
			q.Label = text[m[4]:m[5]]
		}
		return q
	}
	return VariableQuery{Kind: Series, Arg: text}
}

// queryText is the query as a text. Newer editors may save just their fields.
func queryText(v *dashboard.Variable) string {
	if v.Query.Value != "" {
		return v.Query.Value
	}
	return editorText(v.Node.Get("query"))
}

// editorText puts the fields of the query editor together as the text that
// Grafana makes of them.
func editorText(q *source.Node) string {
	kind, ok := q.Get("qryType").Int()
	if !ok {
		return ""
	}
	switch kind {
	case 0:
		return "label_names(" + q.Get("match").Str() + ")"
	case 1:
		selector := editorSelector(q)
		if selector == "" {
			return "label_values(" + q.Get("label").Str() + ")"
		}
		return "label_values(" + selector + "," + q.Get("label").Str() + ")"
	case 2:
		return "metrics(" + q.Get("metric").Str() + ")"
	case 3:
		return "query_result(" + q.Get("varQuery").Str() + ")"
	case 4:
		return q.Get("seriesQuery").Str()
	default:
		return q.Get("varQuery").Str()
	}
}

func editorSelector(q *source.Node) string {
	filters := ""
	for _, f := range q.Get("labelFilters").Items() {
		if filters != "" {
			filters += ","
		}
		filters += f.Get("label").Str() + f.Get("op").Str() + `"` + f.Get("value").Str() + `"`
	}
	if filters == "" {
		return q.Get("metric").Str()
	}
	return q.Get("metric").Str() + "{" + filters + "}"
}
