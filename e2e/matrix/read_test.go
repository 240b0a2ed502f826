package matrix

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes/standard"
	"github.com/panelgate/panelgate/stack/source"
)

const written = `version: 1
combine: pairwise
prometheus:
  - 2.53
  - v3.5.1
grafana:
  - 12.30
  - image: grafana/grafana:13.2.3
  - name: with-dataplane
    image: grafana/grafana:13.2.3
    environment: {GF_FEATURE_TOGGLES_ENABLE: prometheusDataplane, GF_LOG_COUNT: 3, GF_OFF: false}
  - {name: quiet, environment: {GF_LOG_LEVEL: error}}
  - tar:images/nightly.tar.gz
triton: [26.06]
`

func TestParse(t *testing.T) {
	p, err := Parse("ci/m.yml", []byte(written))
	require.NoError(t, err)
	pos := func(line, column int) source.Pos { return source.Pos{File: "ci/m.yml", Line: line, Column: column} }
	assert.Equal(t, &Plan{Combine: Pairwise, Axes: []Axis{
		{Grafana, []Value{
			{Name: "12.30", Tag: "12.30", Pos: pos(7, 5)},
			{Name: "13.2.3", Image: "grafana/grafana:13.2.3", Pos: pos(8, 5)},
			{Name: "with-dataplane", Image: "grafana/grafana:13.2.3", Pos: pos(9, 5), Environment: map[string]string{
				"GF_FEATURE_TOGGLES_ENABLE": "prometheusDataplane", "GF_LOG_COUNT": "3", "GF_OFF": "false"}},
			{Name: "quiet", Pos: pos(12, 5), Environment: map[string]string{"GF_LOG_LEVEL": "error"}},
			{Name: "nightly", Image: "tar:" + filepath.Join("ci", "images", "nightly.tar.gz"), Pos: pos(13, 5)},
		}},
		{Prometheus, []Value{{Name: "2.53", Tag: "2.53", Pos: pos(4, 5)}, {Name: "v3.5.1", Tag: "v3.5.1", Pos: pos(5, 5)}}},
		{Triton, []Value{{Name: "26.06", Pos: pos(14, 10)}}},
	}}, p)
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "m.yml:1:1: the matrix is empty",
		"[]":                                     "m.yml:1:1: a matrix is a mapping",
		"version: 1\n---\nversion: 1":            "a matrix is one YAML document",
		"grafana: [x]":                           "m.yml:1:1: want version: 1",
		"version: 2\ngrafana: [x]":               "m.yml:1:10: want version: 1",
		"version: 1":                             "m.yml:1:1: nothing is varied: list versions under at least one of grafana, prometheus, triton, dcgm, node",
		"version: 1\ngrafna: [x]":                `m.yml:2:1: unknown key "grafna", nearest: grafana (there are version, combine, grafana, `,
		"version: 1\ngrafana: [x]\ngrafana: [y]": `m.yml:3:1: key "grafana" stands twice`,
		"version: 1\ncombine: some\ngrafana: [x]":                                `m.yml:2:10: combine "some": want all (every combination) or pairwise`,
		"version: 1\ngrafana: 12.3":                                              `m.yml:2:10: grafana is a list of versions, as ["12.3.1"]`,
		"version: 1\ngrafana: []":                                                "m.yml:2:10: grafana is a list of versions",
		"version: 1\ngrafana: [12.3, 12.3]":                                      `m.yml:2:17: grafana "12.3" stands twice: every value needs a name of its own`,
		"version: 1\ngrafana: [true]":                                            "m.yml:2:11: a value of grafana is a version or a mapping, found a boolean",
		"version: 1\ngrafana: ['']":                                              "m.yml:2:11: a version of grafana is empty",
		"version: 1\ngrafana: ['http://localhost']":                              "this is a URL: want a version, an image, or tar:FILE",
		"version: 1\ngrafana: ['tar:']":                                          "tar: names no file",
		"version: 1\ngrafana: ['12 3']":                                          `m.yml:2:11: "12 3" is neither a tag, as 12.3.1, nor an image`,
		"version: 1\ngrafana: [grafana/grafana]":                                 `m.yml:2:11: image "grafana/grafana" names no version: add one, as in grafana/grafana:12.3.1`,
		"version: 1\ngrafana: [grafana/Grafana:1]":                               `m.yml:2:11: image "grafana/Grafana:1": `,
		"version: 1\ngrafana: [{imag: x}]":                                       `m.yml:2:12: unknown key "imag", nearest: image`,
		"version: 1\ngrafana: [{}]":                                              "m.yml:2:11: a value of grafana needs a name, a tag or an image",
		"version: 1\ngrafana: [{image: '12.3'}]":                                 `m.yml:2:19: "12.3" names no image: write tag: "12.3"`,
		"version: 1\ngrafana: [{tag: 'a:b'}]":                                    `m.yml:2:17: "a:b" is no tag: write image: a:b`,
		"version: 1\ngrafana: [{tag: '1', image: a:1}]":                          "want either tag or image",
		"version: 1\ngrafana: [{name: ' ', tag: x}]":                             "m.yml:2:18: a name is what people read",
		"version: 1\ngrafana: [{name: \"a\\eb\", tag: x}]":                       "does not print",
		"version: 1\ngrafana: [{tag: x, name: " + strings.Repeat("n", 65) + "}]": "a name has 64 bytes at the most",
		"version: 1\ngrafana: [{tag: x, environment: [a]}]":                      "m.yml:2:33: environment is a mapping",
		"version: 1\ngrafana: [{tag: x, environment: {a-b: c}}]":                 `m.yml:2:34: "a-b" is no name of an environment variable`,
		"version: 1\ngrafana: [{tag: x, environment: {A: }}]":                    "the value of A is text, found null",
		"version: 1\ngrafana: [{tag: x, environment: {A: 1, A: 2}}]":             "A stands twice",
		"version: 1\ntriton: [{name: x}]":                                        "m.yml:2:10: a value of triton is a version, and nothing more",
		"version: 1\ntriton: ['26.6']":                                           `m.yml:2:10: the fake of triton does not act out version "26.6", nearest: 26.06: it knows 20.06`,
		"version: 1\ngrafana: [" + strings.Repeat("x, ", 32) + "y]":              "grafana has more than 32 values",
	} {
		_, err := Parse("m.yml", []byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yml")
	require.NoError(t, os.WriteFile(file, []byte("version: 1\nnode: [1.12.1]\n"), 0o600))
	p, err := Read(file)
	require.NoError(t, err)
	assert.Equal(t, "1.12.1", p.Axes[0].Values[0].Name)
	_, err = Read(filepath.Dir(file))
	require.ErrorContains(t, err, "is no regular file")
	_, err = Read(file + "x")
	require.ErrorContains(t, err, "read the matrix: ")
	require.NoError(t, os.Truncate(file, 2<<20))
	_, err = Read(file)
	require.ErrorContains(t, err, "has more than 1048576 bytes")
}

func TestParseAxis(t *testing.T) {
	a, err := ParseAxis(Grafana, "11.6.1, grafana/grafana:12.3.1,tar:/x/y.tgz,ghcr.io/a/b@sha256:"+strings.Repeat("0123456789abcdef", 4))
	require.NoError(t, err)
	var names []string
	for _, v := range a.Values {
		names = append(names, v.Name)
	}
	assert.Equal(t, []string{"11.6.1", "12.3.1", "y", "0123456789ab"}, names)

	a, err = ParseAxis(Grafana, "grafana/grafana:13,grafana/grafana-oss:13")
	require.NoError(t, err)
	assert.Equal(t, "grafana/grafana-oss:13", a.Values[1].Name, "two images of one tag are told apart")

	for text, want := range map[string]string{
		"":                      "a version of grafana is empty",
		"12,":                   "a version of grafana is empty",
		"12,12":                 `grafana "12" stands twice`,
		"http://localhost:3000": "this is a URL",
	} {
		_, err := ParseAxis(Grafana, text)
		assert.ErrorContains(t, err, want, text)
	}
	_, err = ParseAxis(DCGM, "4.5")
	require.ErrorContains(t, err, `the fake of dcgm does not act out version "4.5"`)
}

func TestOn(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, tc := range []struct{ image, tag, want string }{
		{"grafana/grafana:13.2.3", "12.3.1", "grafana/grafana:12.3.1"},
		{"grafana/grafana:13.2.3" + digest, "12.3.1", "grafana/grafana:12.3.1"},
		{"prom/prometheus:v3.15.0", "3.5.1", "prom/prometheus:v3.5.1"},
		{"prom/prometheus:v3.15.0", "v3.5.1", "prom/prometheus:v3.5.1"},
		{"prom/prometheus:v3.15.0", "main", "prom/prometheus:main"},
		{"prom/prometheus", "3.5.1", "prom/prometheus:3.5.1"},
		{"registry.example:5000/a/b:vendor", "1", "registry.example:5000/a/b:1"},
	} {
		p := &Plan{Axes: []Axis{{Prometheus, []Value{{Name: tc.tag, Tag: tc.tag}}}}}
		require.NoError(t, p.On(map[string]string{Prometheus: tc.image}))
		assert.Equal(t, tc.want, p.Axes[0].Values[0].Image)
	}
	p := &Plan{Axes: []Axis{{Grafana, []Value{{Name: "12", Tag: "12"}}}}}
	require.EqualError(t, p.On(nil), "--grafana 12: the compose file names no image that a tag could be of: write the whole image, as grafana/grafana:12.3.1")
	p.Axes[0].Values[0].Pos = source.Pos{File: "m.yml", Line: 3, Column: 5}
	require.ErrorContains(t, p.On(map[string]string{Grafana: "A:B"}), "m.yml:3:5: grafana 12: the compose file's image")
}

func TestMirrored(t *testing.T) {
	p := &Plan{Axes: []Axis{{Grafana, []Value{{Image: "grafana/grafana:13"}, {Image: "ghcr.io/a/b:1"}, {Image: "tar:x"}, {Name: "own"}}}}}
	require.NoError(t, p.Mirrored(func(image string) (string, error) { return "mirror/" + image, nil }))
	var got []string
	for _, v := range p.Axes[0].Values {
		got = append(got, v.Image)
	}
	assert.Equal(t, []string{"mirror/grafana/grafana:13", "mirror/ghcr.io/a/b:1", "tar:x", ""}, got)
	require.ErrorIs(t, p.Mirrored(func(string) (string, error) { return "", io.ErrUnexpectedEOF }), io.ErrUnexpectedEOF)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(written))
	f.Add([]byte("version: 1\ngrafana: [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("m.yml", data)
		if err != nil {
			if p != nil && fmt.Sprint(err) == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if _, err := p.Cells(); err == nil && len(p.Axes) == 0 {
			t.Fatal("cells of nothing")
		}
	})
}

func TestReleasesOfExporters(t *testing.T) {
	versions := standard.Versions("triton")
	a, err := ParseAxis(Triton, versions[0]+"..")
	require.NoError(t, err)
	var names []string
	for _, v := range a.Values {
		names = append(names, v.Name)
	}
	assert.Equal(t, versions, names)
	p, err := Parse("m.yml", []byte("version: 1\ntriton: [\".."+versions[len(versions)-1]+"\"]\n"))
	require.NoError(t, err)
	assert.Len(t, p.Axis(Triton).Values, len(versions))
	assert.Equal(t, 2, p.Axis(Triton).Values[0].Pos.Line)
	cells, err := p.Cells()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{Triton: versions[0]}, cells[0].Releases())
	_, err = Parse("m.yml", []byte("version: 1\ntriton: [\"19.01..19.12\"]\n"))
	require.ErrorContains(t, err, "m.yml:2:10: the fake of triton acts out no version of 19.01..19.12")
}
