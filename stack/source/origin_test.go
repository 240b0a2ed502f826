package source

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestYAMLInsideYAML(t *testing.T) {
	for name, tc := range map[string]struct{ outer, want string }{
		"literal block":        {"a:\n  text: |\n    x: 1\n    deep:\n      key: here\n", "f.yml:5:12"},
		"chomped":              {"text: |-\n  x: 1\n  deep:\n    key: here\n", "f.yml:4:10"},
		"comment after it":     {"text: | # prometheus.yml\n  deep:\n    key: here\n", "f.yml:3:10"},
		"CRLF":                 {"text: |\r\n  deep:\r\n    key: here\r\n", "f.yml:3:10"},
		"its own indentation":  {"text: |2\n  deep:\n    key: here\n", "f.yml:1:7"},
		"begins with a blank":  {"text: |\n\n  deep:\n    key: here\n", "f.yml:1:7"},
		"quoted":               {`text: "deep: {key: here}"`, "f.yml:1:7"},
		"folded":               {"text: >\n  deep: {key: here}\n", "f.yml:1:7"},
		"indented as deep":     {"text: |\n      deep: {key: here}\n", "f.yml:2:19"},
		"of an anchored value": {"text: &t |\n  deep: {key: here}\n", "f.yml:1:7"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := ParseYAML("f.yml", []byte(tc.outer), DefaultLimits())
			require.NoError(t, err)
			text := docs[0].Get("text")
			if !text.Exists() {
				text = docs[0].At("a", "text")
			}
			inner, err := ParseYAMLAt(text.Origin(), []byte(text.Str()), DefaultLimits())
			require.NoError(t, err)
			assert.Equal(t, tc.want, inner[0].At("deep", "key").Pos().String())
		})
	}
	assert.Zero(t, (*Node)(nil).Origin())
}

func TestBrokenYAMLInsideYAML(t *testing.T) {
	docs, err := ParseYAML("f.yml", []byte("text: |\n  a: 1\n  b: [\n"), DefaultLimits())
	require.NoError(t, err)
	text := docs[0].Get("text")
	_, err = ParseYAMLAt(text.Origin(), []byte(text.Str()), DefaultLimits())
	assert.ErrorContains(t, err, "f.yml:4:3: not valid YAML")
	_, err = ParseYAMLAt(text.Origin(), []byte("x"), Limits{})
	assert.ErrorContains(t, err, "f.yml:2:3: the file has 1 bytes")
}
