package selftest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
	"github.com/panelgate/panelgate/stack/source"
)

// Mutant is a stack that is broken in one place.
type Mutant struct {
	Pos           source.Pos
	Before, After string // the line, or what of it is near the change; "" for none
	changes       []change
}

// change is a file and what becomes of it; nil is a file that is not there.
type change struct {
	file          string
	before, after *string
}

// String is for comparing mutants.
func (c change) String() string {
	if c.after == nil {
		return c.file
	}
	return c.file + "\x00" + *c.after
}

// Subject is the stack that mutants are made of.
type Subject struct {
	Stack   *stack.Stack
	boards  []*rule.Board
	metrics *catalogue.Catalogue
	sites   []*site
	files   map[string]string // by the name that positions give
	err     error             // the first file that could not be read
}

// NewSubject reads what the operators look at. choose picks the dashboards, nil for
// all.
func NewSubject(s *stack.Stack, choose func(*stack.Board) bool) *Subject {
	in := rule.NewStatic(s, choose, time.Now())
	out := &Subject{Stack: s, boards: in.Boards, metrics: in.Metrics, files: map[string]string{}}
	out.sites = sitesOf(in.Boards)
	return out
}

// text is a file's content.
func (s *Subject) text(file string) string {
	if text, ok := s.files[file]; ok {
		return text
	}
	data, err := os.ReadFile(filepath.Join(s.Stack.Dir, filepath.FromSlash(file)))
	if err != nil && s.err == nil {
		s.err = err
	}
	s.files[file] = string(data)
	return string(data)
}

// offset is a position's place in its file's text.
func (s *Subject) offset(p source.Pos) int {
	text, at := s.text(p.File), 0
	for range p.Line - 1 {
		n := strings.IndexByte(text[at:], '\n')
		if n < 0 {
			return len(text)
		}
		at += n + 1
	}
	if p.Line == 1 && strings.HasPrefix(text, "\xef\xbb\xbf") {
		at += 3
	}
	return min(at+max(p.Column-1, 0), len(text))
}

// pos is the position of a place in a file.
func (s *Subject) pos(file string, offset int) source.Pos {
	before := s.text(file)[:offset]
	line := strings.Count(before, "\n")
	return source.Pos{File: file, Line: line + 1, Column: offset - (strings.LastIndexByte(before, '\n') + 1) + 1}
}

// splice is a part of a file and what is put in its place.
type splice struct {
	file       string
	start, end int
	text       string
}

// mutant makes the splices, which are of one file and do not overlap. It is a mutant
// without a change where there is none.
func (s *Subject) mutant(splices ...splice) Mutant {
	if len(splices) == 0 {
		return Mutant{}
	}
	slices.SortFunc(splices, func(a, b splice) int { return a.start - b.start })
	file := splices[0].file
	before := s.text(file)
	var b strings.Builder
	at := 0
	for _, sp := range splices {
		if sp.start < at || sp.end < sp.start || sp.end > len(before) || sp.file != file {
			return Mutant{}
		}
		b.WriteString(before[at:sp.start])
		b.WriteString(sp.text)
		at = sp.end
	}
	b.WriteString(before[at:])
	after := b.String()
	if after == before {
		return Mutant{}
	}
	start, oldEnd, newEnd := differing(before, after)
	return Mutant{
		Pos: s.pos(file, start), Before: around(before, start, oldEnd), After: around(after, start, newEnd),
		changes: []change{{file: file, before: &before, after: &after}},
	}
}

// differing is where two texts begin to differ, and where in each of them they are
// the same again for good.
func differing(a, b string) (start, endA, endB int) {
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	endA, endB = len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	return start, endA, endB
}

// around is the text of [start, end) with what stands beside it in its line, as one
// line that is not too long.
func around(text string, start, end int) string {
	const beside, most = 48, 200
	from := max(strings.LastIndexByte(text[:start], '\n')+1, start-beside)
	start, end = min(start, len(text)), min(end, len(text))
	to := len(text)
	if n := strings.IndexByte(text[end:], '\n'); n >= 0 {
		to = end + n
	}
	to = min(to, end+beside)
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	part := strings.Join(strings.Fields(text[from:to]), " ")
	if runes := []rune(part); len(runes) > most {
		part = string(runes[:most/2]) + " … " + string(runes[len(runes)-most/2:])
	}
	return part
}

// without removes a file.
func (s *Subject) without(file string) Mutant {
	before := s.text(file)
	return Mutant{Pos: source.Pos{File: file}, Before: file, changes: []change{{file: file, before: &before}}}
}

// with adds a file that is not there.
func (s *Subject) with(file, content string) Mutant {
	return Mutant{Pos: source.Pos{File: file}, After: file, changes: []change{{file: file, after: &content}}}
}

// value replaces a value of JSON or a scalar of YAML, as it stands in the file.
func (s *Subject) value(n *source.Node, text string) Mutant {
	if !n.Exists() {
		return Mutant{}
	}
	return s.at(n.Pos(), text)
}

// at replaces the value that begins at a position.
func (s *Subject) at(p source.Pos, text string) Mutant {
	if p.Line == 0 {
		return Mutant{}
	}
	start := s.offset(p)
	return s.mutant(splice{file: p.File, start: start, end: s.end(p.File, start), text: text})
}

// raw is the value at a position as it stands in the file.
func (s *Subject) raw(p source.Pos) string {
	if p.Line == 0 {
		return ""
	}
	start := s.offset(p)
	return s.text(p.File)[start:s.end(p.File, start)]
}

