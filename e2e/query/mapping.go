package query

import (
	"sort"
	"strings"
)

// Mapping leads from byte offsets in an interpolated text back to the text as
// written. The zero Mapping is the identity.
type Mapping struct {
	// stages are in the order in which the text was rewritten.
	stages [][]piece
}

// piece is a run of the rewritten text that begins at out and came from src.
type piece struct {
	out, src int
	literal  bool // copied byte for byte; otherwise all of it stands for src
}

// Source is the offset in the text as written that the byte at offset came
// from. A byte that a variable or macro brought in maps to the start of its
// reference. Negative offsets map to 0.
func (m Mapping) Source(offset int) int {
	offset = max(offset, 0)
	for i := len(m.stages) - 1; i >= 0; i-- {
		offset = sourceOf(m.stages[i], offset)
	}
	return offset
}

func sourceOf(pieces []piece, offset int) int {
	i := sort.Search(len(pieces), func(i int) bool { return pieces[i].out > offset }) - 1
	if i < 0 {
		return offset
	}
	p := pieces[i]
	if !p.literal {
		return p.src
	}
	return p.src + offset - p.out
}

// then is the mapping of m's text rewritten once more.
func (m Mapping) then(next Mapping) Mapping {
	stages := make([][]piece, 0, len(m.stages)+len(next.stages))
	return Mapping{stages: append(append(stages, m.stages...), next.stages...)}
}

// rewriter builds a text out of copied and replaced parts of another.
type rewriter struct {
	text   string // as written
	done   int    // bytes of text dealt with
	out    strings.Builder
	pieces []piece
}

// replace copies text up to start and puts value in the place of text[start:end].
func (r *rewriter) replace(start, end int, value string) {
	r.copyTo(start)
	r.pieces = append(r.pieces, piece{out: r.out.Len(), src: start})
	r.out.WriteString(value)
	r.done = end
}

func (r *rewriter) copyTo(end int) {
	if end > r.done {
		r.pieces = append(r.pieces, piece{out: r.out.Len(), src: r.done, literal: true})
		r.out.WriteString(r.text[r.done:end])
		r.done = end
	}
}

// finish copies the rest and hands out the text with its mapping.
func (r *rewriter) finish() (string, Mapping) {
	r.copyTo(len(r.text))
	// An error at the end of input points just behind the text as written.
	r.pieces = append(r.pieces, piece{out: r.out.Len(), src: len(r.text), literal: true})
	return r.out.String(), Mapping{stages: [][]piece{r.pieces}}
}
