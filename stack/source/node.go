package source

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
	"weak"

	"github.com/klauspost/compress/s2"
)

// Kind is the type of a value in a tree.
type Kind uint8

// The kinds of JSON, which YAML is folded onto.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as an error message would.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Node is one value of a parsed file. All methods accept a nil receiver and
// treat it as absent, so that look-ups can be chained.
type Node struct {
	doc *document
	// held is what an array or an object holds; of JSON nil until somebody looks.
	held   *inside
	text   string // scalars: the decoded value
	offset uint32 // of the value's first byte in the file
	// raw is the length of the value's literal in the file, for JSON strings, and for
	// arrays and objects of JSON which of the document's spans they are.
	raw  uint32
	kind Kind
}

// inside is what an array or an object holds.
type inside struct {
	items  []*Node
	fields []Field
}

// Field is a member of an object. Where a key stands twice, the last one wins
// in Get, as it does in Grafana and in Prometheus' readers.
type Field struct {
	Key       string
	Value     *Node
	keyOffset uint32
}

// KeyPos is where the key stands.
func (f Field) KeyPos() Pos { return f.Value.doc.pos(int(f.keyOffset)) }

// document is what the nodes of one file share.
type document struct {
	origin Origin
	data   []byte   // of YAML
	spans  []span   // of JSON
	lines  []uint32 // offset of the first byte of each line
	json   bool

	looking sync.Mutex           // held while a node of JSON is looked into, and for what follows
	text    string               // of JSON, "" while it is folded
	folded  []byte               // the text compressed, nil until it was folded once
	recent  weak.Pointer[string] // the text as it was last unfolded
}

// byteOrderMark is what some editors put in front of UTF-8, unseen.
const byteOrderMark = "\xef\xbb\xbf"

func newDocument(origin Origin, data []byte, json bool) *document {
	d := &document{origin: origin, data: data, lines: make([]uint32, 1, 1+bytes.Count(data, []byte{'\n'})), json: json}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		d.lines[0] = uint32(len(byteOrderMark)) // columns count from what is seen
	}
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return d
		}
		at += i + 1
		d.lines = append(d.lines, uint32(at)) //nolint:gosec // no file is longer
	}
}

func (d *document) pos(offset int) Pos {
	at := max(uint32(offset), d.lines[0])         //nolint:gosec // no file is longer
	line, _ := slices.BinarySearch(d.lines, at+1) // first line starting after it
	return d.origin.At(line, int(at-d.lines[line-1])+1)
}

// Kind is the node's type; an absent node is Null.
func (n *Node) Kind() Kind {
	if n == nil {
		return Null
	}
	return n.kind
}

// Exists says whether the value is in the file, be it null.
func (n *Node) Exists() bool { return n != nil }

// Pos is where the value begins.
func (n *Node) Pos() Pos {
	if n == nil {
		return Pos{}
	}
	return n.doc.pos(int(n.offset))
}

// Get is the member key of an object, nil where there is none.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range slices.Backward(n.Fields()) {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// At follows keys down through objects.
func (n *Node) At(keys ...string) *Node {
	for _, k := range keys {
		n = n.Get(k)
	}
	return n
}

// Items are the elements of an array.
func (n *Node) Items() []*Node {
	if n.Kind() != Array {
		return nil
	}
	return n.look().items
}

// Fields are the members of an object in file order.
func (n *Node) Fields() []Field {
	if n.Kind() != Object {
		return nil
	}
	return n.look().fields
}

// look is what an array or an object holds. Whoever looks first makes it.
func (n *Node) look() *inside {
	if !n.doc.json {
		return n.held
	}
	n.doc.looking.Lock()
	defer n.doc.looking.Unlock()
	if n.held == nil {
		n.held = n.expand()
	}
	return n.held
}

// Fold forgets what has been made of a value of JSON by looking into it. It is made
// anew when somebody looks again, as other nodes: those that somebody has stay as they
// are.
func (n *Node) Fold() {
	if n == nil || !n.doc.json {
		return
	}
	n.doc.looking.Lock()
	defer n.doc.looking.Unlock()
	n.held = nil
}

