package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parseJSON(t *testing.T, text string) *Node {
	t.Helper()
	n, err := ParseJSON("f.json", []byte(text), DefaultLimits())
	require.NoError(t, err)
	return n
}

func TestParseJSONPositions(t *testing.T) {
	n := parseJSON(t, "{\n  \"a\": [1, true, null, \"é\"],\n  \"b\\\"\": {\"c\": -1.5e3}\n}\n")
	assert.Equal(t, "f.json:1:1", n.Pos().String())
	items := n.Get("a").Items()
	var got []string
	for _, i := range items {
		got = append(got, i.Pos().String()+" "+i.Kind().String())
	}
	assert.Equal(t, []string{"f.json:2:9 a number", "f.json:2:12 a boolean", "f.json:2:18 null", "f.json:2:24 a string"}, got)
	assert.Equal(t, "f.json:3:3", n.Fields()[1].KeyPos().String())
	assert.Equal(t, "b\"", n.Fields()[1].Key)
	f, ok := n.At("b\"", "c").Float()
	assert.True(t, ok)
	assert.InDelta(t, -1500, f, 0)
}

func TestParseJSONDuplicateKeyLastWins(t *testing.T) {
	n := parseJSON(t, `{"a": 1, "a": 2}`)
	assert.Equal(t, "2", n.Get("a").Scalar())
	assert.Len(t, n.Fields(), 2)
}

func TestParseJSONByteOrderMark(t *testing.T) {
	_, err := ParseJSON("f.json", []byte("\xef\xbb\xbf{\"a\":\n1}"), DefaultLimits())
	var problem *Problem
	require.ErrorAs(t, err, &problem)
	assert.Equal(t, Pos{File: "f.json", Line: 1, Column: 1}, problem.Pos)
	assert.Contains(t, problem.Message, "byte order mark")
	assert.Contains(t, problem.Message, "without")
	n := parseJSON(t, "\"\xef\xbb\xbf\"")
	assert.Equal(t, "\ufeff", n.Str(), "inside a string it is a character")
}

func TestPosAtThroughEscapes(t *testing.T) {
	tests := []struct {
		name, literal string
		find          string // in the decoded value
		column        int
	}{
		{"plain", `"abc"`, "c", 4},
		{"start", `"abc"`, "a", 2},
		{"newline", `"a\nb"`, "b", 5},
		{"quote", `"x{l=\"v\"}"`, "v", 8},
		{"backslashes", `"a\\\\b"`, "b", 7},
		{"u escape", `"\u00e9x"`, "x", 8},
		{"surrogate pair", `"\ud83d\ude00x"`, "x", 14},
		{"raw multibyte", `"éx"`, "x", 4},
		{"raw four bytes", `"😀x"`, "x", 6},
		{"escaped quote in front", `"\"x"`, "x", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := parseJSON(t, tt.literal).Text()
			offset := strings.Index(text.Value, tt.find)
			require.GreaterOrEqual(t, offset, 0)
			assert.Equal(t, tt.column, text.PosAt(offset).Column)
		})
	}
}

func TestPosAtEdges(t *testing.T) {
	text := parseJSON(t, `  "ab"`).Text()
	assert.Equal(t, 3, text.Pos.Column)
	assert.Equal(t, 6, text.PosAt(2).Column, "behind the last byte")
	assert.Equal(t, 6, text.PosAt(99).Column, "past the end")
	assert.Equal(t, 4, text.PosAt(-1).Column)
	assert.Equal(t, Pos{File: "x", Line: 3}, Text{Value: "v", Pos: Pos{File: "x", Line: 3}}.PosAt(1), "without a tree")
	var absent *Node
	assert.True(t, absent.PosAt(1).IsZero())
	assert.True(t, absent.Text().IsZero())
}

