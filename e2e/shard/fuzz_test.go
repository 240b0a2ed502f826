package shard

import "testing"

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1/3", "0/3", "3/1", "1/", "/", "+1/3", "1/3/4", "1/99999999999999999999", "１/3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if s.Number < 1 || s.Number > s.Of || s.Of > mostShards {
			t.Fatalf("%q is shard %d of %d", text, s.Number, s.Of)
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Fatalf("%s is read as %v: %v", s, again, err)
		}
	})
}
