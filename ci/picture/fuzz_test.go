package picture

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzFirstScript finds the program of a page in whatever stands around it, and nothing
// where no program is.
func FuzzFirstScript(f *testing.F) {
	for _, seed := range []string{
		"", "<html><body>", "<!-- <script src=a> -->", "<script>let a = '<script src=b>'</script>", "<SCRIPT\tSRC='x'/>", "<script src", "<textarea><script src=a>", "<title><", "\x00<\xff", "<a b=\"<script src=c>\">",
	} {
		f.Add(seed, "public/build/app.js")
	}
	f.Fuzz(func(t *testing.T, page, address string) {
		found := firstScript(page)
		if found != "" && !strings.Contains(strings.ToLower(page), "<script") {
			t.Fatalf("%q is found in %q, which has no script", found, page)
		}
		address = url.PathEscape(address)
		if got := firstScript(`<!doctype html><head><script src="` + address + `"></script>` + page); got != address {
			t.Fatalf("%q is found in place of the first, %q", got, address)
		}
	})
}
