package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseJSON reads one JSON value. A *Problem is the only error it returns. A byte
// order mark is one, as Grafana reads files with a decoder that takes none.
func ParseJSON(file string, data []byte, lim Limits) (*Node, error) {
	doc := newDocument(WholeFile(file), data, true)
	if int64(len(data)) > lim.Bytes {
		return nil, tooLarge(doc.origin, int64(len(data)), lim)
	}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		return nil, &Problem{Pos: Pos{File: file, Line: 1, Column: 1},
			Message: "the file begins with a byte order mark, which Grafana refuses: save it as UTF-8 without one"}
	}
	p := &jsonParser{
		doc: doc,
		lim: lim,
		dec: jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true)),
	}
	n, err := p.value(0)
	if err != nil {
		return nil, p.problem(err)
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("more text after the JSON value")
		}
		return nil, p.problem(err)
	}
	return n, nil
}

func tooLarge(origin Origin, size int64, lim Limits) *Problem {
	return &Problem{Pos: origin.whole(), Message: fmt.Sprintf("the file has %d bytes, the limit is %d", size, lim.Bytes)}
}

type jsonParser struct {
	doc   *document
	dec   *jsontext.Decoder
	lim   Limits
	nodes int
}

func (p *jsonParser) value(depth int) (*Node, error) {
	if depth > p.lim.Depth {
		return nil, p.limit("nested deeper than %d levels", p.lim.Depth)
	}
	if p.nodes++; p.nodes > p.lim.Nodes {
		return nil, p.limit("more than %d values", p.lim.Nodes)
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &Node{doc: p.doc}
	end := int(p.dec.InputOffset())
	switch tok.Kind() {
	case 'n':
		n.kind, n.offset = Null, end-len("null")
	case 't', 'f':
		n.kind, n.text = Bool, tok.String()
		n.offset = end - len(n.text)
	case '0':
		n.kind, n.text = Number, tok.String()
		n.offset = end - len(n.text)
	case '"':
		n.kind, n.text = String, tok.String()
		n.offset = p.stringStart(end)
		n.raw = end - n.offset
	case '[':
		n.kind, n.offset = Array, end-1
		err = p.array(n, depth)
	case '{':
		n.kind, n.offset = Object, end-1
		err = p.object(n, depth)
	}
	return n, err
}

func (p *jsonParser) array(n *Node, depth int) error {
	for p.dec.PeekKind() != ']' {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *jsonParser) object(n *Node, depth int) error {
	for p.dec.PeekKind() != '}' {
		key, err := p.dec.ReadToken()
		if err != nil {
			return err
		}
		f := Field{Key: key.String(), KeyPos: p.doc.pos(p.stringStart(int(p.dec.InputOffset())))}
		if f.Value, err = p.value(depth + 1); err != nil {
			return err
		}
		n.fields = append(n.fields, f)
	}
	_, err := p.dec.ReadToken()
	return err
}

// stringStart finds the opening quote of the string literal that ends at end:
// the nearest quote before it with an even number of backslashes in front.
func (p *jsonParser) stringStart(end int) int {
	data := p.doc.data
	for i := end - 2; i >= 0; i-- {
		if data[i] != '"' {
			continue
		}
		slashes := 0
		for j := i - 1; j >= 0 && data[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return end
}

// limit is a problem with a file that may well be JSON, but not one we take.
func (p *jsonParser) limit(format string, args ...any) *Problem {
	offset := min(int(p.dec.InputOffset()), len(p.doc.data))
	return &Problem{Pos: p.doc.pos(offset), Message: fmt.Sprintf(format, args...)}
}

// problem turns a decoder's error into ours, with a position.
func (p *jsonParser) problem(err error) *Problem {
	var ours *Problem
	if errors.As(err, &ours) {
		return ours
	}
	offset := int(p.dec.InputOffset())
	msg := err.Error()
	var syn *jsontext.SyntacticError
	switch {
	case errors.As(err, &syn):
		offset = int(syn.ByteOffset)
		if syn.Err != nil {
			msg = syn.Err.Error()
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		msg = "the file is empty"
		if len(bytes.TrimSpace(p.doc.data)) > 0 {
			msg = "the file ends too early"
		}
		offset = len(p.doc.data)
	}
	offset = min(offset, len(p.doc.data))
	return &Problem{Pos: p.doc.pos(offset), Message: "not valid JSON: " + msg}
}

// rawOffset maps an offset into the decoded string to one into its literal,
// quotes included.
func rawOffset(lit []byte, offset int) int {
	decoded, i := 0, 1
	for i < len(lit)-1 && decoded < offset {
		if lit[i] != '\\' {
			_, size := utf8.DecodeRune(lit[i:])
			i += size
			decoded += size
			continue
		}
		if lit[i+1] != 'u' {
			i += 2
			decoded++
			continue
		}
		r, size := escapedRune(lit[i:])
		i += size
		decoded += utf8.RuneLen(r)
	}
	return i
}

// escapedRune reads \uXXXX, a surrogate pair as one rune.
func escapedRune(lit []byte) (rune, int) {
	hex := func(b []byte) (rune, bool) {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(b[2:6]), 16, 32)
		return rune(v), err == nil
	}
	r, ok := hex(lit)
	if !ok {
		return utf8.RuneError, 2
	}
	if r < 0xd800 || r > 0xdfff {
		return r, 6
	}
	if lo, ok := hex(lit[6:]); ok && r < 0xdc00 && lo >= 0xdc00 && lo <= 0xdfff {
		return (r-0xd800)<<10 + (lo - 0xdc00) + 0x10000, 12
	}
	return utf8.RuneError, 6
}
