package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parseYAML(t *testing.T, text string) *Node {
	t.Helper()
	docs, err := ParseYAML("f.yml", []byte(text), DefaultLimits())
	require.NoError(t, err)
	require.Len(t, docs, 1)
	return docs[0]
}

func TestParseYAMLPositions(t *testing.T) {
	n := parseYAML(t, "# comment\na:\n  - one\n  - 'two'\né: {k: 1.5, l: ~}\n")
	assert.Equal(t, "f.yml:2:1", n.Pos().String())
	assert.Equal(t, "f.yml:3:5", n.Get("a").Items()[0].Pos().String())
	assert.Equal(t, "f.yml:4:5", n.Get("a").Items()[1].Pos().String())
	assert.Equal(t, "f.yml:5:9", n.At("é", "k").Pos().String(), "columns count bytes")
	assert.Equal(t, Null, n.At("é", "l").Kind())
	assert.True(t, n.At("é", "l").Exists())
	assert.False(t, n.At("é", "m").Exists())
}

func TestParseYAMLScalars(t *testing.T) {
	tests := []struct {
		yaml string
		kind Kind
		text string
	}{
		{"007", Number, "007"}, // a uid read as text keeps its zeros
		{"0x1F", Number, "0x1F"},
		{"1_000", Number, "1_000"},
		{"True", Bool, "true"},
		{"yes", String, "yes"},
		{"'true'", String, "true"},
		{"!!str 5", String, "5"},
		{".inf", Number, ".inf"},
		{"2024-01-01", String, "2024-01-01"},
		{"null", Null, ""},
		{"", Null, ""},
		{"|\n  a\n  b\n", String, "a\nb\n"},
		{">-\n  a\n  b\n", String, "a b"},
		{"\"a\\nb\"", String, "a\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			n := parseYAML(t, "v: "+tt.yaml).Get("v")
			assert.Equal(t, tt.kind, n.Kind())
			assert.Equal(t, tt.text, n.Scalar())
		})
	}
	v, ok := parseYAML(t, "0x1F").Int()
	assert.True(t, ok)
	assert.EqualValues(t, 31, v)
}

func TestParseYAMLAnchorsAndMergeKeys(t *testing.T) {
	n := parseYAML(t, `
base: &base {a: 1, b: 2}
more: &more {b: 3, c: 4}
one: {<<: *base, b: 9}
two: {<<: [*base, *more], d: 5}
three: {d: 6, <<: *base}
four: *base
`)
	assert.Equal(t, "9", n.At("one", "b").Scalar(), "own keys win")
	assert.Equal(t, "1", n.At("one", "a").Scalar())
	assert.Len(t, n.Get("one").Fields(), 2, "a key shows up once")
	assert.Equal(t, "2", n.At("two", "b").Scalar(), "of several, the first wins")
	assert.Equal(t, "4", n.At("two", "c").Scalar())
	assert.Equal(t, "6", n.At("three", "d").Scalar())
	assert.Equal(t, "5", n.At("two", "d").Scalar(), "one merge does not write into another")
	assert.Equal(t, "f.yml:2:7", n.Get("four").Pos().String(), "where the value is written")
	assert.Len(t, n.Get("base").Fields(), 2)
}

func TestParseYAMLAliasAsKey(t *testing.T) {
	n := parseYAML(t, "a: &k name\n*k : v\n")
	assert.Equal(t, "v", n.Get("name").Scalar())
}

func TestParseYAMLDocuments(t *testing.T) {
	for text, want := range map[string]int{"": 0, "# only a comment\n": 0, "---\n": 1, "a: 1\n---\nb: 2\n": 2} {
		docs, err := ParseYAML("f.yml", []byte(text), DefaultLimits())
		require.NoError(t, err, text)
		assert.Len(t, docs, want, text)
	}
}

func TestParseYAMLOddLineEnds(t *testing.T) {
	n := parseYAML(t, "\xef\xbb\xbfa: 1\r\nb: \"x\u2028y\"\r\nc: 3\r\n")
	assert.Equal(t, "f.yml:1:4", n.Get("a").Pos().String(), "the byte order mark is no column")
	assert.Equal(t, "f.yml:1:1", n.Fields()[0].KeyPos().String())
	assert.Equal(t, "f.yml:2:4", n.Get("b").Pos().String())
	assert.Equal(t, "f.yml:3:4", n.Get("c").Pos().String(), "lines are those of an editor")
}

// bomb is a small file whose aliases stand for 10^levels values.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestParseYAMLProblems(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"tab", "a:\n\t- b\n", "f.yml:2:1: not valid YAML: "},
		{"not UTF-8", "a: 1\nb: \xff\n", "f.yml:2:4: not valid YAML: a byte that is not UTF-8"},
		{"unclosed", "x: 0\na: [1, 2\nb: 3\n", "f.yml:2:1: not valid YAML: did not find expected ',' or ']'"},
		{"on the first line", "a: [1", "f.yml:1:1: not valid YAML: did not find"},
		{"dash in a mapping", "a: 1\nb: 2\n- c\n", "f.yml:3:1: not valid YAML: did not find expected key"},
		{"colon twice", "a: 1\nb: c: d\n", "f.yml:2:1: not valid YAML: mapping values"},
		{"unknown alias", "a: 1\nb: *none\n", "f.yml:2:4: not valid YAML: unknown anchor"},
		{"bomb", bomb(9), "once aliases are resolved"},
		{"alias inside its anchor", "a: &a [*a]\n", "nested deeper than"},
		{"alias inside its anchor twice", "a: &a [*a, *a]\n", "nested deeper than"},
		{"control character", "a: 1\nb: \x01\n", "f.yml:2:4: not valid YAML: control characters"},
		{"UTF-16", "\xff\xfea\x00:\x00", "f.yml:1:1: not valid YAML: a byte that is not UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseYAML("f.yml", []byte(tt.text), DefaultLimits())
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestParseYAMLDeepThroughAliases(t *testing.T) {
	lim := Limits{Bytes: 1 << 20, Depth: 6, Nodes: 1000}
	_, err := ParseYAML("f.yml", []byte("a: &a [[1]]\nb: &b [*a]\nc: *b\n"), lim)
	require.NoError(t, err)
	_, err = ParseYAML("f.yml", []byte("a: &a [[1]]\nb: &b [*a]\nc: [[[*b]]]\n"), lim)
	require.ErrorContains(t, err, "nested deeper than 6 levels")
}

func FuzzParseYAML(f *testing.F) {
	for _, s := range []string{"", "a: 1", "a: &x [1]\nb: *x\n", "<<: {a: 1}", "- |\n  x\n", "? [a]\n: b", "\xef\xbb\xbfa: 1", "a: \u2028b", "--- x\n--- y\n", "&a [*a]", "*x : y", "a: !!int x", "a\r\rb: 1", "!!binary a", bomb(3)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := ParseYAML("f", data, Limits{Bytes: 1 << 16, Depth: 20, Nodes: 1000})
		check(t, data, docs, err)
	})
}
