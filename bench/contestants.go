package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/panelgate/panelgate/bench/boards"
	"github.com/panelgate/panelgate/bench/sweep"
)

// The versions of the peers. A registry that refuses one is said so in the table.
const (
	linterModule   = "github.com/grafana/dashboard-linter@v0.1.1"
	promtoolModule = "github.com/prometheus/prometheus/cmd/promtool@v0.315.0"
)

// installing is how long a peer may take to be downloaded and compiled.
const installing = 10 * time.Minute

// contestants run over one stack, one after the other.
type contestants struct {
	dir, work, gate string
	limit           time.Duration
}

func (c *contestants) whole(ctx context.Context) row {
	return c.panelgate(ctx, "panelgate: every panel asked, and judged")
}

func (c *contestants) lint(ctx context.Context) row {
	return c.panelgate(ctx, "panelgate lint: the files alone", "lint")
}

func (c *contestants) panelgate(ctx context.Context, name string, args ...string) row {
	used, code, v, err := runGate(ctx, c.gate, c.dir, args...)
	if err != nil {
		return row{name: name, usage: used, note: err.Error()}
	}
	return row{name: name, usage: used, asked: fmt.Sprint(v.Counts.Queries), verdict: fmt.Sprintf("%s, exit code %d", v.Verdict, code)}
}

// sweep has a Prometheus with the same past in one process, and what asks it in another: both are counted.
func (c *contestants) sweep(ctx context.Context) row {
	out := row{name: "a sequential sweep through client_golang"}
	self, err := os.Executable()
	if err != nil {
		out.note = err.Error()
		return out
	}
	began := time.Now()
	server := exec.CommandContext(ctx, self, "serve", c.dir)
	server.Stderr = os.Stderr
	in, inErr := server.StdinPipe()
	from, outErr := server.StdoutPipe()
	if err := errors.Join(inErr, outErr, server.Start()); err != nil {
		out.note = err.Error()
		return out
	}
	url, err := bufio.NewReader(from).ReadString('\n')
	laid := time.Since(began)
	var r sweep.Result
	var asking usage
	if err == nil {
		var text bytes.Buffer
		cmd := exec.CommandContext(ctx, self, "sweep", c.dir, strings.TrimSpace(url), c.limit.String())
		cmd.Stdout = &text
		if asking, _, _, err = process(ctx, cmd); err == nil {
			err = json.Unmarshal(text.Bytes(), &r)
		}
	}
	wall := time.Since(began)
	err = errors.Join(err, in.Close(), server.Wait())
	if err != nil {
		out.note = err.Error()
		return out
	}
	out.usage = asking.and(usage{}.of(server.ProcessState, 0), wall)
	out.asked = fmt.Sprint(r.Asked)
	out.verdict = fmt.Sprintf("%d empty, %d failed", len(r.Empty), len(r.Failed))
	out.note = fmt.Sprintf("Prometheus with the same past was up after %s", seconds(laid))
	if r.Asked < r.Targets {
		left := time.Duration(float64(r.Took) / float64(max(r.Asked, 1)) * float64(r.Targets))
		out.asked += fmt.Sprintf(" of %d", r.Targets)
		out.note += fmt.Sprintf("; stopped there, all would take ≈ %s", seconds(laid+left))
	}
	return out
}

// sweepAll is the asking process of the sweep: it prints what it found as JSON.
func sweepAll(ctx context.Context, dir, url string, limit time.Duration, out *os.File) error {
	r, err := sweep.Run(ctx, filepath.Join(dir, filepath.FromSlash(boards.Folder)), url, limit)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return fmt.Errorf("tell what was found: %w", err)
	}
	return nil
}

// dashboardLinter runs Grafana's linter on each dashboard: it takes one file a process.
func (c *contestants) dashboardLinter(ctx context.Context) row {
	out := row{name: linterModule + ": static"}
	linter, err := c.install(ctx, linterModule)
	if err != nil {
		out.note = err.Error()
		return out
	}
	findings := 0
	began := time.Now()
	err = filepath.WalkDir(filepath.Join(c.dir, filepath.FromSlash(boards.Folder)), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		used, code, _, err := process(ctx, exec.CommandContext(ctx, linter, "lint", "--strict", name))
		if code != 0 {
			findings++
		}
		out.usage.cpu += used.cpu
		out.usage.peak = max(out.usage.peak, used.peak)
		return err
	})
	out.usage.wall = time.Since(began)
	out.asked, out.verdict = "0", fmt.Sprintf("%d dashboards with findings", findings)
	if err != nil {
		out.note = err.Error()
	}
	return out
}

// promtool reads prometheus.yml, and knows nothing of dashboards.
func (c *contestants) promtool(ctx context.Context) row {
	out := row{name: "promtool check config: prometheus.yml alone", asked: "0"}
	tool, err := c.install(ctx, promtoolModule)
	if err != nil {
		out.note = err.Error()
		return out
	}
	used, code, said, err := process(ctx, exec.CommandContext(ctx, tool, "check", "config", filepath.Join(c.dir, "prometheus", "prometheus.yml")))
	out.usage, out.verdict = used, fmt.Sprintf("exit code %d", code)
	switch {
	case err != nil:
		out.note = err.Error()
	case code != 0:
		out.note = lastLine(said)
	}
	return out
}

// pint judges rule files, and a stack of dashboards has none.
func (c *contestants) pint(context.Context) row {
	return row{name: "cloudflare/pint", note: "judges rule files alone; the stack has none, so it is not run"}
}

// install builds a program of a registry in a module of its own, which leaves this project's go.mod alone. (go install refuses modules
// that replace others, as that of Prometheus does.)
func (c *contestants) install(ctx context.Context, pkg string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, installing, fmt.Errorf("it was not there after %s", installing))
	defer cancel()
	path, _, _ := strings.Cut(pkg, "@")
	dir := filepath.Join(c.work, "peers", filepath.Base(path))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a module for %s: %w", pkg, err)
	}
	to := filepath.Join(dir, "program")
	for _, args := range [][]string{{"mod", "init", "peer"}, {"get", pkg}, {"build", "-o", to, path}} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return "", fmt.Errorf("could not be installed: go %s: %w: %s", args[0], err, lastLine(string(text)))
		}
	}
	return to, nil
}
