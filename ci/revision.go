package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkout puts the repository that a stack lies in, as it was at a revision, into
// a temporary directory, and returns where the stack is there. The work tree is not
// touched. remove takes it away again; it is never nil.
func checkout(ctx context.Context, stackDir, rev string) (dir string, remove func() error, err error) {
	remove = func() error { return nil }
	if strings.HasPrefix(rev, "-") {
		return "", remove, errors.New("neither a directory nor a revision")
	}
	top, err := git(ctx, stackDir, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", remove, fmt.Errorf("it is no directory, and %s is in no git repository: %w", stackDir, err)
	}
	prefix, err := git(ctx, stackDir, "rev-parse", "--show-prefix")
	if err != nil {
		return "", remove, err
	}
	commit, err := git(ctx, stackDir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", remove, errors.New("neither a directory nor a revision of the repository")
	}
	tmp, err := os.MkdirTemp("", "panelgate-")
	if err != nil {
		return "", remove, err
	}
	remove = func() error { return os.RemoveAll(tmp) }
	if err := extract(ctx, top, commit, tmp); err != nil {
		return "", remove, err
	}
	dir = filepath.Join(tmp, filepath.FromSlash(prefix))
	if _, err := os.Stat(dir); err != nil {
		return "", remove, fmt.Errorf("%s is not there at that revision", strings.TrimSuffix(prefix, "/"))
	}
	return dir, remove, nil
}

// git runs git in a directory and returns what it prints, trimmed.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// extract writes a commit's files below dir.
func extract(ctx context.Context, top, commit, dir string) error {
	cmd := exec.CommandContext(ctx, "git", "-C", top, "archive", "--format=tar", commit)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git archive: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("git archive: %w", err)
	}
	readErr := untar(out, dir)
	if readErr != nil {
		_, _ = io.Copy(io.Discard, out) // lets git end
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("git archive: %w %s", err, strings.TrimSpace(stderr.String()))
	}
	return readErr
}

// untar writes the files of a tar stream below dir and nowhere else.
func untar(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // a directory handle
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		if err := untarOne(root, h, in); err != nil {
			return fmt.Errorf("write %s: %w", h.Name, err)
		}
	}
}

func untarOne(root *os.Root, h *tar.Header, content io.Reader) error {
	name := filepath.FromSlash(strings.TrimSuffix(h.Name, "/"))
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeReg:
	default:
		return nil
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, os.FileMode(h.Mode).Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}
