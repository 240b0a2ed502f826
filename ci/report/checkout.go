package report

import (
	"bytes"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Checkout is where the file names of a document lead: what code hosts know of is
// relative to the root of a repository, and a document's names are as seen from where
// the command was run.
type Checkout struct {
	Dir  string // where the command was run, absolute
	Root string // of the repository, absolute
	// Read is the content of a file, named as the document does. Nil reads none.
	Read func(file string) ([]byte, error)
}

// Rel is a file as seen from the repository's root, with forward slashes. One that lies
// outside is named as absolutely as it can be.
func (c Checkout) Rel(file string) (name string, inside bool) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, file)
	}
	rel, err := filepath.Rel(c.Root, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return filepath.ToSlash(file), false
	}
	return filepath.ToSlash(rel), true
}

// name is a file as reports of code hosts name it.
func (c Checkout) name(file string) string {
	name, _ := c.Rel(file)
	return name
}

// columns turn columns that count bytes into such that count the code units of
// UTF-16, which is what code hosts and editors count. Each file is read once.
type columns struct {
	read  func(file string) ([]byte, error)
	lines map[string][][]byte
}

func (c Checkout) columns() *columns { return &columns{read: c.Read, lines: map[string][][]byte{}} }

// of is the column of a place, 0 where it cannot be told: then the line has to do.
func (c *columns) of(file string, line, column int) int {
	lines := c.file(file)
	if line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1])+1 {
		return 0
	}
	units := 1
	for before := lines[line-1][:column-1]; len(before) > 0; {
		r, size := utf8.DecodeRune(before)
		units += utf16.RuneLen(r) // that of a byte which is no text is 1, as that of its replacement
		before = before[size:]
	}
	return units
}

// file is a file's lines. Of one that cannot be read nothing is known, which is no
// error of the run: its findings are told without columns.
func (c *columns) file(name string) [][]byte {
	lines, known := c.lines[name]
	if !known && c.read != nil {
		if data, err := c.read(name); err == nil {
			lines = bytes.Split(data, []byte("\n"))
		}
		c.lines[name] = lines
	}
	return lines
}

// where is a file and line for formats that have no finding without them: the stack's
// directory where a finding is in no file, and the first line where it is of a whole one.
func (d *Document) where(f Finding) (file string, line int) {
	if f.File == "" {
		return path.Clean(filepath.ToSlash(d.Stack)), 1
	}
	return f.File, max(f.Line, 1)
}
