package query

import (
	"regexp"
	"strings"
)

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

// referencePattern knows the three ways to write a reference: $name,
// [[name:format]] and ${name.field:format}.
var referencePattern = regexp.MustCompile(
	`\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}`)

// References lists what text refers to, in order: $m, ${m}, ${m:format},
// ${m.field}, [[m]] and [[m:format]]. Whether such a variable exists is the
// caller's to decide.
func References(text string) []Reference {
	var refs []Reference
	if !strings.ContainsAny(text, "$[") {
		return nil // most texts: no need to try the pattern at each of their bytes
	}
	for _, m := range referencePattern.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		refs = append(refs, Reference{
			Name:      group(1) + group(2) + group(4),
			FieldPath: group(5),
			Format:    group(3) + group(6),
			Start:     m[0],
			End:       m[1],
		})
	}
	return refs
}
