package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// benchstat says which differences between two runs of benchmarks are more than noise.
const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

// compare runs this package's benchmarks with the command of a revision and with that of the working tree. The benchmarks are the same:
// the revision needs to have none.
func compare(ctx context.Context, s settings, work string) (err error) {
	was := filepath.Join(work, "was")
	if err := git(ctx, "worktree", "add", "--quiet", "--detach", was, s.compare); err != nil {
		return err
	}
	defer func() {
		// Also after an interrupt, or git would go on to list a directory that is gone.
		err = errors.Join(err, git(context.WithoutCancel(ctx), "worktree", "remove", "--force", was))
	}()
	files := []string{filepath.Join(work, s.compareName()), filepath.Join(work, "now")}
	for i, dir := range []string{was, "."} {
		gate := filepath.Join(work, "panelgate-"+strconv.Itoa(i))
		fmt.Fprintln(os.Stderr, "bench: building and running", filepath.Base(files[i]))
		if err := build(ctx, dir, gate, "./ci"); err != nil {
			return err
		}
		if err := benchmarks(ctx, s, gate, files[i]); err != nil {
			return err
		}
	}
	c := &contestants{work: work}
	tool, err := c.install(ctx, benchstat)
	if err != nil {
		return fmt.Errorf("benchstat %w", err)
	}
	cmd := exec.CommandContext(ctx, tool, filepath.Base(files[0]), filepath.Base(files[1]))
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return nil
}

// compareName is the revision as the column of a table is called.
func (s settings) compareName() string {
	return "at-" + filepath.Base(s.compare)
}

func git(ctx context.Context, args ...string) error {
	if text, err := exec.CommandContext(ctx, "git", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, lastLine(string(text)))
	}
	return nil
}

// benchmarks runs the benchmarks with a command that is built already, and keeps their output.
func benchmarks(ctx context.Context, s settings, gate, file string) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("keep the figures: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", s.bench, "-benchtime", "1x", "-timeout", "4h", "-count", strconv.Itoa(s.count), "./bench")
	cmd.Env = append(os.Environ(), commandEnv+"="+gate)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the benchmarks with %s (see %s): %w", gate, file, err)
	}
	return nil
}

// commandEnv names the built command that the benchmarks run; without it they build it.
const commandEnv = "PANELGATE_BENCH_COMMAND"
