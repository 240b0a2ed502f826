package recording

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/internal/material"
)

func scrapes(bodies ...string) *Recording {
	r := &Recording{URL: "http://box:8002/metrics", Every: 5 * time.Second}
	for i, body := range bodies {
		r.Scrapes = append(r.Scrapes, Scrape{
			At: time.Unix(1_800_000_000, 0).Add(time.Duration(i) * 5 * time.Second).UTC(), Status: 200,
			Header: http.Header{"Content-Type": {"text/plain; version=0.0.4"}}, Body: []byte(body),
		})
	}
	return r
}

func written(t testing.TB, r *Recording) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r.Write(&out))
	return out.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	want := scrapes("a 1\n", "# HELP a b\na 2\n", "a 3")
	want.Redacted = []string{"pod"}
	data := written(t, want)
	assert.True(t, bytes.HasPrefix(data, []byte("panelgate-recording 1\n")))
	got, err := Read(data, Limits{})
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAPlainScrapeIsARecordingOfOne(t *testing.T) {
	got, err := Read([]byte("a 1\nb 2\n"), Limits{})
	require.NoError(t, err)
	require.Len(t, got.Scrapes, 1)
	assert.True(t, got.Scrapes[0].At.IsZero())
	assert.Equal(t, "a 1\nb 2\n", string(got.Scrapes[0].Body))
}

// packed is a file whose stream holds a text.
func packed(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return append([]byte("panelgate-recording 1\n"), z.EncodeAll([]byte(text), nil)...)
}

func TestHostileRecordingsAreRefusedWithTheirPlace(t *testing.T) {
	one := `{"at_ms":1000,"status":200,"bytes":4}` + "\na 1\n\n"
	end := `{"end":true}` + "\n"
	good := written(t, scrapes("a 1\n", "a 2\n"))
	for name, test := range map[string]struct {
		data   []byte
		limits Limits
		want   string
	}{
		"another version":     {[]byte("panelgate-recording 2\nwhatever"), Limits{}, "byte 20: this is version 2 of the format; version 1 is read here"},
		"no version":          {[]byte("panelgate-recording \n"), Limits{}, "byte 20: the first line names no version"},
		"nothing behind":      {[]byte("panelgate-recording 1"), Limits{}, "byte 20: the first line names no version"},
		"no stream":           {[]byte("panelgate-recording 1\nxxxxxxxx"), Limits{}, "byte 26: invalid input: magic number mismatch"},
		"cut off":             {good[:len(good)-20], Limits{}, fmt.Sprintf("byte %d: the compressed part ends too early: the file is cut off", len(good)-20)},
		"no end":              {packed(t, "{}\n"+one), Limits{}, "byte 46 of the decompressed text: it ends too early: the file is cut off"},
		"text behind the end": {packed(t, "{}\n"+one+end+"x"), Limits{}, "byte 59 of the decompressed text: something stands behind the end"},
		"no scrape":           {packed(t, "{}\n"+end), Limits{}, "byte 16 of the decompressed text: it has no scrape"},
		"no JSON":             {packed(t, "hello\n"), Limits{}, "byte 0 of the decompressed text: the line about the recording or a scrape: invalid character 'h' looking for beginning of value"},
		"negative size":       {packed(t, "{}\n"+`{"bytes":-1}`+"\n"), Limits{}, "byte 3 of the decompressed text: scrape 1: it says that it has -1 bytes; 1 to 33554432 are read"},
		"huge size":           {packed(t, "{}\n"+`{"bytes":30000000}`+"\n"), Limits{}, "scrape 1: byte 22 of the decompressed text: it ends too early: the file is cut off"},
		"wrong size":          {packed(t, "{}\n"+strings.Replace(one, ":4", ":2", 1)+end), Limits{}, "byte 3 of the decompressed text: scrape 1: its body is longer than the 2 bytes that it says"},
		"wrong status":        {packed(t, "{}\n"+strings.Replace(one, "200", "500", 1)+end), Limits{}, "byte 3 of the decompressed text: scrape 1: its status is 500; only answers that are OK can be played back"},
		"back in time":        {packed(t, "{}\n"+one+one+end), Limits{}, "byte 46 of the decompressed text: scrape 2: it was not made after the one before"},
		"a long line":         {packed(t, "{"+strings.Repeat(" ", 70_000)), Limits{}, "byte 0 of the decompressed text: a line about a scrape is too long"},
		"broken text":         {packed(t, "{}\n"+`{"status":200,"bytes":9}`+"\na 1\nb{ 1\n\n"+end), Limits{}, `byte 3 of the decompressed text: scrape 1: line 2 (byte 4): "1" is no label name`},
		"a series twice":      {packed(t, "{}\n"+`{"status":200,"bytes":8}`+"\na 1\na 2\n\n"+end), Limits{}, `byte 3 of the decompressed text: scrape 1: line 2 (byte 4): the series of line 1 once more`},
		"two files in one":    {append(bytes.Clone(good), good...), Limits{}, ""},
		"a large file":        {good, Limits{File: 10}, fmt.Sprintf("byte 10: the file has %d bytes, more than the 10 that are read", len(good))},
		"many scrapes":        {good, Limits{Scrapes: 1}, "byte 158 of the decompressed text: it has more than the 1 scrapes that are read"},
		"a long line inside":  {[]byte("a 1\nabcdefghijkl 1\n"), Limits{Line: 8}, "as a plain text scrape: line 2 (byte 4): the line is longer than the 8 bytes that are read"},
		"many samples":        {[]byte("a 1\nb 1\n"), Limits{Samples: 1}, "as a plain text scrape: line 2 (byte 4): with this sample there are more than are read"},
		"a web page":          {[]byte("<html>"), Limits{}, "as a plain text scrape: line 1 (byte 0): this is a web page, no scrape: is the path right, and is a login in between?"},
		"gzip":                {[]byte{0x1f, 0x8b, 8}, Limits{}, "byte 0: this is gzip: unpack it first, or record with panelgate record"},
		"nothing":             {nil, Limits{}, "as a plain text scrape: it has no series"},
	} {
		_, err := Read(test.data, test.limits)
		require.Error(t, err, name)
		if test.want != "" {
			assert.EqualError(t, err, test.want, name)
		}
	}
}

