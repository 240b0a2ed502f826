package query

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack/dashboard"
)

func options(values ...string) []dashboard.Option {
	var out []dashboard.Option
	for _, v := range values {
		out = append(out, dashboard.Option{Text: v, Value: v})
	}
	return out
}

func TestReferences(t *testing.T) {
	tests := []struct {
		text string
		want []Reference
	}{
		{"no variable, 5$ and $ {m}", nil},
		{"$m", []Reference{{Name: "m", End: 2}}},
		{"a${m}b", []Reference{{Name: "m", Start: 1, End: 5}}},
		{"${m:csv}", []Reference{{Name: "m", Format: "csv", End: 8}}},
		{"${m.uid:date:YYYY}", []Reference{{Name: "m", FieldPath: "uid", Format: "date:YYYY", End: 18}}},
		{"[[m]][[n:pipe]]", []Reference{{Name: "m", End: 5}, {Name: "n", Format: "pipe", Start: 5, End: 15}}},
		{"$a$b", []Reference{{Name: "a", End: 2}, {Name: "b", Start: 2, End: 4}}},
		{"${m:}${}", nil},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, References(tt.text), tt.text)
	}
	assert.True(t, References(`label_replace(up, "a", "$1", "b", "(.*)")`)[0].IsCaptureGroup())
	assert.False(t, References("$m1")[0].IsCaptureGroup())
}

func TestIsBuiltin(t *testing.T) {
	for _, name := range []string{"__interval", "__rate_interval_ms", "__range_s", "__from", "timeFilter", "__cell_12", "__field"} {
		assert.True(t, IsBuiltin(name), name)
	}
	for _, name := range []string{"interval", "m", "__cell_", "__cell_x", "__rate"} {
		assert.False(t, IsBuiltin(name), name)
	}
}

func TestScopeDoesNotChange(t *testing.T) {
	s := NewScope(Value{Name: "a", Values: []string{"1"}})
	extended := s.With(Value{Name: "a", Values: []string{"2"}}).With(Value{Name: "b", Values: []string{"3"}})
	got, err := s.Interpolate("$a $b", Plain)
	require.NoError(t, err)
	assert.Equal(t, "1 $b", got)
	got, err = extended.Interpolate("$a $b", Plain)
	require.NoError(t, err)
	assert.Equal(t, "2 3", got)
	assert.Equal(t, []string{"a", "b"}, extended.Names())
}

// TestAllValueNests goes beyond the recorded cases: what a custom all value
// refers to is put in by the general form, also inside PromQL.
func TestAllValueNests(t *testing.T) {
	s := NewScope(
		Value{Name: "a", Multi: true, IncludeAll: true, All: true, AllValue: "x-$b"},
		Value{Name: "b", Multi: true, Values: []string{"1.0", "2"}},
	)
	got, err := s.Interpolate("$a", PromQL)
	require.NoError(t, err)
	assert.Equal(t, "x-{1.0,2}", got)
}

func TestAllValueRecursion(t *testing.T) {
	all := func(name, value string) Value {
		return Value{Name: name, IncludeAll: true, All: true, AllValue: value}
	}
	_, err := NewScope(all("a", "$b"), all("b", "[[a]]")).Interpolate("$b", PromQL)
	var recursion *RecursionError
	require.ErrorAs(t, err, &recursion)
	assert.Equal(t, []string{"b", "a", "b"}, recursion.Names)
	assert.Contains(t, err.Error(), "$b → $a → $b")

	// Each doubles the next: 2^30 expansions of nothing, or of something.
	for _, last := range []string{"", "xxxxxxxx"} {
		s := NewScope(Value{Name: "v30", Values: []string{last}})
		for i := range 30 {
			name := func(i int) string { return "v" + string(rune('0'+i/10)) + string(rune('0'+i%10)) }
			s = s.With(all(name(i), strings.Repeat("$"+name(i+1), 2)))
		}
		_, err := s.Interpolate("$v00", Plain)
		assert.Error(t, err)
	}
}

func TestInterpolateIsBounded(t *testing.T) {
	s := NewScope(Value{Name: "m", Values: []string{strings.Repeat("x", 1<<20)}})
	_, err := s.Interpolate(strings.Repeat("$m", 5), PromQL)
	assert.ErrorContains(t, err, `variable "m" makes the text longer`)
}

