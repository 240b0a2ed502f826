package embedded_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/stack"
)

// manyKinds has a target of every kind that the past knows to tell apart.
const manyKinds = `
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: triton, static_configs: [{targets: ["triton:8002", "other:8002"]}]}
  - {job_name: dcgm, scheme: https, static_configs: [{targets: ["gpu-host:9400"]}]}
  - {job_name: node, static_configs: [{targets: ["gpu-host:9100", "gpu-host"], labels: {rack: r1}}]}
  - {job_name: again, static_configs: [{targets: ["gpu-host:9100"]}]}
  - {job_name: astray, metrics_path: /nope, static_configs: [{targets: ["a:9400"]}]}
  - {job_name: locked, authorization: {credentials_file: /nowhere/token}, static_configs: [{targets: ["b:8002"]}]}
  - {job_name: live, static_configs: [{targets: ["127.0.0.1:1"]}]}
  - {job_name: self, static_configs: [{targets: ["localhost:9090"]}]}
  - {job_name: mapped, static_configs: [{targets: ["c:1"]}]}
  - job_name: no-target
    static_configs: [{targets: ["d:8002"]}]
    relabel_configs: [{target_label: __address__, replacement: "d/metrics"}]
`

func kindsOptions() embedded.Options {
	return embedded.Options{
		SelfAddresses: []string{"localhost:9090"},
		Targets: []embedded.Mapping{
			{Match: map[string]string{"job": "live"}, Live: true},
			{Match: map[string]string{"job": "mapped"}, Fake: "node"},
		},
	}
}

func loadKinds(t testing.TB) *stack.Prometheus {
	return load(t, map[string]string{"prometheus.yml": manyKinds, "rules.yml": someRules})
}

// layPast lays a past down in a directory of its own.
func layPast(t testing.TB, p *stack.Prometheus, opts embedded.Options) (*embedded.Past, string) {
	t.Helper()
	if opts.Scenario == nil && opts.World == nil {
		opts.Scenario = steady(t)
	}
	dir := t.TempDir()
	past, err := embedded.LayPast(t.Context(), p, dir, opts)
	require.NoError(t, err)
	return past, dir
}

