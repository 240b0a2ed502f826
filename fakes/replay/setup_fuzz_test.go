package replay

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzParseArgs: what is taken are rates, each given by its flag, and they come back as
// they are written out.
func FuzzParseArgs(f *testing.F) {
	for _, seed := range []string{"--rate requests=2.5 --rate=h=3", "--rate", "--port=1", "a=1", "--rate =1", "--rate=a=NaN", "--rate a=-0", "--rate --rate=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		rates, err := parseArgs(args)
		if err != nil {
			assert.Contains(t, err.Error(), "--rate NAME=PER_SECOND")
			return
		}
		assert.LessOrEqual(t, len(rates), strings.Count(line, "--rate"))
		var again []string
		for name, rate := range rates {
			require.NotEmpty(t, name)
			require.True(t, rate >= 0 && !math.IsInf(rate, 0), "%s=%v", name, rate)
			again = append(again, fmt.Sprintf("--rate=%s=%v", name, rate))
		}
		same, err := parseArgs(again)
		require.NoError(t, err)
		require.True(t, maps.Equal(rates, same))
	})
}
