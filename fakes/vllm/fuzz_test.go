package vllm

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// FuzzBuild wants an error, or a scrape that Prometheus reads and in which the model is called as the command line says, whatever
// release, engine and command line.
func FuzzBuild(f *testing.F) {
	for _, seed := range [][3]string{
		{"0.17.1", "vllm\x00serve\x00Qwen/Qwen2.5\x00--max-model-len=32k", "1"},
		{"0.8.5", "--model\x00a\"b\\c\n\x00--served_model_name\x00x\x00--show-hidden-metrics-for-version=0.7", "0"},
		{"0.4", "sh\x00-c\x00exec python3 -m vllm.entrypoints.openai.api_server --model \xff", ""},
		{"main", "--gpu-memory-utilization=.5\x00--block-size=1M\x00--api-server-count\x004", "2"},
		{"9999.9999.9999", "--max-model-len\x00-1", "1"},
		{"0.11.0", "--kv-cache-dtype=\x1b[2J\x00--enable-mfu-metrics\x00--disable-log-stats", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	w := builtin(f, "steady")
	f.Fuzz(func(t *testing.T, version, args, engine string) {
		setup := fakes.Setup{Version: version, Args: strings.Split(args, "\x00")}
		if engine != "" {
			setup.Env = map[string]string{engineVariable: engine}
		}
		e, err := Build(w, "box:8000", setup)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		at := start.Add(time.Hour)
		body := e.AppendScrape(nil, at)
		require.Equal(t, body, e.AppendScrape(nil, at))
		scrapetest.Parse(t, body, e.ContentType())
	})
}

// FuzzPositive holds the numbers of the command line against what their digits come to.
func FuzzPositive(f *testing.F) {
	for _, seed := range []string{"8192", "32k", "32K", "1m", "2M", "0", "-1", "+5", "1kK", "2147483647M", "99999999999", "1e3", "\x1b", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := positive(text)
		if err != nil {
			if n != 0 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%q: %d with %q", text, n, err)
			}
			return
		}
		digits := strings.TrimRight(text, "kKmM")
		plain, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || len(text)-len(digits) > 1 || n < plain || n%plain != 0 || (n == plain) != (text == digits) {
			t.Fatalf("%q is read as %d", text, n)
		}
	})
}
