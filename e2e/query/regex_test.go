package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	}
	for _, tt := range tests {
		re, err := compileRegex(tt.regex)
		require.NoError(t, err, tt.regex)
		assert.Equal(t, tt.want, re.matches(tt.text), "%s on %q", tt.regex, tt.text)
	}
}

func TestCompileRegexErrors(t *testing.T) {
	for regex, feature := range map[string]string{
		"/(?=a)/": "a lookahead", "/(?!a)/": "a negative lookahead", "/(?<=a)/": "a lookbehind",
		"/(?<!a)/": "a negative lookbehind", `/(a)\1/`: "a back-reference", `/(?<n>a)\k<n>/`: "a back-reference",
	} {
		_, err := compileRegex(regex)
		var unsupported *UnsupportedRegexError
		require.ErrorAs(t, err, &unsupported, regex)
		assert.Contains(t, unsupported.Error(), feature)
	}
	for _, regex := range []string{"/a", "/(/", "(", `/a\/`, "/a/q", "/[z-a]/"} {
		_, err := compileRegex(regex)
		assert.Error(t, err, regex)
	}
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
