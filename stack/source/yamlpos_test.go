package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPosAtInYAML(t *testing.T) {
	for name, tc := range map[string]struct{ file, part, want string }{
		"plain":             {"a: one two three\n", "two", "f:1:8"},
		"plain, folded":     {"a: one\n  two three\n", "three", "f:2:7"},
		"literal":           {"a: |\n  one\n    two\n", "two", "f:3:5"},
		"literal, comment":  {"a: | # three\n  one\n  three\n", "three", "f:3:3"},
		"folded":            {"a: >-\n  one\n  two\n\n  three\n", "three", "f:5:3"},
		"blank lines first": {"a: |\n\n\n  one\n  two\n", "two", "f:5:3"},
		"single quotes":     {"a: 'it''s two'\n", "two", "f:1:11"},
		"double quotes":     {`a: "x{y=\"1\"} two"` + "\n", "two", "f:1:16"},
		"escapes":           {`a: "one\ntwo"` + "\n", "two", "f:1:4"},
		"an anchor":         {"a: &b one two\n", "two", "f:1:4"},
		"the quote itself":  {`a: "x \"1\""` + "\n", `"1`, "f:1:8"},
		"a space":           {"a: one two\n", " two", "f:1:7"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := ParseYAML("f", []byte(tc.file), DefaultLimits())
			require.NoError(t, err)
			text := docs[0].Get("a").Text()
			require.Contains(t, text.Value, tc.part)
			assert.Equal(t, tc.want, text.PosAt(strings.Index(text.Value, tc.part)).String())
		})
	}
	docs, err := ParseYAML("f", []byte("a: one\n"), DefaultLimits())
	require.NoError(t, err)
	assert.Equal(t, "f:1:7", docs[0].Get("a").PosAt(99).String(), "past the end")
}
