package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
)

func TestCompileRegex(t *testing.T) {
	tests := []struct {
		regex, text string
		want        [][]string
	}{
		{"a.*", "xab", nil}, // without slashes it has to match as a whole
		{"a.*", "abc", [][]string{{"abc"}}},
		{"/b/", "abc", [][]string{{"b"}}},
		{"/(b)/", "abcb", [][]string{{"b", "b"}}},
		{"/(b)/g", "abcb", [][]string{{"b", "b"}, {"b", "b"}}},
		{"/B/i", "abc", [][]string{{"b"}}},
		{"/^b$/m", "a\nb", [][]string{{"b"}}},
		{"/b/y", "ab", nil},
		{"/a/y", "ab", [][]string{{"a"}}},
		{`/\/x\-\u0041/`, "/x-A", [][]string{{"/x-A"}}},
		{`/[[a]+/`, "[a", [][]string{{"[a"}}},
		{`/[^]/`, "\n", [][]string{{"\n"}}},
		{`/[]/`, "a", nil},
		{`/[\w-.]+/`, "a-.b", [][]string{{"a-.b"}}},
		{`/[\b]\0\cJ\q/`, "\x08\x00\nq", [][]string{{"\x08\x00\nq"}}},
		{`/(?:a|b)(?<n>c)/`, "bc", [][]string{{"bc", "c"}}},
		{"a|b.*", "bc", [][]string{{"bc"}}}, // ^a or b.*$
		{"/^(?!tri)/", "triton", nil},
		{"/^(?!tri)/", "dcgm", [][]string{{""}}},
		{"/b(?=c)/", "abc", [][]string{{"b"}}},
		{"/(?<=a)b/", "abc", [][]string{{"b"}}},
		{"/(?<!a)b/", "abc", nil},
		{`/(.)\1/`, "abba", [][]string{{"bb", "b"}}},
		{`/(?<n>a)(b)\k<n>\2/`, "abab", [][]string{{"abab", "a", "b"}}}, // numbered as they stand
		{`/(b)(?<n>a)/`, "ba", [][]string{{"ba", "b", "a"}}},
		{`/\1(a)/`, "a", [][]string{{"a", "a"}}}, // a group that has not matched is empty
		{`/(?:(x)|b)\1c/`, "bc", [][]string{{"bc", ""}}},
		{`/a$/`, "a\n", nil},
		{`/a$/m`, "a\nb", [][]string{{"a"}}},
		{"/a.b/", "a\nb", nil},
		{"/a.b/", "a\rb", nil},
		{"/a.b/s", "a\nb", [][]string{{"a\nb"}}},
		{"/A.B/is", "a\nb", [][]string{{"a\nb"}}},
		{"/(?i:A)b/", "ab", [][]string{{"ab"}}},
		{"/a/gy", "aab", [][]string{{"a"}, {"a"}}},
		{"/a*/g", "aba", [][]string{{"a"}, {""}}}, // an empty match ends the search
		{`/\d/`, "٣", nil},
		{`/\w/`, "é", nil},
		{`/\bé/`, "aé", [][]string{{"é"}}},
		{`/\Bb\b/`, "ab b", [][]string{{"b"}}},
		{`/\p{L}/`, "p{L}", [][]string{{"p{L}"}}},
		{`/\u{2}/`, "uu", [][]string{{"uu"}}},
		{`/\A\Z\z\G\a\e\_\é/`, "AZzGae_é", [][]string{{"AZzGae_é"}}},
		{`/\x4\uX/`, "x4uX", [][]string{{"x4uX"}}},
		{`/\101[\101]\8\k/`, "AA8k", [][]string{{"AA8k"}}},
		{`/[a-z-[b]]/`, "b]", [][]string{{"b]"}}},
		{`/[a-z-9]+/`, "b-9", [][]string{{"b-9"}}},
		{`/[!-\d]+/`, "-1!", [][]string{{"-1!"}}},
		{`/[\]\\(?<x>]+/`, `(]\<x>?`, [][]string{{`(]\<x>?`}}},
		{"/a{,2}{/", "a{,2}{", [][]string{{"a{,2}{"}}},
		{"/a{2}/", "aaa", [][]string{{"aa"}}},
		{"/x #y/", "x #y", [][]string{{"x #y"}}},
		{"/😀./", "😀é", [][]string{{"😀é"}}},
		{"/(?<n>a)x|(?<n>b)y/", "by", [][]string{{"by", "", "b"}}},
	}
	for _, tt := range tests {
		re, err := compileRegex(tt.regex)
		require.NoError(t, err, tt.regex)
		got, err := re.matchAll([]string{tt.text})
		require.NoError(t, err, tt.regex)
		assert.Equal(t, tt.want, got[0], "%s on %q", tt.regex, tt.text)
	}
}

func TestCompileRegexErrors(t *testing.T) {
	for _, regex := range []string{
		"/a", "/(/", "(", `/a\/`, "/a/q", "/[z-a]/", "/*a/", "/a**/", "/a++/", "/a{2,1}/", "/)/", "/[a/",
		"/a/u", "/a/ig", // Grafana takes neither u nor another order
		"/(?>a)/", "/(?#a)/", "/(?'n'a)/", "/(?P<n>a)/", "/(?<n-m>a)/", "/(?<1>a)/", "/(?i)a/", "/(?(a)b)/", "/(?",
		`/(?<n>a)\k<m>/`, `/(?<n>a)\k/`, "/a\nb/",
	} {
		_, err := compileRegex(regex)
		assert.Error(t, err, regex)
	}
	_, err := compileRegex("/" + strings.Repeat("(", maxPattern+1) + "/")
	assert.ErrorContains(t, err, "limit")
	_, err = compileRegex("/" + strings.Repeat("(", maxPattern) + "/")
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 300)
	_, err = compileRegex("/(?>a)/")
	assert.ErrorContains(t, err, `"/(?>a)/": invalid group`)
}

