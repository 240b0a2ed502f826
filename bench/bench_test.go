package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/bench/boards"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/internal/material"
)

// command is the built command. Each benchmark builds it anew, which takes a second where nothing has changed.
func command(b *testing.B) string {
	b.Helper()
	if gate := os.Getenv(commandEnv); gate != "" {
		return gate
	}
	gate := filepath.Join(b.TempDir(), "panelgate")
	require.NoError(b, build(b.Context(), material.ModuleRoot(b), gate, "./ci"))
	return gate
}

// generated is a generated stack on disk.
func generated(b *testing.B, of boards.Options) string {
	b.Helper()
	dir := b.TempDir()
	require.NoError(b, boards.Write(dir, of))
	return dir
}

// startToExit runs the command on a stack, again and again, as a process, and reports the wall time (sec/op), what a target costs, the
// largest memory of any run, and the time of each stage. The exit code has to be one of those told, or something else was measured.
func startToExit(b *testing.B, gate, dir string, codes []int, args ...string) {
	b.Helper()
	var all usage
	var targets int
	stages := map[string]float64{}
	n := 0
	for b.Loop() {
		used, code, v, err := runGate(b.Context(), gate, dir, args...)
		require.NoError(b, err)
		require.Contains(b, codes, code, "the exit code")
		all = usage{all.wall + used.wall, all.cpu + used.cpu, max(all.peak, used.peak)}
		targets = v.Counts.Queries
		for _, s := range v.Stages {
			stages[strings.ReplaceAll(s.Name, " ", "-")] += s.DurationMS / 1000
		}
		n++
	}
	require.NotZero(b, targets)
	per := float64(n * targets)
	b.ReportMetric(per/all.wall.Seconds(), "targets/s")
	b.ReportMetric(float64(all.wall.Microseconds())/per, "µs/target")
	b.ReportMetric(all.cpu.Seconds()/float64(n), "cpu-s")
	b.ReportMetric(float64(all.peak)/1e6, "peak-MB")
	for name, took := range stages {
		b.ReportMetric(took/float64(n), name+"-s")
	}
}

// BenchmarkShipped is the shipped stack.
func BenchmarkShipped(b *testing.B) {
	startToExit(b, command(b), filepath.Join(material.ModuleRoot(b), "stack"), []int{0})
}

// BenchmarkThousand is a thousand dashboards with twenty thousand targets: all different, and mostly copied.
func BenchmarkThousand(b *testing.B) {
	gate := command(b)
	for _, distinct := range []float64{1, 0.25} {
		b.Run(fmt.Sprintf("distinct=%g", distinct), func(b *testing.B) {
			dir := generated(b, boards.Options{Dashboards: 1000, Targets: 20_000, Distinct: distinct, Seed: 1})
			startToExit(b, gate, dir, []int{0})
		})
	}
}

// BenchmarkTargets is what a target costs as their number grows. The start of Prometheus and its past are in it, and weigh most where
// there are few.
func BenchmarkTargets(b *testing.B) {
	gate := command(b)
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		for _, distinct := range []float64{1, 0.25} {
			b.Run(fmt.Sprintf("targets=%d/distinct=%g", n, distinct), func(b *testing.B) {
				dir := generated(b, boards.Options{Dashboards: n / 20, Targets: n, Distinct: distinct, Seed: 1})
				startToExit(b, gate, dir, []int{0})
			})
		}
	}
}

// BenchmarkCorpus is other people's dashboards in one stack, with six hours of history. Many of their panels are about exporters that
// nobody fakes: that they are empty is found and explained, which takes its time too.
func BenchmarkCorpus(b *testing.B) {
	from := material.Path(b, "corpus", "dashboards")
	dir := b.TempDir()
	require.NoError(b, boards.WriteFrame(dir))
	require.NoError(b, os.CopyFS(filepath.Join(dir, filepath.FromSlash(boards.Folder)), os.DirFS(from)))
	startToExit(b, command(b), dir, []int{0, 1}, "--history", "6h")
}

// BenchmarkInProcess counts what is allocated for a target, of all that happens in the process.
func BenchmarkInProcess(b *testing.B) {
	const targets = 1000
	dir := generated(b, boards.Options{Dashboards: targets / 20, Targets: targets, Distinct: 1, Seed: 1})
	b.ReportAllocs()
	for b.Loop() {
		loaded, err := e2e.Load(b.Context(), e2e.Source{Dir: dir})
		require.NoError(b, err)
		loaded.Options.Lean = true
		r, err := e2e.Verify(b.Context(), loaded.Stack, loaded.Options)
		require.NoError(b, err)
		require.Len(b, r.Queries, targets)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*targets), "µs/target")
}
