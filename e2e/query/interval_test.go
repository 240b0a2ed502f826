package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundInterval(t *testing.T) {
	ms := time.Millisecond
	tests := []struct{ d, want time.Duration }{
		{0, ms}, {10 * ms, ms}, {11 * ms, 10 * ms}, {15 * ms, 10 * ms}, {16 * ms, 20 * ms}, {35 * ms, 20 * ms},
		{36 * ms, 50 * ms}, {76 * ms, 100 * ms}, {151 * ms, 200 * ms}, {351 * ms, 500 * ms}, {750 * ms, 500 * ms},
		{751 * ms, time.Second}, {1501 * ms, 2 * time.Second}, {3501 * ms, 5 * time.Second}, {7501 * ms, 10 * time.Second},
		{12501 * ms, 15 * time.Second}, {14400 * ms, 15 * time.Second}, {17501 * ms, 20 * time.Second},
		{25001 * ms, 30 * time.Second}, {45 * time.Second, 30 * time.Second}, {45001 * ms, time.Minute},
		{90001 * ms, 2 * time.Minute}, {210001 * ms, 5 * time.Minute}, {450001 * ms, 10 * time.Minute},
		{750001 * ms, 15 * time.Minute}, {1050001 * ms, 20 * time.Minute}, {25*time.Minute + ms, 30 * time.Minute},
		{45*time.Minute + ms, time.Hour}, {90*time.Minute + ms, 2 * time.Hour}, {150*time.Minute + ms, 3 * time.Hour},
		{270*time.Minute + ms, 6 * time.Hour}, {9*time.Hour + ms, 12 * time.Hour}, {day + ms, day},
		{week, day}, {week + ms, week}, {3*week + ms, 30 * day}, {6*week - ms, 30 * day}, {6 * week, year},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, roundInterval(tt.d), tt.d)
	}
}

func TestFormatInterval(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1ms", 100 * time.Millisecond: "100ms", 15 * time.Second: "15s", 90 * time.Second: "1m",
		time.Hour: "1h", 36 * time.Hour: "1d", week: "7d", 400 * day: "1y",
	} {
		assert.Equal(t, want, formatInterval(d))
	}
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15s": 15 * time.Second, ">15s": 15 * time.Second, "<1m": time.Minute, "15": 15 * time.Second,
		"1m30s": 90 * time.Second, "500ms": 500 * time.Millisecond, "1d": day, "2w": 2 * week,
		"1M": 730*time.Hour + 30*time.Minute, "1y": 8766 * time.Hour,
	} {
		got, err := parseInterval(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	got, err := parseInterval(" 10s ")
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, got)
	for _, text := range []string{"", "soon", "-5s", "1d12h", "$m", "999999999999y"} {
		_, err := parseInterval(text)
		assert.Error(t, err, text)
	}
}
