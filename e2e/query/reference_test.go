package query

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// referencePattern is what References reads by hand.
var referencePattern = regexp.MustCompile(
	`\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}`)

// referencesByPattern is References by the pattern.
func referencesByPattern(text string) []Reference {
	var refs []Reference
	for _, m := range referencePattern.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		refs = append(refs, Reference{
			Name: group(1) + group(2) + group(4), FieldPath: group(5), Format: group(3) + group(6), Start: m[0], End: m[1],
		})
	}
	return refs
}

func TestReferencesByPattern(t *testing.T) {
	for _, text := range []string{
		"", "$", "[", "[[", "${", "$m", "$$m", "$m$n", "$1", "$é", "\xff$m", "a[5m]", "up[$__rate_interval]",
		"[[m]]", "[[m:csv]]", "[[m:]]", "[[m:a-b]]", "[[[m]]]", "[[m]", "[[]]", "[[m:csv:x]]", "[[ m ]]",
		"${m}", "${m:csv}", "${m.field}", "${m.field:date:iso}", "${m.}", "${m:}", "${m.:csv}", "${m.a^b}", "${m:a^b}", "${m..x}", "${}", "${m", "${m:", "${m.x", "${ m }", "${m-n}", "${m:a}}", "${$m}", "${a$b}",
		"$a[[b]]${c:pipe}d", "${m.a.b:text}", "${m:date:YYYY-MM}", "[$m]", "[${m}]", "$[[m]]",
	} {
		assert.Equal(t, referencesByPattern(text), References(text), "%q", text)
	}
}
