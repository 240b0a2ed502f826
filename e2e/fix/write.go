package fix

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write puts the new text into the file, all of it or nothing, and keeps its mode and its
// owner. It fails where the file has changed since it was read.
func (c Changed) Write() (err error) {
	info, err := os.Lstat(c.Path) // which had no links in it
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("write %s: somebody has put something else in its place in the meantime, which is no file", c.Name)
	}
	now, err := os.ReadFile(c.Path)
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	if !bytes.Equal(now, c.Before) {
		return fmt.Errorf("write %s: somebody has changed it in the meantime", c.Name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(c.Path), ".panelgate-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(c.After)
	// A new owner takes bits of the mode away.
	err = errors.Join(err, own(tmp, info), tmp.Chmod(info.Mode().Perm()), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), c.Path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	return nil
}
