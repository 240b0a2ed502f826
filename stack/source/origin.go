package source

import "bytes"

// Origin is where a text stands that is a value inside of another file, as a
// compose file may hold a whole prometheus.yml.
type Origin struct {
	Pos Pos // of the text's first byte, or of the value that holds it
	// Block says that the text stands in the file line by line, each indented
	// like the first, so that places in it can be told. Otherwise they all are
	// Pos.
	Block bool
}

// WholeFile is the origin of a text that is a file of its own.
func WholeFile(file string) Origin {
	return Origin{Pos: Pos{File: file, Line: 1, Column: 1}, Block: true}
}

// At is the place in the file of a line and column of the text, 0 for a column
// that is not known.
func (o Origin) At(line, column int) Pos {
	if !o.Block || line == 0 {
		return o.whole()
	}
	p := Pos{File: o.Pos.File, Line: o.Pos.Line + line - 1}
	if column > 0 {
		p.Column = o.Pos.Column + column - 1
	}
	return p
}

// whole is the place to show for the text as a whole: that of a file has no line.
func (o Origin) whole() Pos {
	if o == WholeFile(o.Pos.File) {
		return Pos{File: o.Pos.File}
	}
	return o.Pos
}

// Origin is where the text of a YAML string stands. A literal block ("|") has
// its lines as they are; in what is quoted or folded they cannot be told.
func (n *Node) Origin() Origin {
	fixed := Origin{Pos: n.Pos()}
	if n.Kind() != String || n.doc.json || int(n.offset) >= len(n.doc.data) || n.doc.data[n.offset] != '|' {
		return fixed
	}
	header, text, ok := bytes.Cut(n.doc.data[n.offset:], []byte("\n"))
	if !ok || bytes.ContainsAny(header, "123456789") { // an indentation of its own choosing
		return fixed
	}
	start := int(n.offset) + len(header) + 1
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if indent := len(line) - len(bytes.TrimLeft(line, " ")); len(bytes.TrimSpace(line)) > 0 {
			return Origin{Pos: n.doc.pos(start + indent), Block: true}
		}
		break // it begins with blank lines, which need no indentation
	}
	return fixed
}
