package main

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
)

// FuzzParse reads command lines, a word a line. What is accepted can be served: its plan
// makes sense, and what listens has an address.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "help", "triton", "all\n--listen\n::1", "dcgm\n--listen\n:99999", "node\n--listen=127.0.0.1:0\n--machine\nbox\n--scenario\nidle", "triton\n--version\n26.06\n--\n--model-store=/m",
		"dcgm\n--env\n=x", "dcgm\n--env\nDCGM_EXPORTER_LISTEN=:1\n--\n-f", "serve\n--plan\n-", "serve\n--plan", "beside\n--listen\n:1", "unpack\n-x", "unpack\na.tar\n--into\nb", "vllm\n--machine\n\xff\n-h", "all\n--\nx",
	} {
		f.Add(seed, "{}")
	}
	f.Add("serve\n--plan\n-", `{"version":1,"scenario":"version: 1","start":"2026-01-01T00:00:00Z","listeners":[{"listen":":0","routes":[{"exporter":"node","instance":"a"}]}]}`)
	f.Fuzz(func(t *testing.T, words, plan string) {
		args := strings.Split(words, "\n")
		named := func(flag string) bool {
			return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(strings.TrimLeft(a, "-"), flag) })
		}
		if (named("plan") && !strings.HasSuffix(words, "\n-")) || strings.ContainsAny(words, "/\\.") && named("scenario") {
			t.Skip("it would read a file of this machine, whose content is no input of the fuzzer")
		}
		o, err := parse(t.Context(), args, strings.NewReader(plan))
		switch {
		case errors.Is(err, errHelp):
		case err != nil:
			if err.Error() == "" {
				t.Fatalf("%q is refused without a word", words)
			}
		case o.plan != nil:
			if err := o.plan.Validate(); err != nil {
				t.Fatalf("%q is accepted, and its plan does not make sense: %v", words, err)
			}
		case o.unpack == "" || o.into == "":
			if _, _, err := net.SplitHostPort(o.listen); err != nil {
				t.Fatalf("%q asks for nothing that could be done: %+v", words, o)
			}
		}
	})
}