// A pattern that a browser would hang on is an error after a while, and nothing
// keeps running.
func TestRegexTakesTooLong(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	re, err := compileRegex("/^(a+)+$/")
	require.NoError(t, err)
	re.budget = 50 * time.Millisecond
	_, err = re.matchAll([]string{"aa", strings.Repeat("a", 40) + "b"})
	assert.ErrorContains(t, err, "longer than 50ms")
	re.budget = 0
	_, err = re.matchAll([]string{"aa"})
	assert.ErrorContains(t, err, "backtracks")
	none, err := re.matchAll(nil)
	assert.NoError(t, err)
	assert.Empty(t, none)
}

func TestRegexesAtTheSameTime(t *testing.T) {
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			re, err := compileRegex("/^(a+)+$/")
			if err != nil {
				return err
			}
			re.budget = 30 * time.Millisecond
			if _, err = re.matchAll([]string{strings.Repeat("a", 40) + "b"}); err == nil {
				return errors.New("no time-out")
			}
			return nil
		})
	}
	assert.NoError(t, g.Wait())
}

func TestFilterOptions(t *testing.T) {
	tests := []struct {
		name, regex string
		found, want []string
	}{
		{"none", "", []string{"b", "a", "b"}, []string{"b", "a"}},
		{"filter", "/^a/", []string{"ab", "b", "a"}, []string{"ab", "a"}},
		{"group", "/(.)$/", []string{"ab", "cb", "cd"}, []string{"b", "d"}},
		{"several matches", `/(\d)/g`, []string{"1 2", "x", "3"}, []string{"1", "2", "3"}},
		{"value alone", "/(?<value>a)/", []string{"ab"}, []string{"a"}},
		{"text alone", "/(?<text>b)/", []string{"ab"}, []string{"b"}},
		{"both", "/(?<text>.)(?<value>.)/", []string{"ab"}, []string{"a=b"}},
		{"in different matches", "/(?<text>a)|(?<value>b)/g", []string{"ab"}, []string{"a=b"}},
	}
	for _, tt := range tests {
		options, err := filterOptions(tt.found, tt.regex)
		require.NoError(t, err)
		assert.Equal(t, tt.want, optionTexts(options), tt.name)
	}
}

func TestSortOptions(t *testing.T) {
	tests := [][]string{
		{"b", "A", "a10", "a9", "C"},
		{"A", "C", "a10", "a9", "b"},
		{"b", "a9", "a10", "C", "A"},
		{"b", "A", "C", "a9", "a10"},
		{"a10", "a9", "C", "A", "b"},
		{"A", "a10", "a9", "b", "C"},
		{"C", "b", "a9", "a10", "A"},
		{"A", "a9", "a10", "b", "C"},
		{"C", "b", "a10", "a9", "A"},
	}
	for order, want := range tests {
		got := options("b", "A", "a10", "a9", "C")
		sortOptions(got, order)
		assert.Equal(t, want, optionTexts(got), "sort %d", order)
	}
	assert.Positive(t, compareNatural("v1.10", "v1.9"))
	assert.Zero(t, compareNatural("x007", "X7"))
	assert.Negative(t, compareNatural("a", "a1"))
}

func TestCustomJSONOptions(t *testing.T) {
	got, err := customJSONOptions(`["a", " b "]`)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, optionTexts(got))
	for _, bad := range []string{"", "{}", "[1]", `[{"value": {}}]`} {
		_, err := customJSONOptions(bad)
		assert.Error(t, err, bad)
	}
}

func TestParseVariableQuery(t *testing.T) {
	tests := []struct {
		text string
		want VariableQuery
	}{
		{"label_names()", VariableQuery{Kind: LabelNames, ArgOffset: 12}},
		{"label_values( up , job ) ", VariableQuery{Kind: LabelValues, Arg: " up ", ArgOffset: 13, Label: "job"}},
		{"label_values(x{a=\"1,2\"},\n b)", VariableQuery{Kind: LabelValues, Arg: `x{a="1,2"}`, ArgOffset: 13, Label: "b"}},
		{"label_values($l)", VariableQuery{Kind: LabelValues, Label: "$l"}},
		{"metrics(x)", VariableQuery{Kind: Metrics, Arg: "x", ArgOffset: 8}},
		{"query_result(sum(\nup))", VariableQuery{Kind: QueryResult, Arg: "sum(\nup)", ArgOffset: 13}},
		{"label_values()", VariableQuery{Kind: Series, Arg: "label_values()"}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, ParseVariableQuery(tt.text), tt.text)
	}
}

func TestEditorText(t *testing.T) {
	for query, want := range map[string]string{
		`{"qryType": 0, "match": "x"}`:                "label_names(x)",
		`{"qryType": 1, "label": "l"}`:                "label_values(l)",
		`{"qryType": 1, "label": "l", "metric": "m"}`: "label_values(m,l)",
		`{"qryType": 1, "label": "l", "metric": "m", "labelFilters": [{"label": "a", "op": "=~", "value": "b"}, {"label": "c", "op": "=", "value": "d"}]}`: `label_values(m{a=~"b",c="d"},l)`,
		`{"qryType": 2, "metric": "m"}`:      "metrics(m)",
		`{"qryType": 3, "varQuery": "up"}`:   "query_result(up)",
		`{"qryType": 4, "seriesQuery": "s"}`: "s",
		`{"qryType": 5, "varQuery": "q"}`:    "q",
		`{}`:                                 "",
	} {
		d := parse(t, `{"name": "v", "type": "query", "query": `+query+`}`)
		assert.Equal(t, want, queryText(d.Variables[0]), query)
	}
}
