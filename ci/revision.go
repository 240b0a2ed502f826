package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/panelgate/panelgate/internal/git"
	"github.com/panelgate/panelgate/internal/scratch"
)

// checkout puts the repository that a stack lies in, as it was at a revision, into
// a temporary directory, and returns where the stack is there. Work tree and index
// are not touched. remove takes the directory away again; it is never nil.
//
// All of the repository is checked out: a stack may mount what lies beside it. Not
// `git archive`: that leaves out what .gitattributes says and knows nothing of LFS.
func checkout(ctx context.Context, stackDir, rev string) (dir string, remove func() error, err error) {
	keep := func() error { return nil }
	top, prefix, commit, err := resolve(ctx, stackDir, rev)
	if err != nil {
		return "", keep, err
	}
	tmp, err := scratch.Dir()
	if err != nil {
		return "", keep, err
	}
	remove = func() error { return os.RemoveAll(tmp) }
	if err := extract(ctx, top, commit, tmp); err != nil {
		return "", remove, err
	}
	dir = filepath.Join(tmp, "tree", filepath.FromSlash(prefix))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", remove, fmt.Errorf("the repository has no %s at that revision: name the directory of a checkout instead", strings.TrimSuffix(prefix, "/"))
	}
	return dir, remove, nil
}

// resolve finds the repository of a stack, where the stack lies in it, and the
// commit that is meant.
func resolve(ctx context.Context, stackDir, rev string) (top, prefix, commit string, err error) {
	fail := func(err error) (string, string, string, error) { return "", "", "", err }
	top, err = git.Run(ctx, stackDir, "rev-parse", "--show-toplevel")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fail(errors.New("it is no directory, and there is no git to look a revision up with"))
	case err != nil:
		return fail(fmt.Errorf("it is no directory, and no revision can be looked up where %s is: %w", stackDir, err))
	}
	if prefix, err = git.Run(ctx, stackDir, "rev-parse", "--show-prefix"); err != nil {
		return fail(err)
	}
	commit, err = git.Run(ctx, stackDir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err == nil {
		return top, prefix, commit, nil
	}
	if shallow, shallowErr := git.Run(ctx, stackDir, "rev-parse", "--is-shallow-repository"); shallowErr == nil && shallow == "true" {
		return fail(errors.New("it is no directory, and this shallow clone has no such revision: fetch it " +
			"(git fetch --unshallow; fetch-depth: 0 of actions/checkout)"))
	}
	return fail(errors.New("neither a directory nor a revision of the repository: a branch of origin that is not checked out is origin/NAME"))
}

// extract writes a commit's files below dir, by an index of its own.
func extract(ctx context.Context, top, commit, dir string) error {
	index := "GIT_INDEX_FILE=" + filepath.Join(dir, "index")
	if _, err := git.With(ctx, top, []string{index}, "read-tree", commit); err != nil {
		return err
	}
	_, err := git.With(ctx, top, []string{index}, "checkout-index", "--all", "--quiet", "--prefix="+filepath.ToSlash(filepath.Join(dir, "tree"))+"/")
	return err
}
