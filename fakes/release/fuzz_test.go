package release

import (
	"strings"
	"testing"
)

// FuzzParse reads two releases: each is a part of what was written and is read again as itself, and their order is the same from both
// sides, and none of what a tag adds.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"24.07", "24.07-py3"}, {"3.3.5-3.4.0-ubuntu22.04", "3.3.5"}, {"v1.9.1", "main"}, {"0.4.3", "0.10.2"}, {"9999.9999.9999", "0.0"}, {"1", "1.2.3.4"}, {"１.2", "1.2\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		a, err := Parse(one)
		if err != nil {
			if !a.IsZero() || !strings.Contains(err.Error(), "is no release") || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%q: %q with %v", one, err, a)
			}
			return
		}
		if !strings.Contains(one, a.String()) || strings.ContainsFunc(strings.TrimPrefix(a.String(), Tip), func(r rune) bool { return r != '.' && r != '-' && (r < '0' || r > '9') }) {
			t.Fatalf("%q is read as %q", one, a)
		}
		again, err := Parse(a.String())
		if err != nil || again.Compare(a) != 0 || again.String() != a.String() {
			t.Fatalf("%q is read as %q, and that as %q: %v", one, a, again, err)
		}
		if (Release{}).Compare(a) >= 0 || a.Compare(MustParse(Tip)) > 0 {
			t.Fatalf("%q is older than none, or newer than what is to come", one)
		}
		b, err := Parse(other)
		if err != nil {
			return
		}
		if a.Compare(b) != -b.Compare(a) || a.Before(b.String()) != (a.Compare(b) < 0) || a.Since(b.String()) == a.Before(b.String()) {
			t.Fatalf("%q and %q: %d from one side, %d from the other", one, other, a.Compare(b), b.Compare(a))
		}
	})
}
