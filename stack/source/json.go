package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseJSON reads one JSON value. A *Problem is the only error it returns. A byte
// order mark is one, as Grafana reads files with a decoder that takes none. The whole
// text is checked, and values are made of it as they are looked at: of a dashboard most
// never are.
func ParseJSON(file string, data []byte, lim Limits) (*Node, error) {
	doc := newDocument(WholeFile(file), data, true)
	if int64(len(data)) > lim.Bytes || int64(len(data)) > math.MaxUint32 {
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
	if err := p.value(0); err != nil {
		return nil, p.problem(err)
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("more text after the JSON value")
		}
		return nil, p.problem(err)
	}
	doc.data, doc.text = nil, string(data)
	s := jsonScanner{doc: doc, text: doc.text}
	s.space()
	n := &Node{doc: doc}
	s.value(n)
	n.text = strings.Clone(n.text)
	return n, nil
}

func tooLarge(origin Origin, size int64, lim Limits) *Problem {
	return &Problem{Pos: origin.whole(), Message: fmt.Sprintf("the file has %d bytes, the limit is %d", size, lim.Bytes)}
}

// jsonParser checks a text and notes where its arrays and objects end.
type jsonParser struct {
	doc   *document
	dec   *jsontext.Decoder
	lim   Limits
	nodes int
}

func (p *jsonParser) value(depth int) error {
	if depth > p.lim.Depth {
		return p.limit("nested deeper than %d levels", p.lim.Depth)
	}
	if p.nodes++; p.nodes > p.lim.Nodes {
		return p.limit("more than %d values", p.lim.Nodes)
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case '[':
		return p.span(']', depth, func() error { return nil })
	case '{':
		return p.span('}', depth, func() error {
			_, err := p.dec.ReadToken() // the key
			return err
		})
	}
	return nil
}

// span reads what an array or an object holds, each value behind what comes before it.
func (p *jsonParser) span(closing jsontext.Kind, depth int, before func() error) error {
	at := len(p.doc.spans)
	p.doc.spans = append(p.doc.spans, span{})
	for p.dec.PeekKind() != closing {
		if err := before(); err != nil {
			return err
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	p.doc.spans[at] = span{end: uint32(p.dec.InputOffset()), next: uint32(len(p.doc.spans))} //nolint:gosec // no file is longer
	return err
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
func rawOffset(lit string, offset int) int {
	decoded, i := 0, 1
	for i < len(lit)-1 && decoded < offset {
		if lit[i] != '\\' {
			_, size := utf8.DecodeRuneInString(lit[i:])
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
func escapedRune(lit string) (rune, int) {
	hex := func(b string) (rune, bool) {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(b[2:6], 16, 32)
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
