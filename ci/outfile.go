package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// A report's file is of this run and whole, or it is not there: whoever reads it does not
// see the exit code, and must take neither half a report for a verdict nor that of the
// run before for this one's.

// outputNames are the flags of all reports.
func outputNames() []string {
	out := []string{eventStream}
	for _, x := range formats() {
		out = append(out, x.name)
	}
	return out
}

// clearOld removes the reports of former runs from where this one will write its own, so
// that nobody finds them if it is killed.
func clearOld(cmd *cobra.Command) error {
	for _, x := range formats() {
		flag := cmd.Flags().Lookup(x.name)
		if flag == nil || flag.Value.String() == "" || flag.Value.String() == standardOutput {
			continue
		}
		if err := empty(flag.Value.String()); err != nil {
			return fmt.Errorf("write the %s report: %w", strings.ToUpper(x.name), err)
		}
	}
	return nil
}

// empty removes a file, or what is in it where its directory does not let go of it.
func empty(name string) error {
	path, plain, err := destination(name)
	if err != nil || !plain {
		return err
	}
	removed := os.Remove(path)
	if removed == nil || errors.Is(removed, fs.ErrNotExist) {
		return nil
	}
	if os.Truncate(path, 0) == nil {
		return nil
	}
	return removed
}

// destination is where a file is, symbolic links resolved, and whether it is one that can
// be replaced by another: neither a pipe nor a device, nor an open file by another name.
func destination(name string) (path string, plain bool, err error) {
	path, err = filepath.Abs(name)
	if err != nil {
		return "", false, err
	}
	for _, open := range []string{"/dev/", "/proc/"} {
		if strings.HasPrefix(path, open) {
			return path, false, nil
		}
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, true, nil
	case err != nil:
		return "", false, err
	case info.IsDir():
		return "", false, errors.New(name + " is a directory")
	}
	return path, info.Mode().IsRegular(), nil
}

// replace writes a file beside its place and puts it there when it is whole. Where the
// directory takes no other file it is written in its place, and emptied on errors.
func replace(name string, write func(io.Writer) error) error {
	path, plain, err := destination(name)
	if err != nil {
		return err
	}
	if !plain {
		return inPlace(path, write)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8])
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // as any file that a user makes
	if errors.Is(err, fs.ErrPermission) {
		return inPlace(path, write)
	}
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := os.Rename(beside, path); err == nil {
		return nil
	}
	// Something is mounted there. The whole has been written once, so there is room.
	return errors.Join(os.Remove(beside), inPlace(path, write))
}

// inPlace writes what cannot be replaced: a pipe, a device, a file in a directory that is
// not ours.
func inPlace(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Truncate(0) // what is no file has nothing to take back
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
