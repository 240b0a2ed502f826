package embedded

import (
	"log/slog"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSeriesMemory: what is remembered of series has to be what the database would read,
// also after chunks became full and series came and went.
func TestSeriesMemory(t *testing.T) {
	const second = 1000
	memory := &seriesMemory{}
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = -1
	o.MinBlockDuration, o.MaxBlockDuration = 1e9, 1e9
	o.BlockQuerierFunc = memory.querier
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, o, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	db.DisableCompactions()
	memory.head = db.Head()

	name := labels.MustNewMatcher(labels.MatchEqual, "__name__", "m")
	read := func(q storage.Querier, err error, mint, maxt int64) map[string][]int64 {
		require.NoError(t, err)
		defer q.Close() //nolint:errcheck // of a test
		out := map[string][]int64{}
		set := q.Select(t.Context(), true, &storage.SelectHints{Start: mint, End: maxt, Step: second}, name)
		for set.Next() {
			var at []int64
			it := set.At().Iterator(nil)
			for it.Next() == chunkenc.ValFloat {
				if ts, v := it.At(); ts >= mint && ts <= maxt {
					at = append(at, ts, int64(v))
				}
			}
			require.NoError(t, it.Err())
			if len(at) > 0 {
				out[set.At().Labels().String()] = at
			}
		}
		require.NoError(t, set.Err())
		return out
	}
	compare := func(mint, maxt int64) {
		t.Helper()
		q, err := tsdb.NewBlockQuerier(tsdb.NewRangeHead(db.Head(), mint, maxt), mint, maxt)
		want := read(q, err, mint, maxt)
		remembering, err := db.Querier(mint, maxt)
		assert.Equal(t, want, read(remembering, err, mint, maxt), "%d to %d", mint, maxt)
	}
	lay := func(series string, from, to int64) {
		app := db.Appender(t.Context())
		for ts := from; ts < to; ts += second {
			_, err := app.Append(0, labels.FromStrings("__name__", "m", "series", series), ts, float64(ts)/second)
			require.NoError(t, err)
		}
		require.NoError(t, app.Commit())
	}

	windows := func(upTo int64) {
		for _, w := range [][2]int64{{0, upTo}, {0, upTo / 2}, {upTo / 3, upTo / 2}, {upTo - 5*second, upTo}, {upTo / 2, upTo + 100*second}} {
			compare(w[0], w[1])
		}
	}
	lay("a", 0, 300*second)
	windows(299 * second)
	windows(299 * second) // from memory
	assert.EqualValues(t, 1, memory.count.Load())

	lay("a", 300*second, 700*second) // what was the open chunk is full
	lay("b", 650*second, 700*second)
	lay("ended", 0, 50*second)
	windows(299 * second)
	windows(699 * second)
	windows(699 * second) // from memory
	assert.EqualValues(t, 3, memory.count.Load())
}

// TestSeriesMemoryIsBounded: beyond its bound the memory reads, and keeps nothing.
func TestSeriesMemoryIsBounded(t *testing.T) {
	head, err := tsdb.NewHead(nil, nil, nil, nil, headIn(t.TempDir()), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, head.Close()) })
	app := head.Appender(t.Context())
	ref, err := app.Append(0, labels.FromStrings("__name__", "m"), 1000, 1)
	require.NoError(t, err)
	require.NoError(t, app.Commit())

	memory := &seriesMemory{head: head}
	memory.count.Store(mostRemembered)
	k, err := memory.series(ref, 1000)
	require.NoError(t, err)
	assert.Len(t, k.chunks, 1)
	_, known := memory.known.Load(ref)
	assert.False(t, known)
	_, err = memory.series(ref+1, 1000)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func headIn(dir string) *tsdb.HeadOptions {
	o := tsdb.DefaultHeadOptions()
	o.ChunkDirRoot = dir
	return o
}
