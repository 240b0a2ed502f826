package exposition

import (
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinesAreKeptAsPrinted(t *testing.T) {
	lines, err := Parse([]byte("# HELP a Some  text\\n\n# TYPE a counter\n\na{x=\"1\\\"\\n\", y = \"é\",} 1.50 1700000000000\n" +
		"# a remark\n{\"b.c\",\"l.m\"=\"n\"} +Inf # {id=\"7\"} 0.5\nd 3\n# EOF"))
	require.NoError(t, err)
	require.Len(t, lines, 8)
	assert.Equal(t, Line{Kind: Help, Number: 1, Text: "# HELP a Some  text\\n", Name: "a", Value: "Some  text\\n"}, lines[0])
	assert.Equal(t, Line{Kind: Type, Number: 2, Offset: 22, Text: "# TYPE a counter", Name: "a", Value: "counter"}, lines[1])
	assert.Equal(t, Comment, lines[2].Kind)
	sample := lines[3]
	assert.Equal(t, `a{x="1\"\n", y = "é",}`, sample.Series)
	assert.Equal(t, []Label{{"x", "1\"\n"}, {"y", "é"}}, sample.Labels)
	assert.Equal(t, "1.50", sample.Value)
	assert.Equal(t, " 1700000000000", sample.Rest)
	assert.Equal(t, Comment, lines[4].Kind)
	assert.Equal(t, "b.c", lines[5].Name)
	assert.Equal(t, []Label{{"l.m", "n"}}, lines[5].Labels)
	assert.Equal(t, ` # {id="7"} 0.5`, lines[5].Rest)
	assert.Equal(t, "d", lines[6].Series)
	assert.Equal(t, End, lines[7].Kind)
}

func TestWhatIsNoScrapeIsToldWithItsPlace(t *testing.T) {
	for body, want := range map[string]string{
		"a 1\nb{x=\"1} 2\n":              `line 2 (byte 4): the value of label "x" is not in quotes, or they have no end`,
		"a 1\nb{x=1} 2\n":                `line 2 (byte 4): the value of label "x" is not in quotes, or they have no end`,
		"a\n":                            `line 1 (byte 0): "a" has no value`,
		"a one\n":                        `line 1 (byte 0): the value of "a": "one" is no number`,
		"a 1 soon\n":                     `line 1 (byte 0): the timestamp of "a": "soon" is no number`,
		"a 1 2 # x\n":                    `line 1 (byte 0): behind the value of "a" stands "x"`,
		"a{b=\"c\"\n":                    `line 1 (byte 0): the braces of "a" have no end`,
		"a{b} 1\n":                       `line 1 (byte 0): label "b" has no value`,
		"{b=\"c\"} 1\n":                  `line 1 (byte 0): "{b=\"c\"} 1" names no metric`,
		"ok 1\n9a 1\n":                   `line 2 (byte 5): "9a" is no metric name`,
		"a{1b=\"\"} 1\n":                 `line 1 (byte 0): "1b=\"\"} 1" is no label name`,
		"\xff 1\n":                       `line 1 (byte 0): no UTF-8`,
		"\n<!DOCTYPE html><html></html>": `line 1 (byte 0): this is a web page, no scrape: is the path right, and is a login in between?`,
		"{\"status\":\"ok\"}":            `line 1 (byte 0): this is JSON, no scrape`,
		"a 0x1p3\n":                      `line 1 (byte 0): the value of "a": "0x1p3" is no number`,
	} {
		_, err := Parse([]byte(body))
		assert.EqualError(t, err, want, "%q", body)
	}
}

func TestSamplesFindTheirFamily(t *testing.T) {
	lines, err := Parse([]byte(`# HELP h A histogram.
# TYPE h histogram
h_bucket{le="+Inf"} 1
h_sum 1
h_count 1
# TYPE s summary
# HELP s A summary.
s{quantile="0.5"} NaN
s_count 0
h_other 1
# TYPE c counter
c_total 1
c_created 1
u 1
`))
	require.NoError(t, err)
	var got []string
	samples := map[string]int{}
	for _, f := range Families(lines) {
		got = append(got, f.Name+" "+f.Type)
		samples[f.Name] = len(f.Samples)
	}
	assert.Equal(t, []string{"h histogram", "s summary", "h_other ", "c counter", "u "}, got)
	assert.Equal(t, map[string]int{"h": 3, "s": 2, "h_other": 1, "c": 2, "u": 1}, samples)
	assert.True(t, Families(lines)[1].TypeFirst)
}

func TestNumbersAreSpelledAsTheyWere(t *testing.T) {
	for _, test := range []struct {
		name   string
		seen   []string
		values map[float64]string
	}{
		{"Go", []string{"1e+06", "0.5", "0"}, map[float64]string{1234567: "1.234567e+06", 3: "3", 0.25: "0.25", math.Inf(-1): "-Inf"}},
		{"Python", []string{"1.0", "2.5", "1.5e+09"}, map[float64]string{4: "4.0", 1234567: "1.234567e+06", math.NaN(): "NaN"}},
		{"iostreams", []string{"12345678", "0.02255639097744361", "Nan"}, map[float64]string{1e15: "1000000000000000", 1e16: "1e+16", 0.1: "0.1", math.NaN(): "Nan"}},
		{"six decimals", []string{"151.000000", "0.000000"}, map[float64]string{1234567: "1234567.000000", 0.5: "0.500000"}},
		{"six decimals of one value", []string{"0.913245"}, map[float64]string{0.9: "0.900000"}},
	} {
		f := FormatOf(test.seen)
		for v, want := range test.values {
			assert.Equal(t, want, string(f.Append(nil, v)), "%s: %v", test.name, f)
		}
		assert.True(t, f.Agrees(f), test.name)
	}
	assert.False(t, FormatOf([]string{"1.0"}).Agrees(FormatOf([]string{"1"})))
	assert.False(t, FormatOf([]string{"12345678"}).Agrees(FormatOf([]string{"1.2345678e+07"})))
	assert.False(t, FormatOf([]string{"1.000000"}).Agrees(FormatOf([]string{"1"})))
	assert.False(t, FormatOf([]string{"Nan"}).Agrees(FormatOf([]string{"NaN"})))
	assert.True(t, FormatOf([]string{"0.5"}).Agrees(FormatOf([]string{"12345678"})))
	assert.True(t, FormatOf([]string{"0.500000"}).Agrees(FormatOf([]string{"3.000000"})))
	assert.Equal(t, "4.0", string(FormatOf([]string{"NaN"}).Or(FormatOf([]string{"1.0"})).Append(nil, 4)))
}

func TestRoundingKeepsWhatWasRecorded(t *testing.T) {
	f := FormatOf([]string{"0.29", "1.1", "3"})
	assert.Equal(t, 2, f.Decimals())
	for _, v := range []float64{0.29, 0.57, 1.1, 1.15, 4.35} {
		assert.Equal(t, v, f.Floor(v))
		assert.Equal(t, v, f.Round(v))
	}
	assert.Equal(t, 0.29, f.Floor(0.2999))
	assert.Equal(t, 0, FormatOf([]string{"1e+06", "2.0"}).Decimals())
	assert.Equal(t, 7, FormatOf([]string{"1.5e-06"}).Decimals())
}

// FuzzParse holds the lines against Prometheus's own parser: what that takes is read here as well, with the same series and values.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"2\"} 1 1700000000000\n", "a 1\n", "a{} NaN\n", "{\"a.b\",c=\"d\"} -Inf\n",
		"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n", "a{x=\"\\\"\\\\\\n\"} 1e+06\n", "<html>", "\xff", "a{x=\"1\"", "# EOF\n",
		"a{b=\"c\",} 1\n", "a  {b = \"c\" , d=\"e\"}  1  2\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := Parse(body)
		type sample struct {
			set   string
			value float64
		}
		var want []sample
		parser, parserErr := textparse.New(body, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
		require.NoError(t, parserErr)
		for {
			entry, parserErr := parser.Next()
			if parserErr != nil {
				if len(body) > 0 && entry == textparse.EntryInvalid && parserErr.Error() != "EOF" {
					return // Prometheus refuses it: recording asks Prometheus as well
				}
				break
			}
			if entry == textparse.EntrySeries {
				_, _, value := parser.Series()
				var set labels.Labels
				parser.Labels(&set)
				want = append(want, sample{set.String(), value})
			}
		}
		if err != nil {
			return // stricter than Prometheus in some corners, as with the bytes of a name
		}
		var got []sample
		for _, l := range lines {
			if l.Kind != Sample {
				continue
			}
			value, err := ParseValue(l.Value)
			require.NoError(t, err)
			set := labels.NewBuilder(labels.EmptyLabels())
			for _, label := range l.Labels {
				set.Set(label.Name, label.Value)
			}
			set.Set("__name__", l.Name)
			got = append(got, sample{set.Labels().String(), value})
		}
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, math.IsNaN(want[i].value), math.IsNaN(got[i].value))
			if !math.IsNaN(want[i].value) {
				require.Equal(t, want[i].value, got[i].value)
			}
		}
	})
}
