// Package scratch makes directories for what a process keeps on disk while it runs. They
// bear its id, so that one that has to end at once finds them again, whoever made them.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Dir makes a new directory below the machine's temporary one, which TMPDIR names. Whoever
// asks for it removes it.
func Dir() (string, error) { return In(os.TempDir()) }

// In makes one below another directory.
func In(parent string) (string, error) { return os.MkdirTemp(parent, prefix()+"*") }

func prefix() string { return fmt.Sprintf("panelgate-%d-", os.Getpid()) }

// Sweep removes all directories of this process below the given ones and the machine's
// temporary one, what is in use included: it is for the end of the process.
func Sweep(below ...string) error {
	var errs []error
	for _, parent := range append(below, os.TempDir()) {
		left, err := filepath.Glob(filepath.Join(parent, prefix()+"*"))
		errs = append(errs, err)
		for _, dir := range left {
			errs = append(errs, remove(dir))
		}
	}
	return errors.Join(errs...)
}

// remove tries more than once: somebody may be writing below it still.
func remove(dir string) (err error) {
	for range 5 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
	}
	return err
}
