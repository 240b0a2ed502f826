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
	at   int    // in the text
	next uint32 // the first span that begins there or later
}

// inside reads what an array or an object holds.
func (n *Node) expand() *inside {
	s := jsonScanner{doc: n.doc, at: int(n.offset) + 1, next: n.raw + 1}
	out := &inside{}
	for {
		s.separator()
		if c := n.doc.text[s.at]; c == ']' || c == '}' {
			return out
		}
		v := &Node{doc: n.doc}
		if n.kind == Array {
			s.value(v)
			out.items = append(out.items, v)
			continue
		}
		f := Field{keyOffset: uint32(s.at), Value: v} //nolint:gosec // no file is longer
		f.Key = s.literal()
		s.separator()
		s.value(v)
		out.fields = append(out.fields, f)
	}
}

func (s *jsonScanner) space() {
	for strings.IndexByte(" \t\n\r", s.doc.text[s.at]) >= 0 {
		s.at++
	}
}

// separator passes by white space, commas and colons.
func (s *jsonScanner) separator() {
	for strings.IndexByte(" \t\n\r,:", s.doc.text[s.at]) >= 0 {
		s.at++
	}
}

// value makes n the value that begins here, and goes behind it.
func (s *jsonScanner) value(n *Node) {
	start := s.at
	n.offset = uint32(start) //nolint:gosec // no file is longer
	switch c := s.doc.text[start]; c {
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
		s.at += wordLen(s.doc.text[start:])
		switch word := s.doc.text[start:s.at]; c {
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
	rest := s.doc.text[s.at+1:]
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
	quoted := s.doc.text[s.at : s.at+end+2]
	s.at += len(quoted)
	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return quoted // it was read before, and so is none that is not a string
	}
	return string(plain)
}
