package embedded

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// mostRemembered bounds the series of a seriesMemory: one with a day of samples takes
// about five kilobytes.
const mostRemembered = 10_000

// seriesMemory remembers the series that queries have read. Those of a run read the same
// few thousand thousands of times, and each time the database lists all chunks of a
// series anew, and goes through them once more for every chunk that is opened, to hide
// what was appended since. Of what is older than its newest sample nothing changes.
type seriesMemory struct {
	head  *tsdb.Head // set once the database is open, before anything is asked
	known sync.Map   // *knownSeries by storage.SeriesRef
	count atomic.Int64
}

// knownSeries is one series.
type knownSeries struct {
	labels labels.Labels
	chunks []chunks.Meta // in the order of their times, none overlapping another; full ones with what they hold
	until  millis        // the newest sample of the database when it was read
}

// between are the chunks that may have samples in a time, both its ends included.
func (k *knownSeries) between(mint, maxt millis) []chunks.Meta {
	from := sort.Search(len(k.chunks), func(i int) bool { return k.chunks[i].MaxTime >= mint })
	to := sort.Search(len(k.chunks), func(i int) bool { return k.chunks[i].MinTime > maxt })
	return k.chunks[from:max(from, to)]
}

// series reads one up to a time at least. The error wraps storage.ErrNotFound where it is
// there no more.
func (m *seriesMemory) series(ref storage.SeriesRef, maxt millis) (*knownSeries, error) {
	if k, ok := m.known.Load(ref); ok && maxt <= k.(*knownSeries).until {
		return k.(*knownSeries), nil
	}
	k, err := m.list(ref)
	if err != nil || maxt > k.until || m.count.Load() >= mostRemembered {
		return k, err
	}
	if err := m.hold(k); err != nil {
		return nil, err
	}
	if _, known := m.known.Swap(ref, k); !known {
		m.count.Add(1)
	}
	return k, nil
}

// list reads which chunks a series has.
func (m *seriesMemory) list(ref storage.SeriesRef) (_ *knownSeries, err error) {
	k := &knownSeries{until: m.head.MaxTime()} // before the chunks are listed: later ones are newer
	index, err := m.head.Index()
	if err != nil {
		return nil, fmt.Errorf("open the index: %w", err)
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	var builder labels.ScratchBuilder
	if err := index.Series(ref, &builder, &k.chunks); err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	k.labels = builder.Labels()
	return k, nil
}

// hold gets at what is in the full chunks of a series: nobody writes to those any more.
func (m *seriesMemory) hold(k *knownSeries) (err error) {
	reader, err := m.head.Chunks()
	if err != nil {
		return fmt.Errorf("open the chunks: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if cache, ok := reader.(interface{ EnableChunkCache() }); ok {
		cache.EnableChunkCache()
	}
	for i, meta := range k.chunks {
		if meta.MaxTime == math.MaxInt64 { // is being written to
			continue
		}
		chunk, _, err := reader.ChunkOrIterable(meta) // what is in the head is a chunk
		if err != nil {
			return fmt.Errorf("read a chunk: %w", err)
		}
		if k.chunks[i].Chunk, err = chunkenc.FromData(chunk.Encoding(), chunk.Bytes()); err != nil {
			return fmt.Errorf("read a chunk: %w", err)
		}
	}
	return nil
}