func TestParseJSONProblems(t *testing.T) {
	small := Limits{Bytes: 60, Depth: 3, Nodes: 5}
	tests := []struct {
		name, text, want string
		lim              Limits
	}{
		{"empty", "", "f.json:1:1: not valid JSON: the file is empty", DefaultLimits()},
		{"blank", " \n ", "f.json:2:2: not valid JSON: the file is empty", DefaultLimits()},
		{"cut off", "{\"a\": [1,\n", "f.json:2:1: not valid JSON: ", DefaultLimits()},
		{"trailing comma", "{\"a\": 1,\n}", "f.json:1:8: not valid JSON: ", DefaultLimits()},
		{"missing colon", "{\n\"a\" 1}", "f.json:2:5: not valid JSON: ", DefaultLimits()},
		{"bare word", "[\n  nope]", "f.json:2:", DefaultLimits()},
		{"two values", "{} {}", "f.json:1:5: not valid JSON: more text", DefaultLimits()},
		{"text behind", "{}\nx", "f.json:2:1: not valid JSON: ", DefaultLimits()},
		{"not UTF-8", "{\"a\":\n\"x\xff\"}", "f.json:2:3: not valid JSON: ", DefaultLimits()},
		{"lone surrogate", `["\ud800"]`, "f.json:1:", DefaultLimits()},
		{"number key", "{1: 2}", "f.json:1:2: not valid JSON: ", DefaultLimits()},
		{"wrong bracket", "[1}", "f.json:1:3: not valid JSON: ", DefaultLimits()},
		{"too deep", "[[[[1]]]]", "f.json:1:5: nested deeper than 3 levels", small},
		{"too many", "[1,2,3,4,5]", "f.json:1:9: more than 5 values", small},
		{"too large", strings.Repeat(" ", 61), "f.json: the file has 61 bytes, the limit is 60", small},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseJSON("f.json", []byte(tt.text), tt.lim)
			require.Error(t, err)
			var p *Problem
			require.ErrorAs(t, err, &p)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	const levels = 10_000
	for _, text := range []string{
		strings.Repeat("[", levels) + strings.Repeat("]", levels),
		strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels),
	} {
		_, err := ParseJSON("f.json", []byte(text), DefaultLimits())
		assert.ErrorContains(t, err, "nested deeper than 200 levels")
		_, err = ParseYAML("f.yml", []byte(text), DefaultLimits())
		assert.Error(t, err)
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		json string
		want int64
		ok   bool
	}{
		{"9007199254740993", 9007199254740993, true}, // more than a float holds
		{`"42"`, 42, true},
		{`"010"`, 10, true},
		{"1.9", 1, true},
		{"1e3", 1000, true},
		{"1e300", 0, false},
		{`"x"`, 0, false},
		{"true", 0, false},
		{"null", 0, false},
	}
	for _, tt := range tests {
		got, ok := parseJSON(t, tt.json).Int()
		assert.Equal(t, tt.ok, ok, tt.json)
		assert.Equal(t, tt.want, got, tt.json)
	}
}

// largeJSON is a dashboard-like file of about size bytes, on one line or many.
func largeJSON(size int, newline string) []byte {
	var b strings.Builder
	b.WriteString(`{"panels":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteString("," + newline)
		}
		fmt.Fprintf(&b, `{"id":%d,"title":"Panel \"%d\"","targets":[{"refId":"A","expr":"sum(rate(http_requests_total{job=\"api\"}[5m]))"}]}`, i, i)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func TestLargeFilesAreReadInLinearTime(t *testing.T) {
	for _, newline := range []string{"", "\n"} {
		data := largeJSON(2<<20, newline)
		start := time.Now()
		_, err := ParseJSON("f.json", data, DefaultLimits())
		require.NoError(t, err)
		_, err = ParseYAML("f.yml", data, DefaultLimits()) // as a JSON file for file_sd_configs is
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 20*time.Second) // quadratic would be minutes
	}
}

func BenchmarkParseJSON5MB(b *testing.B) {
	data := largeJSON(5<<20, "\n")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := ParseJSON("f.json", data, DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{"", "{}", `{"a":[1,"\u00e9\ud83d\ude00",null]}`, "[[[", `"\`, "\xef\xbb\xbf1", "{\"a\":1}x", "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ParseJSON("f", data, Limits{Bytes: 1 << 16, Depth: 20, Nodes: 1000})
		check(t, data, []*Node{n}, err)
	})
}

// check walks what a parser returned: nothing may panic, and every position has
// to lie in the file.
func check(t *testing.T, data []byte, roots []*Node, err error) {
	t.Helper()
	lines := strings.Split(string(data), "\n")
	inFile := func(p Pos) {
		if p.Line < 0 || p.Line > len(lines) {
			t.Fatalf("line of %v is outside of the file", p)
		}
		if p.Line > 0 && (p.Column < 1 || p.Column > len(lines[p.Line-1])+1) {
			t.Fatalf("column of %v is outside of the line", p)
		}
	}
	if err != nil {
		p, ok := err.(*Problem) //nolint:errorlint // the parsers promise exactly this type
		if !ok {
			t.Fatalf("not a problem: %v", err)
		}
		inFile(p.Pos)
		return
	}
	var walk func(n *Node)
	walk = func(n *Node) {
		inFile(n.Pos())
		inFile(n.PosAt(0))
		inFile(n.PosAt(len(n.Scalar())))
		for _, i := range n.Items() {
			walk(i)
		}
		for _, f := range n.Fields() {
			inFile(f.KeyPos())
			walk(f.Value)
		}
	}
	for _, n := range roots {
		walk(n)
	}
}
