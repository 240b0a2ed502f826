// Package source reads the files of a stack so that nothing forgets where it
// came from: JSON and YAML become trees whose every value knows its file, line
// and column, and input that is broken, huge, too deep or not UTF-8 becomes a
// Problem with a position instead of a panic.
package source

import "fmt"

// Pos is a place in a file of the stack. Line and Column count from 1; a column
// counts bytes, as compilers do. Line 0 means the file as a whole.
type Pos struct {
	File   string // relative to the stack's directory, with forward slashes
	Line   int
	Column int
}

// String renders the position as file:line:col, leaving out what is not known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// IsZero says whether the position names nothing.
func (p Pos) IsZero() bool { return p == Pos{} }

// Problem is what is wrong with an input, and where. It is an error, so that a
// reader can return it as one.
type Problem struct {
	Pos     Pos
	Message string
}

// Error implements error as "file:line:col: message".
func (p *Problem) Error() string { return p.Pos.String() + ": " + p.Message }

// Limits bounds what a parser accepts, so that hostile input costs a bounded
// amount of memory and stack.
type Limits struct {
	Bytes int64 // size of one file
	Depth int   // nesting of arrays and objects
	Nodes int   // values in one tree, YAML aliases counted as often as they are used
}

// DefaultLimits leave room for the largest dashboards seen in practice
// (a few MB) by an order of magnitude.
func DefaultLimits() Limits {
	return Limits{Bytes: 32 << 20, Depth: 200, Nodes: 2_000_000}
}

// Text is a string of a file together with its position.
type Text struct {
	Value string
	Pos   Pos
	node  *Node
}

// PosAt maps a byte offset into Value back to the file, through JSON's escapes and
// YAML's quotes, indentation and folding. Without a tree behind the text (hand-made
// values), and where it cannot be told, it is the position of the text itself.
func (t Text) PosAt(offset int) Pos {
	if t.node == nil {
		return t.Pos
	}
	return t.node.PosAt(offset)
}

// IsZero says whether the text is absent from its file.
func (t Text) IsZero() bool { return t.Value == "" && t.Pos.IsZero() }