func TestFewBytesThatAreManyAreRefused(t *testing.T) {
	bomb := packed(t, "{}\n"+`{"status":200,"bytes":20000000}`+"\n"+strings.Repeat("#\n", 10_000_000)+"\n")
	require.Less(t, len(bomb), 20_000)
	_, err := Read(bomb, Limits{Bytes: 1 << 20})
	assert.ErrorContains(t, err, "it is larger, once decompressed, than what is read")
}

// TestEveryCutIsNoticed cuts a recording everywhere.
func TestEveryCutIsNoticed(t *testing.T) {
	data := written(t, scrapes("a 1\nb{c=\"d\"} 2\n", "a 2\n"))
	for n := range len(data) {
		_, err := Read(data[:n], Limits{})
		require.Error(t, err, "%d bytes", n)
		require.Regexp(t, `byte \d+`, "byte 0 "+err.Error())
	}
}

// TestRecordingsAreSmall records two minutes of a node_exporter, a third of whose values change each time.
func TestRecordingsAreSmall(t *testing.T) {
	data, err := os.ReadFile(material.Path(t, "corpus", "expositions", "node-1.9.1-e2e-fixture.prom"))
	require.NoError(t, err)
	lines, err := exposition.Parse(data)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	var bodies []string
	for range 25 {
		var b strings.Builder
		for _, l := range lines {
			if l.Kind == exposition.Sample && random.IntN(3) == 0 {
				fmt.Fprintf(&b, "%s %d\n", l.Series, random.IntN(1_000_000))
				continue
			}
			b.WriteString(l.Text + "\n")
		}
		bodies = append(bodies, b.String())
	}
	size := len(written(t, scrapes(bodies...)))
	t.Logf("25 scrapes of %d bytes take %d bytes", len(data), size)
	assert.Less(t, size, 600_000)
}

