// Package git asks git about the repository that a directory lies in.
package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Run runs git in a directory and returns what it prints, without the line's end.
func Run(ctx context.Context, dir string, args ...string) (string, error) {
	return With(ctx, dir, nil, args...)
}

// With is Run with further variables in git's environment.
func With(ctx context.Context, dir string, environ []string, args ...string) (string, error) {
	// No hook or monitor of the repository is run.
	own := []string{"-C", dir, "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}
	cmd := exec.CommandContext(ctx, "git", append(own, args...)...)
	cmd.Env = append(append(ownEnviron(), "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0"), environ...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			return "", fmt.Errorf("git %s: %s: %w", args[0], line, err)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimRight(string(out), "\r\n"), nil
}

// ownEnviron is the environment without what a git hook says of another repository.
func ownEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}, name)
	})
}
