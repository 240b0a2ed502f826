// Package since says what of a stack a branch touches: which files it has changed, and
// which dashboards depend on them.
package since

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/internal/git"
)

// Changes are the files that are not as they were where a branch began.
type Changes struct {
	Revision  string   // as asked for
	MergeBase string   // the commit at which the branch began
	Files     []string // absolute; those that are gone, and the old names of moved ones too
}

// Changed compares the work tree that dir lies in with the last commit that HEAD and a
// revision have in common. What is staged, not yet added or not yet committed counts;
// what is ignored does not.
func Changed(ctx context.Context, dir, rev string) (*Changes, error) {
	fail := func(err error) (*Changes, error) { return nil, fmt.Errorf("--since %s: %w", rev, err) }
	top, err := git.Run(ctx, dir, "rev-parse", "--show-toplevel")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fail(errors.New("there is no git to look a revision up with"))
	case err != nil:
		return fail(fmt.Errorf("no revision can be looked up where %s is: %w", dir, err))
	}
	base, err := mergeBase(ctx, dir, rev)
	if err != nil {
		return fail(err)
	}
	// Without rename detection a moved file is listed under both its names.
	tracked, err := git.Run(ctx, top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", base, "--")
	if err != nil {
		return fail(err)
	}
	untracked, err := git.Run(ctx, top, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return fail(err)
	}
	return &Changes{Revision: rev, MergeBase: base, Files: names(top, tracked, untracked)}, nil
}

// names are the paths in lists that git has printed with -z, absolute and in order.
func names(top string, lists ...string) []string {
	var out []string
	for _, list := range lists {
		for name := range strings.SplitSeq(list, "\x00") {
			if name != "" {
				out = append(out, filepath.Join(top, filepath.FromSlash(name)))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mergeBase is the commit at which HEAD's branch left that of a revision.
func mergeBase(ctx context.Context, dir, rev string) (string, error) {
	commit, err := git.Run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", missing(ctx, dir, "no such revision: a branch of origin that is not checked out is origin/NAME")
	}
	base, err := git.Run(ctx, dir, "merge-base", commit, "HEAD")
	if err != nil {
		return "", missing(ctx, dir, "it has no commit in common with HEAD")
	}
	return base, nil
}

// missing says what is not there, and how to get it where the clone is shallow.
func missing(ctx context.Context, dir, what string) error {
	if shallow, err := git.Run(ctx, dir, "rev-parse", "--is-shallow-repository"); err == nil && shallow == "true" {
		return fmt.Errorf("%s, in this shallow clone: fetch the history (git fetch --unshallow; fetch-depth: 0 of actions/checkout)", what)
	}
	return errors.New(what)
}
