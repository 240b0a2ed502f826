package embedded

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/util/annotations"
)

// millis is a time in milliseconds. Under this name vet does not take an iterator's Seek
// for that of io.Seeker.
type millis = int64

// sparseQuerier reads for range queries whose steps are far apart. The database's own
// querier decodes all samples up to the last step; this one passes by chunks that lie
// between two steps, which of a day are most. It is the database's own in all else, and
// it leaves to the engine what lies outside of a query's time.
type sparseQuerier struct {
	storage.Querier

	index  tsdb.IndexReader
	chunks tsdb.ChunkReader
	memory *seriesMemory
}

// querier is a tsdb.BlockQuerierFunc.
func (m *seriesMemory) querier(b tsdb.BlockReader, mint, maxt int64) (storage.Querier, error) {
	q, err := tsdb.NewBlockQuerier(b, mint, maxt)
	if err != nil {
		return nil, fmt.Errorf("open the querier: %w", err)
	}
	if _, head := b.(*tsdb.RangeHead); !head { // blocks may have tombstones; there are none
		return q, nil
	}
	out := &sparseQuerier{Querier: q, memory: m}
	if out.index, err = b.Index(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the index: %w", err), q.Close())
	}
	if out.chunks, err = b.Chunks(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the chunks: %w", err), out.index.Close(), q.Close())
	}
	if cache, ok := out.chunks.(interface{ EnableChunkCache() }); ok {
		cache.EnableChunkCache()
	}
	return out, nil
}

// Close implements storage.Querier.
func (q *sparseQuerier) Close() error {
	return errors.Join(q.chunks.Close(), q.index.Close(), q.Querier.Close())
}

// Select implements storage.Querier.
func (q *sparseQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints == nil || hints.Step <= 0 || hints.Func == "series" || hints.ShardCount > 0 {
		return q.Querier.Select(ctx, sorted, hints, matchers...)
	}
	p, err := tsdb.PostingsForMatchers(ctx, q.index, matchers...)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if sorted {
		p = q.index.SortedPostings(p)
	}
	return &sparseSet{querier: q, postings: p, mint: hints.Start, maxt: hints.End}
}

// sparseSet is a storage.SeriesSet.
type sparseSet struct {
	querier    *sparseQuerier
	postings   index.Postings
	mint, maxt millis

	series *sparseSeries
	err    error
}

// Next implements storage.SeriesSet.
func (s *sparseSet) Next() bool {
	for s.postings.Next() {
		series, err := s.querier.memory.series(s.postings.At(), s.maxt)
		if errors.Is(err, storage.ErrNotFound) {
			continue // gone since
		}
		if err != nil {
			s.err = fmt.Errorf("read series: %w", err)
			return false
		}
		if metas := series.between(s.mint, s.maxt); len(metas) > 0 {
			s.series = &sparseSeries{labels: series.labels, metas: metas, chunks: s.querier.chunks}
			return true
		}
	}
	return false
}

// At implements storage.SeriesSet.
func (s *sparseSet) At() storage.Series { return s.series }

// Err implements storage.SeriesSet.
func (s *sparseSet) Err() error { return errors.Join(s.err, s.postings.Err()) }

// Warnings implements storage.SeriesSet.
func (s *sparseSet) Warnings() annotations.Annotations { return nil }

// sparseSeries is a storage.Series.
type sparseSeries struct {
	labels labels.Labels
	metas  []chunks.Meta // in the order of their times, none overlapping another
	chunks tsdb.ChunkReader
}

// Labels implements storage.Series.
func (s *sparseSeries) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s *sparseSeries) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*sparseIterator)
	if !ok {
		it = &sparseIterator{}
	}
	it.metas, it.chunks, it.at, it.err = s.metas, s.chunks, chunkenc.ValNone, nil
	it.opened = false
	return it
}

// sparseIterator is a chunkenc.Iterator that goes from chunk to chunk.
type sparseIterator struct {
	metas   []chunks.Meta // that of current first, once one is opened
	chunks  tsdb.ChunkReader
	current chunkenc.Iterator // also kept to be used again
	opened  bool              // current is of metas[0]
	at      chunkenc.ValueType
	err     error
}

// Next implements chunkenc.Iterator.
func (i *sparseIterator) Next() chunkenc.ValueType {
	for i.open() {
		if i.at = i.current.Next(); i.at != chunkenc.ValNone {
			return i.at
		}
		i.leave()
	}
	i.at = chunkenc.ValNone
	return i.at
}

// Seek implements chunkenc.Iterator.
func (i *sparseIterator) Seek(t millis) chunkenc.ValueType {
	if i.at != chunkenc.ValNone && i.current.AtT() >= t {
		return i.at
	}
	for i.err == nil {
		for len(i.metas) > 0 && i.metas[0].MaxTime < t {
			i.leave()
		}
		if !i.open() {
			break
		}
		if i.at = i.current.Seek(t); i.at != chunkenc.ValNone {
			return i.at
		}
		i.leave()
	}
	i.at = chunkenc.ValNone
	return i.at
}

// open has current be of the first chunk; false means that there is none, or an error.
func (i *sparseIterator) open() bool {
	for !i.opened && i.err == nil && len(i.metas) > 0 {
		chunk, err := i.first()
		switch {
		case errors.Is(err, storage.ErrNotFound) && i.metas[0].MaxTime == math.MaxInt64:
			i.metas = i.metas[1:] // the one that is written to ends before the query begins
		case err != nil:
			i.err = fmt.Errorf("read a chunk: %w", err)
		default:
			i.current, i.opened = chunk.Iterator(i.current), true
		}
	}
	return i.opened && i.err == nil
}

// first is the first chunk, which may be known.
func (i *sparseIterator) first() (chunkenc.Chunk, error) {
	if known := i.metas[0].Chunk; known != nil {
		return known, nil
	}
	chunk, _, err := i.chunks.ChunkOrIterable(i.metas[0]) // what is in the head is a chunk
	return chunk, err                                     //nolint:wrapcheck // open does
}

// leave is done with the first chunk.
func (i *sparseIterator) leave() {
	if i.opened && i.err == nil {
		i.err = i.current.Err()
	}
	i.metas, i.opened = i.metas[1:], false
}

// At implements chunkenc.Iterator.
func (i *sparseIterator) At() (int64, float64) { return i.current.At() }

// AtHistogram implements chunkenc.Iterator.
func (i *sparseIterator) AtHistogram(h *histogram.Histogram) (int64, *histogram.Histogram) {
	return i.current.AtHistogram(h)
}

// AtFloatHistogram implements chunkenc.Iterator.
func (i *sparseIterator) AtFloatHistogram(h *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return i.current.AtFloatHistogram(h)
}

// AtT implements chunkenc.Iterator.
func (i *sparseIterator) AtT() int64 { return i.current.AtT() }

// AtST implements chunkenc.Iterator.
func (i *sparseIterator) AtST() int64 { return i.current.AtST() }

// Err implements chunkenc.Iterator.
func (i *sparseIterator) Err() error { return i.err }
