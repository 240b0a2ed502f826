package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// verdict is what is read of the JSON that panelgate writes.
type verdict struct {
	Verdict string `json:"verdict"`
	Counts  struct {
		Dashboards int `json:"dashboards"`
		Queries    int `json:"queries"`
		OK         int `json:"ok"`
	} `json:"counts"`
	Stages []struct {
		Name       string  `json:"name"`
		DurationMS float64 `json:"duration_ms"`
	} `json:"stages"`
}

// runGate runs panelgate's command on a stack from start to exit. What it may have cached before is out of its sight: each run is the first.
func runGate(ctx context.Context, gate, dir string, args ...string) (used usage, code int, v verdict, err error) {
	own, err := os.MkdirTemp("", "panelgate-bench-run-")
	if err != nil {
		return used, 0, v, fmt.Errorf("make a directory for the report: %w", err)
	}
	defer os.RemoveAll(own) //nolint:errcheck // a temporary directory
	report := filepath.Join(own, "report.json")
	cmd := exec.CommandContext(ctx, gate, append(args, "--stack", dir, "--json", report)...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(own, "cache"))
	used, code, said, err := process(ctx, cmd)
	if err != nil {
		return used, code, v, err
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return used, code, v, fmt.Errorf("exit code %d, %s: %w", code, lastLine(said), err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return used, code, v, fmt.Errorf("read panelgate's report: %w", err)
	}
	return used, code, v, nil
}