func TestRedaction(t *testing.T) {
	body := `# HELP a Of pod web-7f9c and of nobody else.
# TYPE a gauge
a{Hostname="gpu-box-01",UUID="GPU-5fd4f087-86f3-7a43-b711-4771313afc50",pod="web-7f9c"} 1
a{Hostname="gpu-box-01",UUID="GPU-0a1b2c3d-86f3-7a43-b711-4771313afc51",pod="db\"0"} 2
b{exported_pod="web-7f9c",path="/var/lib/gpu-box-01/x",pod=""} 3 # {trace="web-7f9c"} 1
c{ip="10.1.2.3",pod="0", x="y"} 4
{"d.e",pod="0","f.g"="h"} 5
`
	r := scrapes(body, body)
	r.URL = "http://gpu-box-01:9400/metrics"
	r.Scrapes[0].Header["Server"] = []string{"gpu-box-01"}
	require.NoError(t, r.redact([]string{"pod", "Hostname", "UUID", "ip"}, []byte("a key")))
	got := string(r.Scrapes[0].Body)
	assert.Equal(t, got, string(r.Scrapes[1].Body), "the same value is replaced by the same other one")
	help, rest, _ := strings.Cut(got, "\n")
	assert.Equal(t, "# HELP a Of pod web-7f9c and of nobody else.", help)
	for _, secret := range []string{"gpu-box-01", "5fd4f087", "web-7f9c", `db\"0`, "10.1.2.3", `pod="0"`} {
		assert.NotContains(t, rest, secret)
		assert.NotContains(t, r.URL+r.Scrapes[0].Header.Get("Server"), secret)
	}
	m := regexp.MustCompile(`^# TYPE a gauge
a\{Hostname="([a-z]{3}-[a-z]{3}-\d\d)",UUID="GPU-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",pod="([a-z]{3}-\d[a-z]\d[a-z])"\} 1
a\{Hostname="([a-z-0-9]+)",UUID="GPU-[0-9a-f-]{36}",pod="[a-z]{2}\\"\d"\} 2
b\{exported_pod="([a-z-0-9]+)",path="/var/lib/([a-z-0-9]+)/x",pod=""\} 3 # \{trace="([a-z-0-9]+)"\} 1
c\{ip="10\.\d+\.\d+\.\d+",pod="\d",x="y"\} 4
\{"d\.e",pod="\d","f\.g"="h"\} 5
$`).FindStringSubmatch(rest)
	require.NotNil(t, m, rest)
	assert.Equal(t, m[1], m[3])
	assert.Equal(t, m[2], m[4])
	assert.Equal(t, m[1], m[5])
	assert.Equal(t, m[2], m[6])
	assert.Equal(t, "http://redacted/metrics", r.URL)
	assert.Equal(t, []string{"Hostname", "UUID", "ip", "pod"}, r.Redacted)
}

func TestDifferentValuesStayDifferent(t *testing.T) {
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, "a{cpu=\"%d\"} 1\n", i)
	}
	r := scrapes(b.String())
	require.NoError(t, r.Redact([]string{"cpu"}))
	require.NoError(t, r.Validate(Limits{}), "no series stands twice")
}

func TestNothingSecretOfAURLIsKept(t *testing.T) {
	got, err := PublicURL("https://me:word@box:8002/metrics?token=s3cret#x")
	require.NoError(t, err)
	assert.Equal(t, "https://box:8002/metrics", got)
	_, err = PublicURL("http://me:word@bo x/\x7f")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "word")
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, scrapes("a 1\n", "a 2\n")))
	f.Add([]byte("a 1\n"))
	f.Add([]byte("panelgate-recording 2\n"))
	f.Add(packed(f, "{}\n"+`{"at_ms":1,"status":200,"bytes":4}`+"\na 1\n\n"))
	f.Add([]byte("<html>"))
	limits := Limits{File: 1 << 20, Bytes: 1 << 20, Body: 1 << 16, Line: 1 << 10, Scrapes: 100, Samples: 1000}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(data, limits)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, r.Validate(limits))
		again, err := Read(written(t, r), Limits{})
		require.NoError(t, err)
		require.Len(t, again.Scrapes, len(r.Scrapes))
		for i := range r.Scrapes {
			require.Equal(t, r.Scrapes[i].Body, again.Scrapes[i].Body)
		}
		require.NoError(t, r.Redact([]string{"a", "pod"}))
		require.NoError(t, r.Validate(Limits{}))
	})
}