// open opens a copy of the directory as Prometheus does by default.
func open(t testing.TB, dir string) *tsdb.DB {
	t.Helper()
	storage := t.TempDir()
	require.NoError(t, os.CopyFS(storage, os.DirFS(dir)))
	db, err := tsdb.Open(storage, nil, nil, tsdb.DefaultOptions(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

// held are the samples of all series, but for how long scrapes took.
type held map[string][]string

// heldBy reads a database as PromQL sees it, that is without stale markers.
func heldBy(t testing.TB, db *tsdb.DB, past *embedded.Past) held {
	t.Helper()
	q, err := db.Querier(timestamp.FromTime(past.From), timestamp.FromTime(time.Now().Add(time.Hour)))
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	out := held{}
	set := q.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchNotEqual, "__name__", "scrape_duration_seconds"))
	for set.Next() {
		metric := model.Metric{}
		set.At().Labels().Range(func(l labels.Label) { metric[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
		key, it := metric.String(), set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			require.Equal(t, chunkenc.ValFloat, kind)
			if at, v := it.At(); !value.IsStaleNaN(v) {
				out[key] = append(out[key], fmt.Sprint(at, v))
			}
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	return out
}

// heldThen asks a running Prometheus for the same as of the past's end.
func heldThen(t testing.TB, i env.Instance, past *embedded.Past) held {
	t.Helper()
	v, _, err := client(t, i).Query(t.Context(), `{__name__!="",__name__!="scrape_duration_seconds"}[2h]`, past.To)
	require.NoError(t, err)
	out := held{}
	for _, s := range v.(model.Matrix) {
		key := s.Metric.String()
		for _, p := range s.Values {
			out[key] = append(out[key], fmt.Sprint(int64(p.Timestamp), float64(p.Value)))
		}
	}
	return out
}

// TestPastIsThatOfAnEnvironment gives two environments one world and one beginning.
func TestPastIsThatOfAnEnvironment(t *testing.T) {
	began := time.Now()
	for _, test := range []struct {
		name     string
		history  time.Duration
		interval string // of one job, that of all others is 15s
		now      func() time.Time
	}{
		{name: "one after the other", history: 35 * time.Minute, interval: "15s"}, // more than a chunk
		// A job is last scraped one interval of its own before the end. Only with the
		// same end does that leave out the same of jobs whose intervals differ.
		{name: "ending together", history: 10 * time.Minute, interval: "7s", now: func() time.Time { return began }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := load(t, map[string]string{"rules.yml": someRules,
				"prometheus.yml": manyKinds + "  - {job_name: other, scrape_interval: " + test.interval + ", static_configs: [{targets: ['e:8002']}]}\n"})
			opts := kindsOptions()
			opts.From = began.Add(-test.history)
			opts.World = fakes.NewWorld(steady(t), opts.From.Add(-time.Minute))
			opts.Now = test.now
			past, dir := layPast(t, p, opts)
			e, err := embedded.Start(t.Context(), p, opts)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, e.Close()) })

			got := heldBy(t, open(t, dir), past)
			assert.Equal(t, heldThen(t, e.Instance(), past), got)
			assert.GreaterOrEqual(t, len(got[`up{instance="other:8002", job="triton"}`]), int(test.history/(15*time.Second))-1)
			assert.Contains(t, got[`up{instance="b:8002", job="locked"}`][0], " 0")
			assert.NotEmpty(t, got["requests:rate5m"])
			assert.Greater(t, past.Series, 500)
			assert.Same(t, opts.World, past.World)
			assert.Equal(t, opts.From.UnixMilli(), past.From.UnixMilli())
			assert.Less(t, began.Sub(past.To), 30*time.Second)
		})
	}
}

// TestPastOfTheSameBeginningGrows: what was laid down once is laid down again.
func TestPastOfTheSameBeginningGrows(t *testing.T) {
	p, end := loadKinds(t), time.Now()
	opts := kindsOptions()
	opts.From = end.Add(-30 * time.Minute)
	opts.World = fakes.NewWorld(steady(t), opts.From)
	var pasts [2]held
	for n, ago := range []time.Duration{10 * time.Minute, 0} {
		opts.Now = func() time.Time { return end.Add(-ago) }
		past, dir := layPast(t, p, opts)
		pasts[n] = heldBy(t, open(t, dir), past)
	}
	for series, samples := range pasts[0] {
		require.GreaterOrEqual(t, len(pasts[1][series]), len(samples), series)
		assert.Equal(t, samples, pasts[1][series][:len(samples)], series)
	}
	const up = `up{instance="triton:8002", job="triton"}`
	assert.Len(t, pasts[1][up], len(pasts[0][up])+40)
}

// TestOldFormats holds that what is written is nothing that came after
// Prometheus 2.42.
func TestOldFormats(t *testing.T) {
	_, dir := layPast(t, loadKinds(t), embedded.Options{History: 40 * time.Minute})
	blocks, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	_, err = ulid.ParseStrict(blocks[0].Name())
	require.NoError(t, err)
	block := filepath.Join(dir, blocks[0].Name())

	raw, err := os.ReadFile(filepath.Join(block, "meta.json"))
	require.NoError(t, err)
	var meta struct{ Version int }
	require.NoError(t, json.Unmarshal(raw, &meta))
	assert.Equal(t, 1, meta.Version)
	raw, err = os.ReadFile(filepath.Join(block, "index"))
	require.NoError(t, err)
	assert.EqualValues(t, index.FormatV2, raw[4])

	b, err := tsdb.OpenBlock(nil, block, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	q, err := tsdb.NewBlockChunkQuerier(b, b.MinTime(), b.MaxTime())
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	chunks := 0
	set := q.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchNotEqual, "__name__", ""))
	for set.Next() {
		it := set.At().Iterator(nil)
		for ; it.Next(); chunks++ {
			require.Equal(t, chunkenc.EncXOR, it.At().Chunk.Encoding())
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	assert.NotZero(t, chunks)
}

// TestLiveSamplesFollow lets a Prometheus that was given a past go on.
func TestLiveSamplesFollow(t *testing.T) {
	past, dir := layPast(t, loadKinds(t), embedded.Options{History: 40 * time.Minute})
	db := open(t, dir)
	require.Len(t, db.Blocks(), 1)
	assert.Equal(t, past.To.UnixMilli()+1, db.Blocks()[0].MaxTime())
	assert.False(t, past.To.After(time.Now()))
	before := heldBy(t, db, past)

	series := labels.FromStrings("__name__", "up", "instance", "triton:8002", "job", "triton")
	app := db.AppenderV2(t.Context())
	_, err := app.Append(0, series, 0, past.To.UnixMilli()+1, 1, nil, nil, storage.AOptions{})
	require.NoError(t, err)
	require.NoError(t, app.Commit())
	const up = `up{instance="triton:8002", job="triton"}`
	after := heldBy(t, db, past)
	assert.Equal(t, append(before[up], fmt.Sprint(past.To.UnixMilli()+1, 1)), after[up])
	require.NoError(t, db.Compact(t.Context()))
	assert.Equal(t, after, heldBy(t, db, past))
}

func TestWhoIsToAnswer(t *testing.T) {
	opts := kindsOptions()
	opts.History = time.Minute
	past, _ := layPast(t, loadKinds(t), opts)
	assert.Equal(t, []embedded.Line{
		{Address: "127.0.0.1:1", Live: true},
		{Address: "a:9400", Fake: "dcgm"},
		{Address: "b:8002", Fake: "triton"},
		{Address: "c:1", Fake: "node"},
		{Address: "gpu-host:80"},
		{Address: "gpu-host:9100", Fake: "node"},
		{Address: "gpu-host:9400", Fake: "dcgm", TLS: true},
		{Address: "localhost:9090", Self: true},
		{Address: "other:8002", Fake: "triton"},
		{Address: "triton:8002", Fake: "triton"},
	}, past.Lines)
	i := startFiles(t, map[string]string{"prometheus.yml": manyKinds, "rules.yml": someRules}, opts)
	require.Len(t, i.Targets, len(past.Targets))
	for n, want := range i.Targets {
		want.Up, want.Error, want.Cause = false, "", env.CauseNone
		assert.Equal(t, want, past.Targets[n])
	}
}

func TestNoPast(t *testing.T) {
	for name, opts := range map[string]embedded.Options{
		"no history":           {},
		"less than a scrape":   {History: time.Second},
		"beginning in the end": {From: time.Now().Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			p := load(t, map[string]string{"prometheus.yml": threeJobs})
			past, dir := layPast(t, p, opts)
			assertEmpty(t, dir)
			assert.Equal(t, past.From, past.To)
			assert.Zero(t, past.Series)
			assert.Len(t, past.Targets, 3)
			assert.Len(t, past.Lines, 3)
		})
	}
}

func TestPastLeavesNothingElse(t *testing.T) {
	p := load(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules})
	blocks := t.TempDir()
	dir := tempDir(t)
	_, err := embedded.LayPast(t.Context(), p, blocks, embedded.Options{Scenario: steady(t), History: 10 * time.Minute})
	require.NoError(t, err)
	assertEmpty(t, dir)
	left, err := os.ReadDir(blocks)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestCancelledPastLeavesNothing(t *testing.T) {
	p := load(t, map[string]string{"prometheus.yml": withRules, "rules.yml": someRules})
	for _, percent := range []int{-1, 0, 90} {
		t.Run(fmt.Sprint("at ", percent, " %"), func(t *testing.T) {
			blocks, dir := t.TempDir(), tempDir(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			enough := errors.New("enough")
			if percent < 0 {
				cancel(enough)
			}
			_, err := embedded.LayPast(ctx, p, blocks, embedded.Options{
				Scenario: steady(t),
				History:  10 * time.Minute,
				Progress: func(_ string, done, _ int) {
					if percent >= 0 && done >= percent {
						cancel(enough)
					}
				},
			})
			require.ErrorIs(t, err, enough)
			require.ErrorIs(t, err, context.Canceled)
			assertEmpty(t, dir)
			assertEmpty(t, blocks)
		})
	}
}

func TestPastThatCannotBe(t *testing.T) {
	good := load(t, map[string]string{"prometheus.yml": threeJobs})
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for _, test := range []struct {
		name string
		p    *stack.Prometheus
		dir  string
		opts embedded.Options
		want string
	}{
		{"no scenario", good, t.TempDir(), embedded.Options{}, "no scenario for the fakes"},
		{"broken configuration", load(t, map[string]string{"prometheus.yml": "scrape_konfigs: []\n"}), t.TempDir(),
			embedded.Options{Scenario: steady(t)}, "scrape_konfigs"},
		{"no directory", good, file, embedded.Options{Scenario: steady(t), History: 10 * time.Minute}, "write the past to " + file},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := tempDir(t)
			_, err := embedded.LayPast(t.Context(), test.p, test.dir, test.opts)
			assert.ErrorContains(t, err, test.want)
			assertEmpty(t, dir)
		})
	}
}
