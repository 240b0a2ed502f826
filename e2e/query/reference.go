package query

import "strings"

// Reference is a place where a text names a variable.
type Reference struct {
	Name      string
	FieldPath string // of ${name.field}
	Format    string // of ${name:format}, with its arguments: "date:iso"
	// Start and End are byte offsets of the whole reference.
	Start, End int
}

// IsCaptureGroup says whether the reference can only be a group of a regular
// expression, as "$1" in label_replace: Grafana leaves it alone.
func (r Reference) IsCaptureGroup() bool {
	for _, c := range r.Name {
		if c < '0' || c > '9' {
			return false
		}
	}
	return r.Name != "" && r.Format == "" && r.FieldPath == ""
}

// References lists what text refers to, in order: $m, ${m}, ${m:format},
// ${m.field}, [[m]] and [[m:format]]. Whether such a variable exists is the
// caller's to decide.
//
// It reads what Grafana's pattern matches,
// \$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\},
// by hand: each text of each dashboard comes here several times.
func References(text string) []Reference {
	var refs []Reference
	for at := 0; ; {
		i := strings.IndexAny(text[at:], "$[")
		if i < 0 {
			return refs
		}
		at += i
		r, ok := referenceAt(text[at:])
		if !ok {
			at++
			continue
		}
		r.Start, r.End = at, at+r.End
		refs = append(refs, r)
		at = r.End
	}
}

// referenceAt reads the reference that text begins with; its End is how long it is.
func referenceAt(text string) (Reference, bool) {
	switch {
	case strings.HasPrefix(text, "[["):
		return squareReference(text)
	case strings.HasPrefix(text, "${"):
		return bracedReference(text)
	}
	n := wordLen(text[1:])
	if text[0] != '$' || n == 0 {
		return Reference{}, false
	}
	return Reference{Name: text[1 : 1+n], End: 1 + n}, true
}

// squareReference reads [[name:format]].
func squareReference(text string) (Reference, bool) {
	at := len("[[")
	n := wordLen(text[at:])
	r := Reference{Name: text[at : at+n]}
	at += n
	if strings.HasPrefix(text[at:], ":") {
		n := wordLen(text[at+1:])
		if n == 0 {
			return Reference{}, false
		}
		r.Format = text[at+1 : at+1+n]
		at += 1 + n
	}
	r.End = at + len("]]")
	return r, r.Name != "" && strings.HasPrefix(text[at:], "]]")
}

// bracedReference reads ${name.field:format}.
func bracedReference(text string) (Reference, bool) {
	at := len("${")
	n := wordLen(text[at:])
	r := Reference{Name: text[at : at+n]}
	at += n
	if strings.HasPrefix(text[at:], ".") {
		n := lenUntil(text[at+1:], ":^}")
		if n == 0 {
			return Reference{}, false
		}
		r.FieldPath = text[at+1 : at+1+n]
		at += 1 + n
	}
	if strings.HasPrefix(text[at:], ":") {
		n := lenUntil(text[at+1:], "}")
		if n == 0 {
			return Reference{}, false
		}
		r.Format = text[at+1 : at+1+n]
		at += 1 + n
	}
	r.End = at + len("}")
	return r, r.Name != "" && strings.HasPrefix(text[at:], "}")
}

// lenUntil is how long text goes on without one of the characters.
func lenUntil(text, chars string) int {
	if n := strings.IndexAny(text, chars); n >= 0 {
		return n
	}
	return len(text)
}

// wordLen is how many letters, digits and underscores text begins with.
func wordLen(text string) int {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return i
		}
	}
	return len(text)
}
