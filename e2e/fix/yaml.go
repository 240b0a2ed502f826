package fix

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/panelgate/panelgate/e2e/rule"
)

// yamlFile makes edits in the text of a provisioning file. It refuses what it does
// not know how to edit.
type yamlFile struct {
	name string
	text []byte
}

// set gives a key of a provisioned datasource its value.
func (y yamlFile) set(s *rule.Setting) ([]Edit, error) {
	item, err := y.datasource(s)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Move:
		return y.move(item, s)
	case s.InJSONData:
		e, err := y.setJSONData(item, s.Key, s.Value, s.Key+": "+s.Value)
		return []Edit{e}, err
	}
	if key, value := member(item, s.Key); key != nil {
		e, err := y.replace(key, value, s.Value)
		return []Edit{e}, err
	}
	_, name := member(item, "name")
	if name == nil {
		return nil, errors.New("the datasource's name comes from a merge")
	}
	e, err := y.insertAfter(item, name, s.Key+": "+s.Value)
	return []Edit{e}, err
}

// datasource is the entry of datasources that a setting belongs to.
func (y yamlFile) datasource(s *rule.Setting) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(y.text)).Decode(&doc); err != nil {
		return nil, fmt.Errorf("read the file as YAML: %w", err)
	}
	if bytes.ContainsAny(y.text, "\u0085\u2028\u2029") || bytes.Contains(bytes.ReplaceAll(y.text, []byte("\r\n"), nil), []byte("\r")) {
		return nil, errors.New("the file has line ends of its own kind")
	}
	want, err := offset(y.text, s.Datasource.Pos)
	if err != nil {
		return nil, err
	}
	if len(doc.Content) == 1 {
		if version, _ := member(doc.Content[0], "apiVersion"); version == nil {
			return nil, errors.New("the file is of the old format without an apiVersion")
		}
		_, list := member(doc.Content[0], "datasources")
		for _, item := range contents(list) {
			if at, err := y.offset(item); err == nil && at == want && item.Kind == yaml.MappingNode && item.Anchor == "" {
				return item, nil
			}
		}
	}
	return nil, errors.New("the datasource is written with anchors or merges, so that a change may reach others")
}

