package query

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// allText is how "All" is shown.
const allText = "All"

// operand is what a format works on: one value, or a list of them. A list of one
// is not the same as one value: JSON prints it in brackets.
type operand struct {
	list   []string
	isList bool
}

func scalar(s string) operand { return operand{list: []string{s}} }

func (o operand) first() string {
	if len(o.list) == 0 {
		return ""
	}
	return o.list[0]
}

// operand is the value behind a reference. A field path of a list picks one of
// its elements by index; any other field of a plain value is empty in Grafana.
func (v Value) operand(fieldPath string) operand {
	o := operand{list: v.Values}
	switch {
	case v.All:
		o = operand{list: v.optionValues(), isList: true}
	case v.Multi && !v.Narrowed:
		o.isList = true
	case len(o.list) == 0:
		o = scalar("")
	}
	if fieldPath == "" {
		return o
	}
	if !o.isList {
		return scalar(v.Fields[fieldPath])
	}
	if i, err := strconv.Atoi(fieldPath); err == nil && i >= 0 && i < len(o.list) {
		return scalar(o.list[i])
	}
	return operand{list: make([]string, len(o.list)), isList: true}
}

// text is how the selection is shown.
func (v Value) text() string {
	switch {
	case v.All:
		return allText
	case len(v.Texts) == 0:
		return strings.Join(v.Values, " + ")
	default:
		return strings.Join(v.Texts, " + ")
	}
}

// format renders a value by the name after the colon. A name that Grafana does
// not know means glob.
func format(v Value, o operand, spec string) string {
	name, args, hasArgs := strings.Cut(spec, ":")
	each := func(f func(string) string) []string {
		out := make([]string, len(o.list))
		for i, s := range o.list {
			out[i] = f(s)
		}
		return out
	}
	switch name {
	case "csv", "raw":
		return strings.Join(o.list, ",")
	case "pipe":
		return strings.Join(o.list, "|")
	case "join":
		separator := ","
		if hasArgs {
			separator, _, _ = strings.Cut(args, ":")
		}
		return strings.Join(o.list, separator)
	case "regex":
		return alternatives(o, escapeRegex)
	case "json":
		return jsonText(o)
	case "text":
		return v.text()
	case "doublequote":
		return strings.Join(each(func(s string) string { return quoted(s, `"`, `\"`) }), ",")
	case "singlequote":
		return strings.Join(each(func(s string) string { return quoted(s, `'`, `\'`) }), ",")
	case "sqlstring":
		return strings.Join(each(sqlString), ",")
	case "html":
		return strings.Join(each(escapeHTML), ", ")
	case "lucene":
		return lucene(o)
	case "distributed":
		return strings.Join(o.list, ","+v.Name+"=")
	case "date":
		if o.isList { // Grafana dates single values only
			return "NaN"
		}
		return formatDate(o.first(), args)
	case "percentencode":
		return encodeURIComponentStrict(braced(o))
	case "uriencode":
		return encodeURIStrict(braced(o))
	case "queryparam":
		return queryParams(v, o)
	case "customqueryparam":
		return customQueryParams(v, o, args)
	default:
		return glob(o)
	}
}

// glob is Grafana's default: {a,b} for several, the bare value for one.
func glob(o operand) string {
	if len(o.list) > 1 {
		return braced(o)
	}
	return o.first()
}

// braced puts a list in braces even where it holds less than two.
func braced(o operand) string {
	if !o.isList {
		return o.first()
	}
	return "{" + strings.Join(o.list, ",") + "}"
}

// alternatives is a list as one group of a regular expression, () where it is
// empty and without the group where it holds one.
func alternatives(o operand, escape func(string) string) string {
	if len(o.list) == 1 {
		return escape(o.list[0])
	}
	escaped := make([]string, len(o.list))
	for i, s := range o.list {
		escaped[i] = escape(s)
	}
	return "(" + strings.Join(escaped, "|") + ")"
}

// escapeEach puts before in front of every character of s that is in set.
func escapeEach(s, set, before string) string {
	if !strings.ContainsAny(s, set) {
		return s
	}
	var b strings.Builder
	for i := range len(s) { // set is ASCII, so bytes will do
		if strings.IndexByte(set, s[i]) >= 0 {
			b.WriteString(before)
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func escapeRegex(s string) string { return escapeEach(s, `\^$*+?.()|[]{}/`, `\`) }

// promEscape is the escaping of the Prometheus datasource for a reference that
// stands inside a quoted PromQL string.
func promEscape(v Value, o operand, d Dialect) string {
	special := d == PromQLSpecialChars
	if !v.Multi && !v.IncludeAll {
		s := strings.ReplaceAll(o.first(), `\`, `\\`)
		if special {
			return strings.ReplaceAll(s, `"`, `\"`)
		}
		return strings.ReplaceAll(s, `'`, `\\'`)
	}
	return alternatives(o, func(s string) string { return promRegex(s, special) })
}

// promRegex escapes s for a regular expression and that once more for the PromQL
// string around it, so that a literal dot becomes \\. in the text.
func promRegex(s string, special bool) string {
	s = strings.ReplaceAll(s, `\`, `\\\\`)
	if !special {
		return escapeEach(s, `$^*{}[]+?.()|`, `\\`)
	}
	s = escapeEach(s, `$^*{}[]'+?.()|`, `\\`)
	return strings.ReplaceAll(s, `"`, `\\\"`)
}

func quoted(s, quote, escaped string) string {
	return quote + strings.ReplaceAll(s, quote, escaped) + quote
}

func sqlString(s string) string {
	return "'" + strings.NewReplacer(`'`, `''`, `"`, `\"`).Replace(s) + "'"
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}

// jsonText is a JSON array of strings; a single value stays as it is.
func jsonText(o operand) string {
	if !o.isList {
		return o.first()
	}
	out := []byte{'['}
	for i, s := range o.list {
		if i > 0 {
			out = append(out, ',')
		}
		quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
		if err != nil { // only invalid UTF-8 is refused, which is gone by now
			panic(fmt.Sprintf("quote %q: %v", s, err))
		}
		out = append(out, quoted...)
	}
	return string(append(out, ']'))
}

// lucene is a query for Elasticsearch: ("a" OR "b").
func lucene(o operand) string {
	if !o.isList {
		return escapeLucene(o.first())
	}
	if len(o.list) == 0 {
		return "__empty__"
	}
	terms := make([]string, len(o.list))
	for i, s := range o.list {
		terms[i] = `"` + escapeLucene(s) + `"`
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// decimal is what counts as a number, which Lucene takes unescaped (-1).
var decimal = regexp.MustCompile(`^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$`)

func escapeLucene(s string) string {
	if decimal.MatchString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsSpace(r) || strings.ContainsRune(`!*+-=<>&|()[]{}^~?:\/"`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
