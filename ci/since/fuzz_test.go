package since

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzNames reads lists as git prints them with -z: each name that is in one comes out once, whatever is in it, below the
// repository's root.
func FuzzNames(f *testing.F) {
	for _, seed := range [][2]string{
		{"a.json\x00boards/b.json\x00", "new.json\x00"}, {"", ""}, {" a\nb\x00", "\"c\"\x00\t\x00"}, {"a\x00a\x00", "a\x00"}, {"\xff\xfe\x00", "\n\x00"}, {"a\r\n\x00", "b\r"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, tracked, untracked string) {
		top := filepath.Join(string(filepath.Separator), "top")
		got := names(top, tracked, untracked)
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("%q has one twice, or is in no order", got)
		}
		for list := range strings.SplitSeq(tracked+"\x00"+untracked, "\x00") {
			if list == "" {
				continue
			}
			if !slices.Contains(got, filepath.Join(top, list)) {
				t.Fatalf("%q is missing in %q", list, got)
			}
		}
		for _, name := range got {
			if strings.Contains(name, "\x00") {
				t.Fatalf("two names are one: %q", name)
			}
		}
	})
}
