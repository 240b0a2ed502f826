package source

import "bytes"

// yamlPosAt maps an offset into a YAML scalar to the file. Whatever the style, the
// bytes of the value that are no white space stand in the file in the same order;
// only indentation, line breaks, quotes and escapes lie between them. Where
// something else does (\n in double quotes, an anchor), all places are the
// scalar's own.
func (n *Node) yamlPosAt(offset int) Pos {
	if int(n.offset) >= len(n.doc.data) {
		return n.Pos()
	}
	raw, start := n.doc.data[n.offset:], 0
	quote := byte(0)
	switch raw[0] {
	case '|', '>':
		header := bytes.IndexByte(raw, '\n')
		if header < 0 {
			return n.Pos()
		}
		start = header + 1
	case '"', '\'':
		quote, start = raw[0], 1
	}
	at, ok := align(raw[start:], n.text, offset, quote)
	if !ok {
		return n.Pos()
	}
	return n.doc.pos(int(n.offset) + start + at)
}

// align finds where the byte of text at offset stands in raw; for white space that
// is the byte behind the one before it, for an offset past the end the byte behind
// the last one.
func align(raw []byte, text string, offset int, quote byte) (int, bool) {
	at, behind := 0, 0
	for i := 0; i < len(text); i++ {
		if isSpace(text[i]) {
			if i >= offset {
				return behind, true
			}
			continue
		}
		for at < len(raw) && isSpace(raw[at]) {
			at++
		}
		if at < len(raw) && (quote == '"' && raw[at] == '\\' || quote == '\'' && raw[at] == '\'') {
			at++
		}
		if at >= len(raw) || raw[at] != text[i] {
			return 0, false
		}
		if i >= offset {
			return at, true
		}
		at++
		behind = at
	}
	return behind, true
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
