//go:build unix

package beside

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tailed is a tail that pieces were written to one by one.
func tailed(t *testing.T, pieces ...string) *tail {
	t.Helper()
	out := &tail{}
	for _, piece := range pieces {
		n, err := out.Write([]byte(piece))
		require.NoError(t, err)
		require.Len(t, piece, n)
	}
	return out
}

// lengths are those of the lines.
func lengths(lines []string) []int {
	out := []int{}
	for _, l := range lines {
		out = append(out, len(l))
	}
	return out
}

func TestTailCutsLongLines(t *testing.T) {
	const limit = lineBytes
	full := strings.Repeat("x", limit)
	for name, tc := range map[string]struct {
		pieces []string
		want   []int
	}{
		"nothing":               {nil, []int{}},
		"just as long":          {[]string{full, "\n"}, []int{limit}},
		"just as long, at once": {[]string{full + "\n"}, []int{limit}},
		"a byte longer":         {[]string{full + "y\n"}, []int{limit, 1}},
		"a byte longer, later":  {[]string{full, "y", "\n"}, []int{limit, 1}},
		"in small pieces":       {[]string{full[1:], "yz", "\nw"}, []int{limit, 1, 1}},
		"without an end":        {[]string{full + full + full}, []int{limit, limit, limit}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, lengths(tailed(t, tc.pieces...).last(100)))
		})
	}
}

func TestTailBoundsBytes(t *testing.T) {
	line := strings.Repeat("x", 1023) + "\n"
	log := tailed(t, strings.Repeat(line, 2*tailBytes/len(line)))
	assert.LessOrEqual(t, log.bytes, tailBytes)
	assert.Len(t, log.last(tailLines), tailBytes/(len(line)-1), "as many as there is room for")
}

func TestTailCountsWhatItKeeps(t *testing.T) {
	log := tailed(t, strings.Repeat("\r\n", 2*tailBytes), "a\r\n", "b\r\n")
	lines := log.last(2 * tailLines)
	assert.Len(t, lines, tailLines)
	assert.Equal(t, []string{"a", "b"}, lines[len(lines)-2:])
	assert.Equal(t, 2, log.bytes)
}

func TestTailGivesLinesAway(t *testing.T) {
	log := tailed(t, "a\nb\n")
	log.last(2)[0] = "changed"
	assert.Equal(t, []string{"a", "b"}, log.last(2))
}