func contents(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// member is a mapping's own member, nil where it has none.
func member(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func merges(n *yaml.Node) bool {
	for _, c := range n.Content {
		if c.Tag == "!!merge" {
			return true
		}
	}
	return false
}

func isFlow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// setJSONData gives a key of jsonData its value; entry is the line to insert where
// it has none.
func (y yamlFile) setJSONData(item *yaml.Node, name, value, entry string) (Edit, error) {
	key, data := member(item, "jsonData")
	switch {
	case data == nil && merges(item):
		return Edit{}, errors.New("jsonData may come from a merge")
	case data == nil:
		return y.insertJSONData(item, name, entry)
	case data.Kind == yaml.AliasNode || data.Anchor != "" || data.Kind == yaml.MappingNode && merges(data):
		return Edit{}, errors.New("jsonData is shared with others by an anchor")
	case data.Kind == yaml.ScalarNode && data.Tag == "!!null":
		return y.replace(key, data, "{"+entry+"}")
	case data.Kind != yaml.MappingNode:
		return Edit{}, errors.New("jsonData is no mapping")
	}
	if k, v := member(data, name); k != nil {
		return y.replace(k, v, value)
	}
	if len(data.Content) == 0 {
		at, err := y.offset(data)
		if err != nil || at >= len(y.text) || y.text[at] != '{' {
			return Edit{}, errors.New("jsonData is written in a way that is not edited")
		}
		return y.insert(at+1, entry), nil
	}
	return y.insertAfter(data, y.lastPlain(data, name), entry)
}

// insertJSONData adds jsonData with one entry to a datasource.
func (y yamlFile) insertJSONData(item *yaml.Node, moved, entry string) (Edit, error) {
	if isFlow(item) {
		return y.insertAfter(item, nil, "jsonData: {"+entry+"}")
	}
	after := y.lastPlain(item, moved)
	if after == nil {
		return Edit{}, errors.New("the datasource is written in a way that is not edited")
	}
	const step = "  "
	return y.insertAfter(item, after, "jsonData:"+y.eol()+y.indent(item)+step+entry)
}

// move takes a key's line to jsonData, or away where that has the key already.
func (y yamlFile) move(item *yaml.Node, s *rule.Setting) ([]Edit, error) {
	key, value := member(item, s.Key)
	if key == nil || isFlow(item) {
		return nil, errors.New("the datasource is written in a way that is not edited")
	}
	start, err := y.offset(key)
	if err != nil {
		return nil, err
	}
	end, err := y.lineEnd(value)
	if err != nil {
		return nil, err
	}
	lineStart := bytes.LastIndexByte(y.text[:start], '\n') + 1
	if len(bytes.TrimLeft(y.text[lineStart:start], " ")) > 0 {
		return nil, fmt.Errorf("%s is the first key of its datasource", s.Key)
	}
	entry := string(y.text[start:end])
	edits := []Edit{{File: y.name, Start: lineStart, End: y.nextLine(end)}}
	if edits[0].End == end && lineStart > 0 { // the file ends without a line break, and keeps doing so
		edits[0].Start = lineStart - len(y.lineBreak(lineStart))
	}
	_, data := member(item, "jsonData")
	if k, _ := member(data, s.Key); k != nil {
		return edits, nil // what stands there is in effect already
	}
	if strings.Contains(entry, "#") && data != nil && (data.Kind != yaml.MappingNode || isFlow(data)) {
		return nil, errors.New("the comment beside it has no place in jsonData")
	}
	e, err := y.setJSONData(item, s.Key, s.Value, entry)
	if e.Start == edits[0].Start { // the line goes where it came from
		edits[0].New = e.New
		return edits, err
	}
	return append(edits, e), err
}

// replace puts another value in the place of a scalar, in the quotes that it has,
// or behind the colon of its key where there is none.
func (y yamlFile) replace(key, value *yaml.Node, with string) (Edit, error) {
	if value.Kind == yaml.ScalarNode && value.Value == "" && value.Tag == "!!null" {
		at, err := y.offset(key)
		if err != nil {
			return Edit{}, err
		}
		at += len(key.Value)
		if key.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || !bytes.HasPrefix(y.text[at:], []byte(":")) {
			return Edit{}, fmt.Errorf("%s is written in a way that is not edited", key.Value)
		}
		return y.insert(at+1, " "+with), nil
	}
	start, end, err := y.scalar(value)
	if err != nil {
		return Edit{}, err
	}
	if strings.Contains(value.Value, "$") {
		return Edit{}, fmt.Errorf("%s comes from a variable", key.Value)
	}
	if q := y.text[start]; !strings.HasPrefix(with, "{") && (q == '"' || q == '\'') {
		with = string(q) + with + string(q)
	}
	return Edit{File: y.name, Start: start, End: end, New: with}, nil
}

func (y yamlFile) insert(at int, text string) Edit {
	return Edit{File: y.name, Start: at, End: at, New: text}
}

// insertAfter adds an entry to a mapping: on a line of its own behind that of a
// value, or inside of braces. Without a value to go behind it becomes the first.
func (y yamlFile) insertAfter(n, value *yaml.Node, entry string) (Edit, error) {
	if value == nil || isFlow(n) && !y.isScalar(value) {
		at, err := y.offset(n.Content[0])
		if err != nil {
			return Edit{}, err
		}
		if isFlow(n) {
			return y.insert(at, entry+", "), nil
		}
		return y.insert(at, entry+y.eol()+y.indent(n)), nil
	}
	if isFlow(n) {
		_, end, err := y.scalar(value)
		return y.insert(end, ", "+entry), err
	}
	end, err := y.lineEnd(value)
	return y.insert(end, y.eol()+y.indent(n)+entry), err
}

// indent is the white space in front of a block mapping's keys.
func (y yamlFile) indent(n *yaml.Node) string {
	return strings.Repeat(" ", max(n.Content[0].Column-1, 0))
}

// lastPlain is the last value of a mapping that is a scalar alone on its line, that
// of one key left out; nil for none.
func (y yamlFile) lastPlain(n *yaml.Node, except string) *yaml.Node {
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		value := n.Content[i+1]
		if n.Content[i].Value == except || !y.isScalar(value) {
			continue
		}
		if _, err := y.lineEnd(value); err == nil || isFlow(n) {
			return value
		}
	}
	return nil
}

func (y yamlFile) isScalar(n *yaml.Node) bool {
	_, _, err := y.scalar(n)
	return err == nil
}

// scalar is where a scalar on one line begins and ends.
func (y yamlFile) scalar(n *yaml.Node) (start, end int, err error) {
	refused := errors.New("a value is written in a way that is not edited")
	if n == nil || n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Value == "" && n.Tag == "!!null" {
		return 0, 0, refused
	}
	if start, err = y.offset(n); err != nil {
		return 0, 0, err
	}
	switch {
	case n.Style&(yaml.TaggedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return 0, 0, refused
	case n.Style&yaml.DoubleQuotedStyle != 0:
		end = quoteEnd(y.text, start, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		end = quoteEnd(y.text, start, '\'')
	case bytes.HasPrefix(y.text[start:], []byte(n.Value)):
		end = start + len(n.Value)
	}
	if end <= start || bytes.ContainsAny(y.text[start:end], "\r\n") {
		return 0, 0, refused
	}
	return start, end, nil
}

// quoteEnd is the place behind the closing quote of the string that begins at
// start, 0 where that is not found.
func quoteEnd(text []byte, start int, quote byte) int {
	if start >= len(text) || text[start] != quote {
		return 0
	}
	for i := start + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return 0
}

// lineEnd is the end of the line that a scalar stands on, which has nothing behind
// it but a comment.
func (y yamlFile) lineEnd(value *yaml.Node) (int, error) {
	_, end, err := y.scalar(value)
	if err != nil {
		return 0, err
	}
	rest, _, _ := bytes.Cut(y.text[end:], []byte("\n"))
	rest = bytes.TrimSuffix(rest, []byte("\r"))
	if said := bytes.TrimLeft(rest, " \t"); len(said) > 0 && (said[0] != '#' || len(said) == len(rest)) {
		return 0, errors.New("a line holds more than one value")
	}
	return end + len(rest), nil
}

// nextLine is the place behind the line break at at, at itself where the file ends.
func (y yamlFile) nextLine(at int) int {
	for _, eol := range []string{"\r\n", "\n"} {
		if bytes.HasPrefix(y.text[at:], []byte(eol)) {
			return at + len(eol)
		}
	}
	return at
}

// lineBreak is what ends the line in front of at.
func (y yamlFile) lineBreak(at int) string {
	if bytes.HasSuffix(y.text[:at], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// eol is how the file ends its lines.
func (y yamlFile) eol() string {
	if bytes.Contains(y.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// offset is the place of a node's first byte; its column counts characters.
func (y yamlFile) offset(n *yaml.Node) (int, error) {
	at := 0
	if bytes.HasPrefix(y.text, []byte(byteOrderMark)) {
		at = len(byteOrderMark)
	}
	for line := 1; line < n.Line; line++ {
		i := bytes.IndexByte(y.text[at:], '\n')
		if i < 0 {
			return 0, fmt.Errorf("line %d is not in the file", n.Line)
		}
		at += i + 1
	}
	for column := 1; column < n.Column && at < len(y.text); column++ {
		_, size := utf8.DecodeRune(y.text[at:])
		at += size
	}
	return at, nil
}
