package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// FuzzTwinValues parts the variable of a flag that may be repeated: the values are what
// stands between the separators, and written one a line they are the same again.
func FuzzTwinValues(f *testing.F) {
	for _, seed := range []string{"", ",", "a,b", "a, ,b\n", "gpu-*\n\ttriton ,x\r\n", "\u00a0,\xff", "GF_A=1,2\nGF_B=3", "\n\n"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, lines bool) {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.StringArray("dashboard", nil, "")
		flags.StringArray("setting", nil, "")
		flags.String("stack", "", "")
		flag := flags.Lookup("dashboard")
		if lines {
			flag = flags.Lookup("setting")
		}
		values := twinValues(flag, text)
		for _, v := range values {
			if v == "" || strings.TrimSpace(v) != v || strings.Contains(v, "\n") || !strings.Contains(text, v) {
				t.Fatalf("%q has the value %q", text, v)
			}
		}
		if again := twinValues(flag, strings.Join(values, "\n")+"\n"); !slices.Equal(again, values) {
			t.Fatalf("%q has the values %q, and one a line %q", text, values, again)
		}
		if one := twinValues(flags.Lookup("stack"), text); len(one) != 1 || one[0] != text {
			t.Fatalf("%q is taken for %q where one value is wanted", text, one)
		}
	})
}