func TestInterpolatePromQL(t *testing.T) {
	multi := Value{Name: "m", Multi: true, Values: []string{"a.b", "c"}, Options: options("a.b", "c", "d")}
	narrowed := multi
	narrowed.Narrowed, narrowed.Values = true, []string{"a.b"}
	tests := []struct {
		name, text string
		value      Value
		dialect    Dialect
		want       string
	}{
		{"several", `up{job=~"$m"}`, multi, PromQL, `up{job=~"(a\\.b|c)"}`},
		{"narrowed by a repeat", `up{job=~"$m"}`, narrowed, PromQL, `up{job=~"a\\.b"}`},
		{"narrowed as JSON", `${m:json}`, narrowed, PromQL, `a.b`},
		{"element", `${m.1}`, multi, PromQL, `c`},
		{"macros are left for the back end", `rate(x[$__rate_interval])`, multi, PromQL, `rate(x[$__rate_interval])`},
		{"macro as a value", `rate(x[$m])`, Value{Name: "m", Values: []string{"$__rate_interval"}}, PromQL, `rate(x[$__rate_interval])`},
		{"quote of a single value", `$m`, Value{Name: "m", Values: []string{`a"b`}}, PromQLSpecialChars, `a\"b`},
		{"nothing at all", `x$m`, Value{Name: "m"}, PromQL, `x`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NewScope(tt.value).Interpolate(tt.text, tt.dialect)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestFormats(t *testing.T) {
	when := Value{Name: "t", Values: []string{"1594671549254"}} // 2020-07-13T20:19:09.254Z
	many := Value{Name: "m", Multi: true, Values: []string{"a b", "c&d"}}
	tests := []struct {
		text string
		want string
	}{
		{"${t:date}", "2020-07-13T20:19:09.254Z"},
		{"${t:date:iso}", "2020-07-13T20:19:09.254Z"},
		{"${t:date:ms}", "1594671549254"},
		{"${t:date:seconds}", "1594671549"},
		{"${t:date:YYYY-MM-DD HH:mm:ss.SSS Z}", "2020-07-13 20:19:09.254 +00:00"},
		{"${t:date:dddd Do MMMM, [YYYY] E d DDD Q WW H h A x X}", "Monday 13th July, YYYY 1 1 195 3 29 20 8 PM 1594671549254 1594671549"},
		{"${t:date:YY MMM MM M DDDD DD D ddd dd HH hh h mm m ss s SS S a Z ZZ W}", "20 Jul 07 7 195 13 13 Mon Mo 20 08 8 19 19 09 9 25 2 pm +00:00 +0000 29"},
		{"${first:date:Do} ${late:date}", "1st Invalid date"},
		{"${m:customqueryparam}", "m=a%20b&m=c%26d"},
		{"${m:customqueryparam:k:p-}", "k=p-a%20b&k=p-c%26d"},
		{"${m:join::}", "a bc&d"},
		{"${m:html}", "a b, c&amp;d"},
		{"${neg:lucene} ${word:lucene}", `-1 \-x`},
		{"${__dashboard} ${__dashboard.uid} ${__dashboard.nope}", "Title abc "},
	}
	s := NewScope(when, many,
		Value{Name: "first", Values: []string{"0"}}, Value{Name: "late", Values: []string{"8640000000000001"}},
		Value{Name: "neg", Values: []string{"-1"}}, Value{Name: "word", Values: []string{"-x"}},
		Value{Name: "__dashboard", Values: []string{"Title"}, Fields: map[string]string{"uid": "abc"}})
	for _, tt := range tests {
		got, err := s.Interpolate(tt.text, Plain)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, tt.text)
	}
}

func TestMapping(t *testing.T) {
	s := NewScope(Value{Name: "long", Values: []string{"abcdefgh"}}, Value{Name: "w", Values: []string{"$__interval"}})
	text := `x{a="$long"}[${w}]`
	out, m, err := s.InterpolateMapped(text, PromQL)
	require.NoError(t, err)
	require.Equal(t, `x{a="abcdefgh"}[$__interval]`, out)
	final, next := macros{interval: day}.replace(out)
	require.Equal(t, `x{a="abcdefgh"}[1d]`, final)
	m = m.then(next)
	for _, tt := range []struct {
		name       string
		at, source int
	}{
		{"before", 2, 2},
		{"start of a value", 5, 5},
		{"inside a value", 9, 5},
		{"after it", 13, 10},
		{"macro that a variable brought in", 17, 13},
		{"the closing bracket", 18, 17},
		{"the end", len(final), len(text)},
		{"negative", -1, 0},
	} {
		assert.Equal(t, tt.source, m.Source(tt.at), tt.name)
	}
	assert.Equal(t, 7, Mapping{}.Source(7))
}
