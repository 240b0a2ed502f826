package fix

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack/source"
)

// jsonFile makes edits in the text of a JSON file.
type jsonFile struct {
	name string
	text []byte
}

func (j jsonFile) edit(start, end int, with string) Edit {
	return Edit{File: j.name, Start: start, End: end, New: with}
}

// valueEnd is the place behind the value that begins at start.
func (j jsonFile) valueEnd(start int) (int, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(j.text[start:]), jsontext.AllowDuplicateNames(true))
	v, err := dec.ReadValue()
	if err != nil {
		return 0, fmt.Errorf("find the end of a value: %w", err)
	}
	if !bytes.HasPrefix(j.text[start:], v) {
		return 0, errors.New("a value does not begin where it was found")
	}
	return start + len(v), nil
}

// span is where a value begins and ends.
func (j jsonFile) span(p source.Pos) (start, end int, err error) {
	if start, err = offset(j.text, p); err != nil {
		return 0, 0, err
	}
	end, err = j.valueEnd(start)
	return start, end, err
}

// replace puts other text in the place of a value or of a part of a string.
func (j jsonFile) replace(r rule.Replacement) (Edit, error) {
	if r.To.IsZero() {
		start, end, err := j.span(r.From)
		return j.edit(start, end, r.With), err
	}
	start, err := offset(j.text, r.From)
	if err != nil {
		return Edit{}, err
	}
	end, err := offset(j.text, r.To)
	if err == nil && end < start {
		err = errors.New("a part ends before it begins")
	}
	return j.edit(start, end, r.With), err
}

// unwrap leaves of the file's value only the one at p, indented as the file's was.
func (j jsonFile) unwrap(p source.Pos) (Edit, error) {
	start, end, err := j.span(p)
	if err != nil {
		return Edit{}, err
	}
	first := len(j.text) - len(bytes.TrimLeft(j.text, " \t\r\n"))
	last, err := j.valueEnd(first)
	return j.edit(first, last, string(outdented(j.text[start:end]))), err
}

// outdented takes the indentation of the last line off all lines but the first,
// where they all have it. A string of JSON has no line breaks.
func outdented(value []byte) []byte {
	lines := bytes.SplitAfter(value, []byte("\n"))
	last := lines[len(lines)-1]
	indent := last[:len(last)-len(bytes.TrimLeft(last, " \t"))]
	for _, l := range lines[1:] {
		if len(bytes.TrimSpace(l)) > 0 && !bytes.HasPrefix(l, indent) {
			return value
		}
	}
	out := slices.Clone(lines[0])
	for _, l := range lines[1:] {
		out = append(out, bytes.TrimPrefix(l, indent)...)
	}
	return out
}

// removeEntries takes entries out of the array of an object's member, and the member
// with the last of them.
func (j jsonFile) removeEntries(object *source.Node, key string, gone []source.Pos) ([]Edit, error) {
	items := object.Get(key).Items()
	var spans [][2]int
	var drop []bool
	for _, n := range items {
		start, end, err := j.span(n.Pos())
		if err != nil {
			return nil, err
		}
		spans, drop = append(spans, [2]int{start, end}), append(drop, slices.Contains(gone, n.Pos()))
	}
	if !slices.Contains(drop, false) {
		e, err := j.removeMember(object, key)
		return []Edit{e}, err
	}
	var edits []Edit
	for i := 0; i < len(items); i++ {
		run := i
		for run < len(items) && drop[run] {
			run++
		}
		switch {
		case run == i:
		case run < len(items):
			edits = append(edits, j.edit(spans[i][0], spans[run][0], ""))
		default: // the last ones, with the comma in front
			edits = append(edits, j.edit(spans[i-1][1], spans[run-1][1], ""))
		}
		i = run
	}
	return edits, nil
}

// removeMember takes a member out of an object, with one of the commas beside it.
func (j jsonFile) removeMember(object *source.Node, key string) (Edit, error) {
	fields := object.Fields()
	i := slices.IndexFunc(fields, func(f source.Field) bool { return f.Key == key })
	if i < 0 || slices.ContainsFunc(fields[i+1:], func(f source.Field) bool { return f.Key == key }) {
		return Edit{}, fmt.Errorf("%s does not stand once in its object", key)
	}
	start, err := offset(j.text, fields[i].KeyPos())
	if err != nil {
		return Edit{}, err
	}
	_, end, err := j.span(fields[i].Value.Pos())
	if err != nil {
		return Edit{}, err
	}
	switch {
	case i+1 < len(fields):
		end, err = offset(j.text, fields[i+1].KeyPos())
	case i > 0:
		_, start, err = j.span(fields[i-1].Value.Pos())
	}
	return j.edit(start, end, ""), err
}
