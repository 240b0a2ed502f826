// Package exposition reads the text that exporters print line by line and keeps it as it was printed: the order of families, series and
// labels, how numbers are spelled, comments. Prometheus's own parser throws those away, and they are what a recording is replayed by
// and what a fake is held against.
package exposition

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what a line is.
type Kind int

// The kinds of lines.
const (
	Comment Kind = iota // blank lines as well
	Help
	Type
	Unit
	End // OpenMetrics's # EOF
	Sample
)

// Line is one line of a scrape.
type Line struct {
	Kind Kind
	// Number counts from 1; Offset is where in the body the line begins.
	Number, Offset int
	// Text is the line as printed.
	Text string
	// Name is the metric's: of a sample its own, as nv_x_bucket, else that of the family.
	Name string
	// Series is a sample's text before the value: its name and what stands in braces.
	Series string
	Labels []Label
	// Value is a sample's value as printed, or the text, type or unit of a line of metadata.
	Value string
	// Rest is what stands behind a sample's value, a timestamp and an exemplar, each with the blank before it.
	Rest string
}

// Label is a label as printed, its value without escapes.
type Label struct{ Name, Value string }

// Error is what is wrong with a body, and where.
type Error struct {
	Line   int // counted from 1
	Offset int // in bytes from the beginning of the body
	What   string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d (byte %d): %s", e.Line, e.Offset, e.What) }

// Parse reads a body. The text of its lines is shared, not copied. The format is the classic text format or OpenMetrics: what differs
// between the two is more than the lines themselves say only to a parser of values.
func Parse(body []byte) ([]Line, error) {
	if what := isPage(body); what != "" {
		return nil, &Error{Line: 1, What: what}
	}
	text := string(body)
	lines := make([]Line, 0, strings.Count(text, "\n")+1)
	for offset, number := 0, 1; offset < len(text); number++ {
		line, _, _ := strings.Cut(text[offset:], "\n")
		parsed, err := parseLine(line)
		if err != nil {
			return nil, &Error{Line: number, Offset: offset, What: err.Error()}
		}
		parsed.Number, parsed.Offset = number, offset
		lines = append(lines, parsed)
		offset += len(line) + 1
	}
	return lines, nil
}

// isPage says that a body is something for people, as a login form or an error page of a proxy is; "" where it is not.
func isPage(body []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	switch {
	case bytes.HasPrefix(head, []byte("<!doctype")), bytes.HasPrefix(head, []byte("<html")), bytes.HasPrefix(head, []byte("<?xml")):
		return "this is a web page, no scrape: is the path right, and is a login in between?"
	case bytes.HasPrefix(head, []byte(`{"`)) && !bytes.Contains(head, []byte("} ")):
		return "this is JSON, no scrape"
	}
	return ""
}

func parseLine(text string) (Line, error) {
	if !utf8.ValidString(text) {
		return Line{}, fmt.Errorf("no UTF-8")
	}
	trimmed := strings.Trim(text, " \t")
	switch {
	case trimmed == "":
		return Line{Text: text}, nil
	case trimmed[0] == '#':
		return parseComment(text, trimmed), nil
	}
	return parseSample(text, trimmed)
}

func parseComment(text, trimmed string) Line {
	line := Line{Text: text}
	if trimmed == "# EOF" {
		line.Kind = End
		return line
	}
	word, rest := cutBlank(strings.TrimLeft(trimmed[1:], " \t"))
	kind, known := map[string]Kind{"HELP": Help, "TYPE": Type, "UNIT": Unit}[word]
	if !known {
		return line
	}
	if name, ok := quotedPrefix(rest); ok { // a name that is more than letters and underscores
		decoded, err := unquote(name)
		if err != nil {
			return line
		}
		line.Name, line.Value = decoded, strings.TrimLeft(rest[len(name):], " \t")
	} else {
		line.Name, line.Value = cutBlank(rest)
	}
	line.Kind = kind
	return line
}

// cutBlank cuts at the first blanks.
func cutBlank(s string) (before, after string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

func parseSample(text, trimmed string) (Line, error) {
	line := Line{Kind: Sample, Text: text}
	at := strings.IndexAny(trimmed, "{ \t")
	if at < 0 {
		return Line{}, fmt.Errorf("%s has no value", shown(trimmed))
	}
	line.Name = trimmed[:at]
	if line.Name != "" && !isName(line.Name) {
		return Line{}, fmt.Errorf("%s is no metric name", shown(line.Name))
	}
	if open := len(trimmed) - len(strings.TrimLeft(trimmed[at:], " \t")); trimmed[open] == '{' {
		length, err := line.parseLabels(trimmed[open:])
		if err != nil {
			return Line{}, err
		}
		at = open + length
	}
	if line.Name == "" {
		return Line{}, fmt.Errorf("%s names no metric", shown(trimmed))
	}
	line.Series = trimmed[:at]
	rest := strings.TrimLeft(trimmed[at:], " \t")
	line.Value = rest
	if i := strings.IndexAny(rest, " \t"); i >= 0 {
		line.Value, line.Rest = rest[:i], rest[i:]
	}
	if _, err := ParseValue(line.Value); err != nil {
		return Line{}, fmt.Errorf("the value of %s: %w", shown(line.Name), err)
	}
	return line, line.checkRest()
}

// checkRest looks at what stands behind the value.
func (l *Line) checkRest() error {
	timestamp, exemplar, _ := strings.Cut(l.Rest, "#")
	if timestamp = strings.Trim(timestamp, " \t"); timestamp != "" {
		if _, err := ParseValue(timestamp); err != nil {
			return fmt.Errorf("the timestamp of %s: %w", shown(l.Name), err)
		}
	}
	if exemplar = strings.Trim(exemplar, " \t"); exemplar != "" && exemplar[0] != '{' {
		return fmt.Errorf("behind the value of %s stands %s", shown(l.Name), shown(exemplar))
	}
	return nil
}

// parseLabels reads the braces that a text begins with and says how long they are.
func (l *Line) parseLabels(s string) (int, error) {
	at := 1
	skip := func() {
		for at < len(s) && (s[at] == ' ' || s[at] == '\t') {
			at++
		}
	}
	for {
		skip()
		if at < len(s) && s[at] == '}' {
			return at + 1, nil
		}
		name, length, err := labelName(s[at:])
		if err != nil {
			return 0, err
		}
		at += length
		skip()
		switch {
		case at < len(s) && s[at] == '=':
			at++
			skip()
			quoted, ok := quotedPrefix(s[at:])
			if !ok {
				return 0, fmt.Errorf("the value of label %s is not in quotes, or they have no end", shown(name))
			}
			value, err := unquote(quoted)
			if err != nil {
				return 0, fmt.Errorf("the value of label %s: %w", shown(name), err)
			}
			at += len(quoted)
			l.Labels = append(l.Labels, Label{Name: name, Value: value})
		case l.Name == "" && length > 0 && s[at-1] == '"':
			l.Name = name // in quotes and alone: the metric's own
		default:
			return 0, fmt.Errorf("label %s has no value", shown(name))
		}
		skip()
		switch {
		case at < len(s) && s[at] == ',':
			at++
		case at >= len(s) || s[at] != '}':
			return 0, fmt.Errorf("the braces of %s have no end", shown(l.Name))
		}
	}
}

// labelName is the name that a text begins with, in quotes or not, and how long it is there.
func labelName(s string) (name string, length int, err error) {
	if quoted, ok := quotedPrefix(s); ok {
		name, err := unquote(quoted)
		return name, len(quoted), err
	}
	for length < len(s) && isNameByte(s[length]) && s[length] != ':' {
		length++
	}
	if length == 0 || s[0] >= '0' && s[0] <= '9' {
		return "", 0, fmt.Errorf("%s is no label name", shown(s))
	}
	return s[:length], length, nil
}

// quotedPrefix is the quoted text that s begins with, its quotes included.
func quotedPrefix(s string) (string, bool) {
	if s == "" || s[0] != '"' {
		return "", false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i+1], true
		}
	}
	return "", false
}

// unquote takes the quotes and the escapes away. An escape that is none stands for itself, as for Prometheus.
func unquote(quoted string) (string, error) {
	if len(quoted) < 2 {
		return "", fmt.Errorf("%s has no quotes", shown(quoted))
	}
	s := quoted[1 : len(quoted)-1]
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(s), nil
}

// Quote writes a label value as exporters do, quotes included.
func Quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// NameText writes a name of a metric or a label as exporters do: in quotes where it is more than letters, digits and underscores.
func NameText(name string) string {
	if isName(name) {
		return name
	}
	return Quote(name)
}

func isName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) || i == 0 && s[i] >= '0' && s[i] <= '9' {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte) bool {
	return c == '_' || c == ':' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ParseValue reads a number as Prometheus does.
func ParseValue(s string) (float64, error) {
	if strings.ContainsAny(s, "pPxX_") {
		return 0, fmt.Errorf("%s is no number", shown(s))
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no number", shown(s))
	}
	return v, nil
}

// shown is a text for a message: quoted, and cut where it is long.
func shown(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%.60q…", s)
	}
	return strconv.Quote(s)
}
