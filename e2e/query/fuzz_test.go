package query

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

func FuzzInterpolate(f *testing.F) {
	for _, seed := range []string{"$m", `x{a=~"${m:regex}"}[$__interval]`, "[[m:csv]] ${m.0:date:YYYY}", "$$m ${m", "$a${b:percentencode}"} {
		f.Add(seed, "a.b", "$b", uint8(1))
	}
	f.Fuzz(func(t *testing.T, in, value, all string, dialect uint8) {
		s := NewScope(
			Value{Name: "m", Multi: true, Values: []string{value, in}},
			Value{Name: "one", Values: []string{value}},
			Value{Name: "a", IncludeAll: true, All: true, AllValue: all},
			Value{Name: "b", IncludeAll: true, All: true, AllValue: value},
		)
		out, mapping, err := s.InterpolateMapped(in, Dialect(dialect%3))
		if err != nil {
			return
		}
		out, next := macros{interval: time.Minute}.replace(out)
		mapping = mapping.then(next)
		last := 0
		for i := 0; i <= len(out); i++ {
			at := mapping.Source(i)
			if at < last || at > len(in) {
				t.Fatalf("offset %d of %q leads to %d of %q, after %d", i, out, at, in, last)
			}
			last = at
		}
		if last != len(in) {
			t.Fatalf("the end of %q leads to %d of %q", out, last, in)
		}
	})
}

func FuzzReferences(f *testing.F) {
	for _, seed := range []string{"$m ${m:csv} [[m]] ${m.x:y:z}", "${", "[[[m]]]", "$é", "\xff$m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		if want := referencesByPattern(text); !slices.Equal(References(text), want) {
			t.Fatalf("%q: %+v, by the pattern %+v", text, References(text), want)
		}
		for _, r := range References(text) {
			if r.Start < end || r.End <= r.Start || r.End > len(text) {
				t.Fatalf("%+v in %q after %d", r, text, end)
			}
			if r.Name == "" || !strings.Contains(text[r.Start:r.End], r.Name) {
				t.Fatalf("%+v in %q has no name of its own", r, text)
			}
			end = r.End
		}
	})
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"now-6h", "now/w", "now-1M/M+1h", "1700000000000", "2026-01-02T03:04:05Z", "2026-01-02||+1d/d", "now-9999999y"} {
		f.Add(seed, "now")
		f.Add("now-1h", seed)
	}
	now := time.Date(2026, 3, 31, 15, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, from, to string) {
		r, err := ParseRange(from, to, now)
		if err == nil && !r.From.Before(r.To) {
			t.Fatalf("%q to %q: %v is not before %v", from, to, r.From, r.To)
		}
	})
}

func FuzzCompileRegex(f *testing.F) {
	for _, seed := range []string{"/(a)/g", `/[[\b]\u0041/i`, "a.*", `/(?<value>x)\/y/`, "/[^]/", `/\`, "/(?!x)/"} {
		f.Add(seed, "a\nb")
	}
	f.Fuzz(func(t *testing.T, regex, text string) {
		options, err := filterOptions([]string{text}, regex)
		if err != nil && len(options) > 0 {
			t.Fatalf("%q gives options and %v", regex, err)
		}
		sortOptions(options, 7)
	})
}

func FuzzVariableTexts(f *testing.F) {
	for _, seed := range []string{`a,b\,c, d : e`, "label_values(up{a=~\"b\"}, c)", "query_result(", `["a"]`, ">1m30s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		customOptions(text)
		q := ParseVariableQuery(text)
		if !strings.HasPrefix(text[q.ArgOffset:], q.Arg) {
			t.Fatalf("%+v is not at its place in %q", q, text)
		}
		if err := q.check(); err != nil && utf8.ValidString(text) && errorOffset(err) > len(q.Arg) {
			t.Fatalf("%q fails behind its end: %v", text, err)
		}
		if options, err := customJSONOptions(text); err != nil && options != nil {
			t.Fatalf("options %v and %v", options, err)
		}
		if d, err := parseInterval(text); err == nil && d < 0 {
			t.Fatalf("%q is %s", text, d)
		}
	})
}

// FuzzAddFilters: an expression that parses does so with a filter too, and each
// of its selectors has the filter.
func FuzzAddFilters(f *testing.F) {
	for _, seed := range []string{"up", `{a="1",}`, `sum(rate(x{b=~"}"}[5m] offset 1h)) # y`, "x[1h:1m] @ end()", `{"m",a!="b"} / on(x) y`} {
		f.Add(seed, "j", "v\"\\")
	}
	f.Fuzz(func(t *testing.T, expr, key, value string) {
		if _, err := promParser().ParseExpr(expr); err != nil || key == "" || !utf8.ValidString(key+value) {
			return
		}
		out, _, err := NewScope().addFilters(expr, []filter{{key: key, operator: "!=", value: value}})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := promParser().ParseExpr(out)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", expr, out, err)
		}
		parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
			v, ok := n.(*parser.VectorSelector)
			if ok && !slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == key && m.Value == value }) {
				t.Fatalf("%q becomes %q", expr, out)
			}
			return nil
		})
	})
}
