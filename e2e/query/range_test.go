package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRange(t *testing.T) {
	now := time.Date(2026, 3, 31, 15, 4, 5, 678_000_000, time.UTC) // a Tuesday
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02T15:04:05.999", s)
		require.NoError(t, err)
		return v
	}
	tests := []struct{ from, to, wantFrom, wantTo string }{
		{"now-6h", "now", "2026-03-31T09:04:05.678", "2026-03-31T15:04:05.678"},
		{"now-30s", "now+1m", "2026-03-31T15:03:35.678", "2026-03-31T15:05:05.678"},
		{"now/d", "now/d", "2026-03-31T00:00:00", "2026-03-31T23:59:59.999"},
		{"now-1d/d", "now-1d/d", "2026-03-30T00:00:00", "2026-03-30T23:59:59.999"},
		{"now/w", "now/w", "2026-03-29T00:00:00", "2026-04-04T23:59:59.999"},
		{"now-1M", "now", "2026-02-28T15:04:05.678", "2026-03-31T15:04:05.678"},
		{"now-1M/M", "now-1M/M", "2026-02-01T00:00:00", "2026-02-28T23:59:59.999"},
		{"now-1Q/Q", "now/Q", "2025-10-01T00:00:00", "2026-03-31T23:59:59.999"},
		{"now-1y/y", "now/y", "2025-01-01T00:00:00", "2026-12-31T23:59:59.999"},
		{"now/h", "now/m", "2026-03-31T15:00:00", "2026-03-31T15:04:59.999"},
		{"now-1d/d+8h", "now-d", "2026-03-30T08:00:00", "2026-03-30T15:04:05.678"},
		{"1700000000000", "1700000001000", "2023-11-14T22:13:20", "2023-11-14T22:13:21"},
		{"2026-01-02T03:04:05.000Z", "2026-01-02 04:00:00", "2026-01-02T03:04:05", "2026-01-02T04:00:00"},
		{"2026-01-02", "2026-01-02||+1d/d", "2026-01-02T00:00:00", "2026-01-03T23:59:59.999"},
		{"20260102", "20260103T040506", "2026-01-02T00:00:00", "2026-01-03T04:05:06"},
	}
	for _, tt := range tests {
		r, err := ParseRange(tt.from, tt.to, now)
		require.NoError(t, err, tt.from)
		assert.Equal(t, at(tt.wantFrom), r.From.UTC(), tt.from)
		assert.Equal(t, at(tt.wantTo), r.To.UTC(), tt.to)
		assert.Equal(t, tt.from[0] != 'n', r.Absolute, tt.from)
	}
	for _, bad := range [][2]string{
		{"now", "now"}, {"now-", "now"}, {"now-6x", "now"}, {"yesterday", "now"}, {"", "now"}, {"now-1h", ""},
		{"now-99999999999999y", "now"}, {"now-1000000000y", "now"}, {"99999999999999999", "now"}, {"now-1h", "now-2h"},
	} {
		_, err := ParseRange(bad[0], bad[1], now)
		assert.Error(t, err, bad)
	}
}

func TestParseRangeTimeZone(t *testing.T) {
	zone := time.FixedZone("east", 2*3600)
	r, err := ParseRange("now/d", "now", time.Date(2026, 3, 31, 1, 0, 0, 0, zone))
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 3, 30, 22, 0, 0, 0, time.UTC), r.From.UTC())
}