// end is where the value that begins at start ends.
func (s *Subject) end(file string, start int) int {
	text := s.text(file)
	if filepath.Ext(file) == ".json" {
		d := json.NewDecoder(strings.NewReader(text[start:]))
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return start
		}
		return start + int(d.InputOffset())
	}
	return start + yamlScalar(text[start:])
}

// yamlScalar is the length of the scalar that a text begins with.
func yamlScalar(text string) int {
	if text == "" {
		return 0
	}
	if quote := text[0]; quote == '"' || quote == '\'' {
		for i := 1; i < len(text); i++ {
			switch {
			case quote == '"' && text[i] == '\\':
				i++
			case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
				i++
			case text[i] == quote:
				return i + 1
			}
		}
		return len(text)
	}
	line, _, _ := strings.Cut(text, "\n")
	line, _, _ = strings.Cut(line, " #")
	if i := strings.IndexAny(line, ",]}"); i >= 0 && !strings.Contains(line, "${") {
		line = line[:i]
	}
	return len(strings.TrimRight(line, " \r\t"))
}

// block is the part of a YAML file that a key, or an item of a list, takes: its
// lines, with those below it that are indented deeper.
func (s *Subject) block(p source.Pos) (start, end int) {
	text, at := s.text(p.File), s.offset(p)
	start = strings.LastIndexByte(text[:at], '\n') + 1
	indent := len(text[start:]) - len(strings.TrimLeft(text[start:], " "))
	end = start
	for first := true; end < len(text); first = false {
		line, _, _ := strings.Cut(text[end:], "\n")
		trimmed := strings.TrimLeft(line, " ")
		deeper := len(line)-len(trimmed) > indent || strings.TrimSpace(trimmed) == ""
		if !first && !deeper {
			break
		}
		end = min(end+len(line)+1, len(text))
	}
	// Blank lines belong to what follows.
	return start, min(end, start+len(strings.TrimRight(text[start:end], "\n "))+1)
}

// cut removes a YAML key or an item of a list. The first key of an item, which shares
// its line with the dash, cannot be cut so.
func (s *Subject) cut(p source.Pos) Mutant {
	if p.Line == 0 {
		return Mutant{}
	}
	start, end := s.block(p)
	return s.mutant(splice{file: p.File, start: start, end: end})
}

// key is the position of an object's key, zero where there is none or where it
// follows a dash.
func (s *Subject) key(n *source.Node, name string) source.Pos {
	for _, f := range n.Fields() {
		if f.Key != name {
			continue
		}
		at := s.offset(f.KeyPos())
		text := s.text(f.KeyPos().File)
		if strings.TrimSpace(text[strings.LastIndexByte(text[:at], '\n')+1:at]) == "" {
			return f.KeyPos()
		}
	}
	return source.Pos{}
}

// before puts lines in front of the line of a position.
func (s *Subject) before(p source.Pos, lines ...string) Mutant {
	if p.Line == 0 {
		return Mutant{}
	}
	at := s.offset(p)
	text := s.text(p.File)
	start := strings.LastIndexByte(text[:at], '\n') + 1
	indent := text[start : start+len(text[start:])-len(strings.TrimLeft(text[start:], " "))]
	return s.mutant(splice{file: p.File, start: start, end: start, text: indent + strings.Join(lines, "\n"+indent) + "\n"})
}

// member removes a member of a JSON object, with its comma.
func (s *Subject) member(n *source.Node, name string) Mutant {
	for i, f := range n.Fields() {
		if f.Key != name {
			continue
		}
		file := f.KeyPos().File
		text := s.text(file)
		start, valueStart := s.offset(f.KeyPos()), s.offset(f.Value.Pos())
		end := s.end(file, valueStart)
		switch {
		case i+1 < len(n.Fields()):
			end = s.offset(n.Fields()[i+1].KeyPos())
		case i > 0:
			start = strings.LastIndexByte(text[:start], ',')
		}
		return s.mutant(splice{file: file, start: start, end: end})
	}
	return Mutant{}
}

// insert puts a member in front of those of a JSON object.
func (s *Subject) insert(n *source.Node, member string) Mutant {
	if n.Kind() != source.Object || len(n.Fields()) == 0 {
		return Mutant{}
	}
	at := s.offset(n.Pos()) + 1
	return s.mutant(splice{file: n.Pos().File, start: at, end: at, text: member + ","})
}

// set gives a member of a JSON object another value, or adds it.
func (s *Subject) set(n *source.Node, name, value string) Mutant {
	if v := n.Get(name); v.Exists() {
		return s.value(v, value)
	}
	return s.insert(n, quoted(name)+": "+value)
}

// quoted is a JSON string, as short as Grafana writes it.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// panel is a panel that is neither a row nor a copy, with its dashboard.
type panel struct {
	*dashboard.Panel
	board *rule.Board
}

func (s *Subject) panels() []panel {
	var out []panel
	for _, b := range s.classic() {
		for _, p := range b.Panels {
			if !p.IsRow() && !p.Clone && p.Node.Exists() {
				out = append(out, panel{Panel: p, board: b})
			}
		}
	}
	return out
}

// classic are the dashboards of JSON files in the model that provisioning reads.
func (s *Subject) classic() []*rule.Board {
	return slices.DeleteFunc(slices.Clone(s.boards), func(b *rule.Board) bool {
		return b.Format != dashboard.Classic || !b.Root.Exists() || filepath.Ext(b.File) != ".json"
	})
}
