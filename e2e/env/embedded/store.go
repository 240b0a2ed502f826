package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// What the prometheus command uses where no flag says otherwise.
const (
	queryTimeout    = 2 * time.Minute
	queryMaxSamples = 50_000_000
	lookbackDelta   = 5 * time.Minute
)

// never is longer than any run.
const never = 365 * 24 * time.Hour

// store is the database and what asks it.
type store struct {
	*tsdb.DB
	dir    string
	stats  *tsdb.DBStats
	engine promql.QueryEngine
	parser parser.Parser
}

// openStore opens a database in a directory of its own. Nothing of it is meant
// to survive, so there is neither a write-ahead log nor compaction; the head is
// made long enough to take the whole history.
func (e *Env) openStore(opts Options, evaluation time.Duration, registry *prometheus.Registry) (*store, error) {
	dir, err := e.tempDir()
	if err != nil {
		return nil, err
	}
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = -1
	o.NoLockfile = true
	// With every reload of blocks the head's chunks are written to disk, by a goroutine
	// that panics where that is full. They stay in memory.
	o.BlockReloadInterval = never
	o.StripeSize = 1 << 10 // thousands of series, not millions
	memory := &seriesMemory{}
	o.BlockQuerierFunc = memory.querier
	// Samples may be as old as half of this before the newest one.
	o.MinBlockDuration = (4*opts.History + 4*time.Hour).Milliseconds()
	o.MaxBlockDuration = o.MinBlockDuration
	o.RetentionDuration = 2 * o.MinBlockDuration
	stats := tsdb.NewDBStats()
	db, err := tsdb.Open(dir, component(opts.Logger, "tsdb"), registry, o, stats)
	if err != nil {
		return nil, fmt.Errorf("open the time series database: %w", err)
	}
	e.onClose(func() error { return closeDatabase(db, dir) })
	db.DisableCompactions()
	memory.head = db.Head()
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		Logger:               component(opts.Logger, "query engine"),
		Reg:                  registry,
		MaxSamples:           queryMaxSamples,
		Timeout:              queryTimeout,
		LookbackDelta:        lookbackDelta,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		// Without it a subquery that names no step would panic in the engine.
		NoStepSubqueryIntervalFn: func(int64) int64 { return evaluation.Milliseconds() },
		Parser:                   p,
	})
	e.onClose(engine.Close)
	return &store{DB: db, dir: dir, stats: stats, engine: &boundedEngine{Engine: engine, parser: p, usual: evaluation}, parser: p}, nil
}

// closeDatabase closes a database. It writes what it holds to disk first, and panics
// where that is full.
func closeDatabase(db *tsdb.DB, dir string) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		full, ok := p.(error)
		var errno syscall.Errno
		if !ok || !errors.As(full, &errno) {
			panic(p)
		}
		err = fmt.Errorf("write the time series database below %s (TMPDIR names another place for it): %w", filepath.Dir(dir), full)
	}()
	if err := db.Close(); err != nil {
		return fmt.Errorf("close the time series database: %w", err)
	}
	return nil
}

func component(l *slog.Logger, name string) *slog.Logger { return l.With("component", name) }

// scrapedStore is what scraping writes to. It notes which scrapes have been
// committed: a target shows its result a moment before, and a query must not come
// in between.
type scrapedStore struct {
	storage.AppendableV2

	mu        sync.Mutex
	committed map[int64]int // scrapes by timestamp in milliseconds, nil once nobody asks
}

func newScrapedStore(s storage.AppendableV2) *scrapedStore {
	return &scrapedStore{AppendableV2: s, committed: map[int64]int{}}
}

// has says whether so many scrapes of that time have been committed.
func (s *scrapedStore) has(at time.Time, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed[timestamp.FromTime(at)] >= n
}

// forget stops taking notes.
func (s *scrapedStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed = nil
}

// AppenderV2 implements storage.AppendableV2.
func (s *scrapedStore) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &scrapedAppender{AppenderV2: s.AppendableV2.AppenderV2(ctx), store: s}
}

type scrapedAppender struct {
	storage.AppenderV2
	store    *scrapedStore
	reported bool
	at       int64 // of the scrape, once reported
}

// Append implements storage.AppenderV2.
func (a *scrapedAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram,
	fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if opts.MetricFamilyName != "" { // only series about the scrape itself come with one
		a.reported, a.at = true, t
	}
	return a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
}

// Commit implements storage.AppenderTransaction.
func (a *scrapedAppender) Commit() error {
	err := a.AppenderV2.Commit()
	a.note()
	return err
}

// Rollback implements storage.AppenderTransaction.
func (a *scrapedAppender) Rollback() error {
	err := a.AppenderV2.Rollback()
	a.note()
	return err
}

// note counts a scrape that is over, though it may have come to nothing: there is
// no more to wait for.
func (a *scrapedAppender) note() {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	if a.reported && a.store.committed != nil {
		a.store.committed[a.at]++
	}
}
