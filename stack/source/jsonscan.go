package source

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// span is where an array or an object of a JSON text ends, and which span is the first
// one behind it; spans are in the order of their beginnings.
type span struct{ end, next uint32 }

// jsonScanner makes nodes of a text that is known to be JSON. What it passes by it does
// not look into.
type jsonScanner struct {
	doc  *document
	text string
	at   int    // in the text
	next uint32 // the first span that begins there or later
}

// expand reads what an array or an object holds.
func (n *Node) expand() *inside {
	s := jsonScanner{doc: n.doc, text: n.doc.open(), at: int(n.offset) + 1, next: n.raw + 1}
	var itemsHere [16]*Node // most arrays and objects are small, and those that are not grow
	var fieldsHere [16]Field
	read := inside{items: itemsHere[:0], fields: fieldsHere[:0]}
	for {
		s.separator()
		if c := s.text[s.at]; c == ']' || c == '}' {
			read.own()
			return &inside{items: exactly(read.items), fields: exactly(read.fields)}
		}
		v := &Node{doc: n.doc}
		if n.kind == Array {
			s.value(v)
			read.items = append(read.items, v)
			continue
		}
		f := Field{keyOffset: uint32(s.at), Value: v} //nolint:gosec // no file is longer
		f.Key = s.literal()
		s.separator()
		s.value(v)
		read.fields = append(read.fields, f)
	}
}

// exactly is a copy with no room to grow, nil for nothing.
func exactly[T any](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return append(make([]T, 0, len(all)), all...)
}

// own copies the keys and scalars, which were parts of the whole text: whoever keeps one
// of them is not to keep that.
func (in *inside) own() {
	size := 0
	for _, v := range in.items {
		size += len(v.text)
	}
	for _, f := range in.fields {
		size += len(f.Key) + len(f.Value.text)
	}
	var all strings.Builder
	all.Grow(size)
	copied := func(s string) string {
		at := all.Len()
		all.WriteString(s)
		return all.String()[at:]
	}
	for _, v := range in.items {
		v.text = copied(v.text)
	}
	for i, f := range in.fields {
		in.fields[i].Key, f.Value.text = copied(f.Key), copied(f.Value.text)
	}
}

func (s *jsonScanner) space() {
	for strings.IndexByte(" \t\n\r", s.text[s.at]) >= 0 {
		s.at++
	}
}

// separator passes by white space, commas and colons.
func (s *jsonScanner) separator() {
	for strings.IndexByte(" \t\n\r,:", s.text[s.at]) >= 0 {
		s.at++
	}
}

// value makes n the value that begins here, and goes behind it.
func (s *jsonScanner) value(n *Node) {
	start := s.at
	n.offset = uint32(start) //nolint:gosec // no file is longer
	switch c := s.text[start]; c {
	case '{', '[':
		if n.kind = Object; c == '[' {
			n.kind = Array
		}
		n.raw = s.next
		s.at, s.next = int(s.doc.spans[n.raw].end), s.doc.spans[n.raw].next
	case '"':
		n.kind, n.text = String, s.literal()
		n.raw = uint32(s.at - start) //nolint:gosec // no file is longer
	default:
		s.at += wordLen(s.text[start:])
		switch word := s.text[start:s.at]; c {
		case 'n':
			n.kind = Null
		case 't', 'f':
			n.kind, n.text = Bool, word
		default:
			n.kind, n.text = Number, word
		}
	}
}

// wordLen is how long the number or the name is that a text begins with.
func wordLen(text string) int {
	if n := strings.IndexAny(text, ",]} \t\n\r"); n >= 0 {
		return n
	}
	return len(text)
}

// literal is the string that stands here, without quotes and escapes; it goes behind it.
func (s *jsonScanner) literal() string {
	rest := s.text[s.at+1:]
	end := strings.IndexAny(rest, `"\\`)
	if rest[end] == '"' {
		s.at += end + 2
		return rest[:end]
	}
	for rest[end] != '"' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	quoted := s.text[s.at : s.at+end+2]
	s.at += len(quoted)
	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return quoted // it was read before, and so is none that is not a string
	}
	return string(plain)
}
