package release

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"24.07", "24.07"}, {"24.07-py3", "24.07"}, {"26.06-vllm-python-py3", "26.06"}, {"v1.9.1", "1.9.1"}, {"1.0.0", "1.0.0"},
		{"3.3.5-3.4.0", "3.3.5-3.4.0"}, {"3.3.5-3.4.0-ubuntu22.04", "3.3.5-3.4.0"}, {"4.5.3-4.8.2-distroless", "4.5.3-4.8.2"},
		{"3.3.5", "3.3.5"}, {"main", "main"}, {"v0.11.0", "0.11.0"}, {"v0.6.1.post1", "0.6.1"}, {"1.0.0-rc.1", "1.0.0"},
	} {
		r, err := Parse(tc.text)
		require.NoError(t, err, tc.text)
		assert.Equal(t, tc.want, r.String())
	}
	for _, text := range []string{"", "latest", "24", "24.", "24.07.1.2", "x24.07", "24.07 ", "99999.1", "24.07-1", "-1.0", "ubuntu22.04"} {
		_, err := Parse(text)
		assert.Error(t, err, text)
	}
}

func TestCompare(t *testing.T) {
	ordered := []string{"2.0.13", "2.3.1-2.6.0", "2.4.6-2.6.10", "3.3.5-3.4.0", "3.3.7-3.5.0", "4.0.0-4.0.1", "4.5.3-4.8.2", "main"}
	for i, a := range ordered {
		for j, b := range ordered {
			c := MustParse(a).Compare(MustParse(b))
			switch {
			case i < j:
				assert.Negative(t, c, "%s %s", a, b)
			case i > j:
				assert.Positive(t, c, "%s %s", a, b)
			default:
				assert.Zero(t, c, a)
			}
		}
	}
	assert.Zero(t, MustParse("3.3.5").Compare(MustParse("3.3.5-3.4.0")))
	assert.True(t, MustParse("24.07").Before("24.11"))
	assert.True(t, MustParse("24.11").Since("24.11"))
	assert.Negative(t, Release{}.Compare(MustParse("18.11")))
	assert.Negative(t, Release{}.Compare(MustParse("main")))
}
