package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process runs a command to its end and says what it used. An exit code is no error: it is what some of them are for.
func process(ctx context.Context, cmd *exec.Cmd) (used usage, code int, said string, err error) {
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	err = cmd.Run()
	used = used.of(cmd.ProcessState, time.Since(began))
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil && exit.Exited() {
		err = nil
	}
	if err != nil {
		return used, 0, errs.String(), fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	return used, cmd.ProcessState.ExitCode(), errs.String(), nil
}

// of is what a process that has ended used, which nobody knows of one that never began.
func (usage) of(p *os.ProcessState, wall time.Duration) usage {
	if p == nil {
		return usage{wall: wall}
	}
	return usage{wall: wall, cpu: p.UserTime() + p.SystemTime(), peak: peak(p)}
}

// build builds a package of the module in dir, with what the build cache of tests and `go run` has.
func build(ctx context.Context, dir, to, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, pkg)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// lastLine is the last line of what a program said that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
