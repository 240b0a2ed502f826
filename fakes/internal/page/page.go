// Package page lays out a /metrics body once, so that a scrape only has to fill in the numbers.
package page

// Page is the text of a /metrics body with its values left open. S is what an exporter knows at one moment; every value is read
// from it. A Page is immutable once built and safe for concurrent use.
type Page[S any] struct {
	lines []line[S]
	size  int
}

// Value reads one sample's value from a snapshot.
type Value[S any] func(*S) float64

// Format writes a value as the exporter at hand does.
type Format func(dst []byte, v float64) []byte

type line[S any] struct {
	prefix string   // what stands before the value: comments of the family where it starts, then name and labels
	value  Value[S] // nil where a family has no sample
	format Format
}

// valueRoom is about what a value and its newline take; it only sizes the buffer.
const valueRoom = 18

// Builder collects the families and samples of a Page in print order. The zero Builder is ready to use.
type Builder[S any] struct {
	page    Page[S]
	comment string
	name    string
	format  Format
}

// Family starts a metric family. Nothing of it is printed before its first sample.
func (b *Builder[S]) Family(name, kind, help string, format Format) {
	b.comment = "# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n"
	b.name, b.format = name, format
}

// Sample adds a series of the family last started. labels is the text between the braces, empty for none; value gives its number.
func (b *Builder[S]) Sample(labels string, value Value[S]) { b.Suffixed("", labels, value) }

// Suffixed adds a series whose name is the family's and a suffix, as the sum and the count of a summary have it.
func (b *Builder[S]) Suffixed(suffix, labels string, value Value[S]) {
	prefix := b.comment + b.name + suffix
	if labels != "" {
		prefix += "{" + labels + "}"
	}
	prefix += " "
	b.comment = ""
	b.page.lines = append(b.page.lines, line[S]{prefix: prefix, value: value, format: b.format})
	b.page.size += len(prefix) + valueRoom
}

// Bare prints the family last started even if it has no sample.
func (b *Builder[S]) Bare() {
	if b.comment == "" {
		return
	}
	b.page.lines = append(b.page.lines, line[S]{prefix: b.comment})
	b.page.size += len(b.comment)
	b.comment = ""
}

// Page is the page laid out so far.
func (b *Builder[S]) Page() *Page[S] {
	page := b.page
	return &page
}

// Append writes the page with the snapshot's values behind dst.
func (p *Page[S]) Append(dst []byte, snapshot *S) []byte {
	if free := cap(dst) - len(dst); free < p.size {
		dst = append(make([]byte, 0, len(dst)+p.size), dst...)
	}
	for i := range p.lines {
		dst = append(dst, p.lines[i].prefix...)
		if p.lines[i].value == nil {
			continue
		}
		dst = p.lines[i].format(dst, p.lines[i].value(snapshot))
		dst = append(dst, '\n')
	}
	return dst
}
