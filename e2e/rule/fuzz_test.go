package rule

import (
	"slices"
	"strings"
	"testing"

	promparser "github.com/prometheus/prometheus/promql/parser"
)

// commentsOf are the offsets of the comments as Prometheus' own lexer has them, false
// where the text is none that it goes through.
func commentsOf(expr string) (out []int, ok bool) {
	lexer := promparser.Lex(expr)
	for {
		var item promparser.Item
		lexer.NextItem(&item)
		switch item.Typ {
		case promparser.COMMENT:
			out = append(out, int(item.Pos))
		case promparser.ERROR:
			return nil, false
		case promparser.EOF:
			return out, true
		}
	}
}

func FuzzCommentsIn(f *testing.F) {
	for _, seed := range []string{"up # a\n# b", `up{a="#"} # c`, "up{a='\\'#'}", "up # panelgate:ignore panel/empty\rsum(a) # x", "`#` + 1 #", "#\r#\n#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if want, ok := commentsOf(expr); ok && !slices.Equal(want, commentsIn(expr)) {
			t.Fatalf("%q has comments at %v, not at %v", expr, want, commentsIn(expr))
		}
		for _, d := range directivesIn(expr) {
			for _, name := range d.rules {
				if name == "" || strings.ContainsAny(name, "\r\n\t ,:") {
					t.Fatalf("%q ignores a rule %q", expr, name)
				}
			}
		}
	})
}

// What a server has printed is read as it comes.
func FuzzLog(f *testing.F) {
	for _, seed := range []string{
		`{"level":"error","msg":"x","err":"y"}`, `ts=2026-01-02T03:04:05Z level=warn msg="a \"b\"" err=c`, `level=`, `logger=x t=1 level=error msg="`, "\x1b[31mERROR\x1b[0m no", "{",
	} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		l := parseLog(line)
		_, _, _ = l.level(), l.trouble(), l.failure()
		if short := l.short(); strings.ContainsAny(short, "\n\r") {
			t.Fatalf("%q is shown in several lines: %q", line, short)
		}
		if name != "" && l.mentions(name) && !strings.Contains(strings.ToLower(line), strings.ToLower(name)) && !strings.Contains(line, "\\") {
			t.Fatalf("%q does not mention %q", line, name)
		}
	})
}

func FuzzParseSeverity(f *testing.F) {
	f.Add("error")
	f.Add("Warn\n")
	f.Fuzz(func(t *testing.T, name string) {
		if s, err := ParseSeverity(name); err == nil && s.String() != name {
			t.Fatalf("%q is read as %s", name, s)
		}
	})
}
