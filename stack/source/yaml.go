package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads the documents of a YAML file. Aliases are resolved, and
// counted against the limits as often as they are used. An empty file has no
// documents. A *Problem is the only error it returns.
func ParseYAML(file string, data []byte, lim Limits) (docs []*Node, err error) {
	return ParseYAMLAt(WholeFile(file), data, lim)
}

// ParseYAMLAt is ParseYAML for a text that stands inside of another file.
func ParseYAMLAt(origin Origin, data []byte, lim Limits) (docs []*Node, err error) {
	doc := newDocument(origin, data, false)
	if int64(len(data)) > lim.Bytes {
		return nil, tooLarge(origin, int64(len(data)), lim)
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, &Problem{Pos: doc.pos(i), Message: "not valid YAML: a byte that is not UTF-8"}
	}
	defer func() { // the library reports some broken files by panicking
		if r := recover(); r != nil {
			docs, err = nil, &Problem{Pos: origin.whole(), Message: fmt.Sprintf("not valid YAML: %v", r)}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	p := &yamlParser{doc: doc, lim: lim, lines: yamlLines(data), aliases: map[*yaml.Node]subtree{}}
	for {
		var y yaml.Node
		err := dec.Decode(&y)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, yamlProblem(doc, err)
		}
		n, err := p.value(&y, 0)
		if err != nil {
			return nil, err
		}
		docs = append(docs, n)
	}
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

type yamlParser struct {
	doc     *document
	lim     Limits
	nodes   int
	deepest int // the deepest level reached
	aliases map[*yaml.Node]subtree
	lines   []int // offset of each line's first byte, as YAML counts lines
	at      cursor
}

// subtree is what an anchor stands for. It is kept once, however often it is
// used, so that a file cannot fill the memory by repeating itself.
type subtree struct {
	node          *Node
	nodes, height int
}

// cursor is the place asked for last. Most files are read forwards, so the next
// place is found from there, which matters where a file is one long line.
type cursor struct {
	line, column, offset int
}

func (p *yamlParser) value(y *yaml.Node, depth int) (*Node, error) {
	if depth > p.lim.Depth {
		return nil, p.fail(y, "nested deeper than %d levels", p.lim.Depth)
	}
	if p.nodes++; p.nodes > p.lim.Nodes {
		return nil, p.fail(y, "more than %d values once aliases are resolved", p.lim.Nodes)
	}
	p.deepest = max(p.deepest, depth)
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return &Node{doc: p.doc}, nil
		}
		return p.value(y.Content[0], depth)
	case yaml.AliasNode:
		return p.alias(y, depth)
	}
	n := &Node{doc: p.doc, offset: uint32(p.offset(y))} //nolint:gosec // no file is longer
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = Array
		held := &inside{}
		n.held = held
		for _, c := range y.Content {
			item, err := p.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			held.items = append(held.items, item)
		}
	case yaml.MappingNode:
		n.kind = Object
		return n, p.mapping(n, y, depth)
	default:
		scalar(n, y)
	}
	return n, nil
}

// alias is the value that a reference stands for, with the position where that
// is written.
func (p *yamlParser) alias(y *yaml.Node, depth int) (*Node, error) {
	t, ok := p.aliases[y.Alias]
	if !ok {
		nodes, deepest := p.nodes, p.deepest
		p.deepest = depth
		n, err := p.value(y.Alias, depth+1) // an alias inside its own anchor ends at the depth limit
		if err != nil {
			return nil, err
		}
		t = subtree{node: n, nodes: p.nodes - nodes, height: p.deepest - depth}
		p.deepest = max(p.deepest, deepest)
		p.aliases[y.Alias] = t
		return n, nil
	}
	if depth+t.height > p.lim.Depth {
		return nil, p.fail(y, "nested deeper than %d levels", p.lim.Depth)
	}
	if p.nodes += t.nodes; p.nodes > p.lim.Nodes {
		return nil, p.fail(y, "more than %d values once aliases are resolved", p.lim.Nodes)
	}
	p.deepest = max(p.deepest, depth+t.height)
	return t.node, nil
}

