package matrix

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzParseAxis reads an axis of the command line: its values are told apart by names that print, each has what is run by it, and
// they are read again as they are.
func FuzzParseAxis(f *testing.F) {
	for _, seed := range [][2]string{
		{Grafana, "11.6.1,12.3.0"}, {Prometheus, "v3.5.1, prom/prometheus:v3.5.1"}, {Grafana, "tar:a/grafana.tar.gz,12"}, {Triton, "20.06..24.07"},
		{Grafana, "grafana/grafana@sha256:" + strings.Repeat("0f", 32)}, {Grafana, "http://u:s3cret@h/"}, {Grafana, "a:1,b:1"}, {Grafana, "\x1b[2J:1"}, {Grafana, "tar:\u202e"}, {Grafana, "tar:a\xff"},
		{Grafana, "tar:a.tar,tar:b/a.tar"}, {Grafana, "tar:."}, {Grafana, "tar:.tar"}, {"dcgm", "3.3.5"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if !slices.Contains(Names(), name) {
			return
		}
		acted := slices.Contains(Exporters(), name)
		if _, err := ParseAxis(name, text+"http://u:s3cret@h"); !acted && (err == nil || strings.Contains(err.Error(), "s3cret")) {
			t.Fatalf("%q: a URL is taken, or its password repeated: %v", text, err)
		}
		a, err := ParseAxis(name, text)
		if err != nil {
			return // and the command cleans what it prints
		}
		seen := map[string]bool{}
		var written []string
		for _, v := range a.Values {
			if seen[v.Name] || v.Name == "" || !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q: a value is called %q", text, v.Name)
			}
			seen[v.Name] = true
			if given := v.Tag != "" || v.Image != ""; given == acted || v.Tag != "" && v.Image != "" {
				t.Fatalf("%q: what is run by %+v", text, v)
			}
			switch {
			case v.Image != "":
				written = append(written, v.Image)
			default:
				written = append(written, v.Name)
			}
		}
		again, err := ParseAxis(name, strings.Join(written, ","))
		if err != nil || !slices.EqualFunc(again.Values, a.Values, func(one, other Value) bool { return reflect.DeepEqual(one, other) }) {
			t.Fatalf("%q is read as %+v, and that as %+v: %v", text, a.Values, again.Values, err)
		}
	})
}

// FuzzParseCombine wants one of two words, or an error that names them and nothing that a terminal obeys.
func FuzzParseCombine(f *testing.F) {
	for _, seed := range []string{"all", "pairwise", "", "All", "all\x1b[2J", "\u202epairwise"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCombine(text)
		switch {
		case err == nil && (string(c) != text || c != All && c != Pairwise):
			t.Fatalf("%q is read as %q", text, c)
		case err != nil && (c != "" || text == string(All) || text == string(Pairwise)):
			t.Fatalf("%q: %v", text, err)
		case err != nil && (!strings.Contains(err.Error(), string(Pairwise)) || strings.ContainsFunc(err.Error(), unicode.IsControl)):
			t.Fatalf("%q: %q", text, err)
		}
	})
}
