package fix

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// Edit puts other text in the place of a file's bytes from Start to End.
type Edit struct {
	File       string // as positions name it
	Start, End int
	New        string
}

// byPlace orders edits by file and place.
func byPlace(a, b Edit) int {
	switch {
	case a.File != b.File:
		return strings.Compare(a.File, b.File)
	case a.Start != b.Start:
		return a.Start - b.Start
	default:
		return a.End - b.End
	}
}

// tidied orders the edits of one fix and leaves out those that say the same twice.
func tidied(edits []Edit) ([]Edit, error) {
	slices.SortStableFunc(edits, byPlace)
	edits = slices.Compact(edits)
	for i := 1; i < len(edits); i++ {
		if meet(edits[i-1], edits[i]) {
			return nil, errors.New("two changes fall on the same place")
		}
	}
	return edits, nil
}

// meet says whether two edits change the same bytes, or add at the same place.
func meet(a, b Edit) bool {
	if a.File != b.File {
		return false
	}
	return a.Start < b.End && b.Start < a.End || a.Start == b.Start
}

// applied is the text with edits made that do not meet.
func applied(text []byte, edits []Edit) []byte {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, byPlace)
	var out []byte
	last := 0
	for _, e := range edits {
		out = append(append(out, text[last:e.Start]...), e.New...)
		last = e.End
	}
	return append(out, text[last:]...)
}

// byteOrderMark is not counted in the columns of positions.
const byteOrderMark = "\xef\xbb\xbf"

// offset is the place of a position in its file's text.
func offset(text []byte, p source.Pos) (int, error) {
	at := 0
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		at = len(byteOrderMark)
	}
	for line := 1; line < p.Line; line++ {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return 0, fmt.Errorf("%s is not in the file", p)
		}
		at += i + 1
	}
	at += p.Column - 1
	if p.Line < 1 || p.Column < 1 || at > len(text) {
		return 0, fmt.Errorf("%s is not in the file", p)
	}
	return at, nil
}