func (p *yamlParser) mapping(n *Node, y *yaml.Node, depth int) error {
	held := &inside{}
	n.held = held
	var merged []Field
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		at := p.offset(key)
		v, err := p.value(value, depth+1)
		if err != nil {
			return err
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Tag == "!!merge" {
			merged = append(merged, mergedFields(v)...)
			continue
		}
		held.fields = append(held.fields, Field{Key: key.Value, Value: v, keyOffset: uint32(at)}) //nolint:gosec // no file is longer
	}
	if merged == nil {
		return nil
	}
	seen := map[string]bool{} // the mapping's own keys win, then what was merged first
	for _, f := range held.fields {
		seen[f.Key] = true
	}
	for _, f := range merged {
		if !seen[f.Key] {
			seen[f.Key] = true
			held.fields = append(held.fields, f)
		}
	}
	return nil
}

// mergedFields are what "<<: *anchor" or "<<: [*one, *two]" brings in.
func mergedFields(v *Node) []Field {
	if v.Kind() != Array {
		return v.Fields()
	}
	var out []Field
	for _, item := range v.Items() {
		out = append(out, item.Fields()...)
	}
	return out
}

// scalar keeps the text as it is written: a reader that wants a string of 007
// gets that, as Grafana's and Prometheus' do.
func scalar(n *Node, y *yaml.Node) {
	n.text = y.Value
	switch y.ShortTag() {
	case "!!null":
		n.kind, n.text = Null, ""
	case "!!bool":
		n.kind, n.text = Bool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		n.kind = Number
	default:
		n.kind = String
	}
}

// yamlLines are the offsets at which lines begin. YAML ends them at a few
// characters more than editors do.
func yamlLines(data []byte) []int {
	lines := []int{0}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		lines[0] = len(byteOrderMark)
	}
	for i, r := range string(data) {
		switch r {
		case '\n', '\u0085', '\u2028', '\u2029':
			lines = append(lines, i+utf8.RuneLen(r))
		case '\r':
			if i+1 == len(data) || data[i+1] != '\n' {
				lines = append(lines, i+1)
			}
		}
	}
	return lines
}

// offset turns yaml's line and column (in runes) into a byte offset.
func (p *yamlParser) offset(y *yaml.Node) int {
	if y.Line < 1 || y.Line > len(p.lines) {
		return 0
	}
	c := p.at
	if c.line != y.Line || c.column > y.Column {
		c = cursor{line: y.Line, column: 1, offset: p.lines[y.Line-1]}
	}
	for ; c.column < y.Column && c.offset < len(p.doc.data); c.column++ {
		_, size := utf8.DecodeRune(p.doc.data[c.offset:])
		c.offset += size
	}
	p.at = c
	return c.offset
}

func (p *yamlParser) fail(y *yaml.Node, format string, args ...any) *Problem {
	return &Problem{Pos: p.doc.pos(p.offset(y)), Message: fmt.Sprintf(format, args...)}
}

// isControl says whether YAML refuses the character wherever it stands.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
}

var (
	yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	// countsFromZero knows the errors of the library's parser by their text: it
	// counts lines from 0 in these, and from 1 in those of its scanner.
	countsFromZero = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key$|',' or)`)
	unknownAnchor  = regexp.MustCompile(`unknown anchor '(.+)' referenced`)
)

func yamlProblem(doc *document, err error) *Problem {
	msg := err.Error()
	pos := doc.origin.whole()
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, convErr := strconv.Atoi(m[1])
		if convErr != nil {
			line = 0
		}
		msg = msg[len(m[0]):]
		if countsFromZero.MatchString(msg) {
			line++
		}
		pos = doc.origin.At(min(line, len(doc.lines)), 1)
	} else if m := unknownAnchor.FindStringSubmatch(msg); m != nil {
		if i := bytes.Index(doc.data, []byte("*"+m[1])); i >= 0 {
			pos = doc.pos(i)
		}
	} else if i := bytes.IndexFunc(doc.data, isControl); i >= 0 {
		pos = doc.pos(i)
	} else { // the library leaves out the first line's number
		pos = doc.origin.At(1, 1)
	}
	return &Problem{Pos: pos, Message: "not valid YAML: " + strings.TrimPrefix(msg, "yaml: ")}
}