// FoldFile compresses the text of the value's file, if that is JSON, until somebody looks
// into it again: of dashboards it is a tenth of the size then.
func (n *Node) FoldFile() {
	if n == nil || !n.doc.json {
		return
	}
	d := n.doc
	d.looking.Lock()
	defer d.looking.Unlock()
	if d.folded == nil {
		d.folded = bytes.Clone(s2.Encode(nil, []byte(d.text))) // the encoder makes room for a text that does not compress
	}
	d.text = ""
}

// open is the text of a file of JSON. The caller holds looking.
func (d *document) open() string {
	if d.text == "" && d.folded != nil {
		d.text = d.unfolded()
	}
	return d.text
}

// unfolded is the text of a folded file. Whoever asks for many of its places in a row
// finds it unfolded, until the collector takes it. The caller holds looking.
func (d *document) unfolded() string {
	if recent := d.recent.Value(); recent != nil {
		return *recent
	}
	text, err := s2.Decode(nil, d.folded)
	if err != nil {
		panic(fmt.Errorf("unfold %s, which was folded in this process: %w", d.origin.whole().File, err))
	}
	out := string(text)
	d.recent = weak.Make(&out)
	return out
}

// literal is how a JSON string stands in its file.
func (n *Node) literal() string {
	n.doc.looking.Lock()
	defer n.doc.looking.Unlock()
	text := n.doc.text
	if text == "" {
		text = n.doc.unfolded() // and not kept: a finding asks for one place
	}
	return strings.Clone(text[n.offset : n.offset+n.raw]) // a part would keep the whole
}

// Str is the value of a string, "" for anything else.
func (n *Node) Str() string {
	if n.Kind() != String {
		return ""
	}
	return n.text
}

// Scalar is the value of a string, number or boolean as text, "" for the rest.
func (n *Node) Scalar() string {
	switch n.Kind() {
	case String, Number, Bool:
		return n.text
	default:
		return ""
	}
}

// Text is Scalar with its position.
func (n *Node) Text() Text {
	if n == nil {
		return Text{}
	}
	return Text{Value: n.Scalar(), Pos: n.Pos(), node: n}
}

// Bool is the value of a boolean, false for anything else.
func (n *Node) Bool() bool { return n.Kind() == Bool && n.text == "true" }

// Int is the value of a number, or of a string that is one, as Grafana's
// readers accept both, without its fraction; ok is false for anything else and
// for what 64 bits cannot hold.
func (n *Node) Int() (v int64, ok bool) {
	if v, ok := n.integer(); ok {
		return v, true
	}
	f, ok := n.Float()
	if !ok || math.IsNaN(f) || f < math.MinInt64 || f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}

// Float is the value of a number, or of a string that is one.
func (n *Node) Float() (v float64, ok bool) {
	if k := n.Kind(); k != Number && k != String {
		return 0, false
	}
	if v, ok := n.integer(); ok {
		return float64(v), true
	}
	v, err := strconv.ParseFloat(n.text, 64)
	return v, err == nil
}

// integer reads whole numbers, those of YAML with their prefixes (0x, 0o, 0b)
// and underscores.
func (n *Node) integer() (int64, bool) {
	base := 10
	switch n.Kind() {
	case Number:
		base = 0
	case String:
	default:
		return 0, false
	}
	v, err := strconv.ParseInt(n.text, base, 64)
	return v, err == nil
}

// PosAt maps a byte offset into a string's decoded value back to the file. An
// offset past the end gives the position just behind the last byte.
func (n *Node) PosAt(offset int) Pos {
	if n.Kind() == String && !n.doc.json {
		return n.yamlPosAt(offset)
	}
	if n.Kind() != String || n.raw == 0 {
		return n.Pos()
	}
	if int(n.raw) == len(n.text)+len(`""`) { // nothing in it is escaped
		at := min(max(offset, 0), len(n.text))
		for at < len(n.text) && !utf8.RuneStart(n.text[at]) {
			at++
		}
		return n.doc.pos(int(n.offset) + 1 + at)
	}
	return n.doc.pos(int(n.offset) + rawOffset(n.literal(), offset))
}
