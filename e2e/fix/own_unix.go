//go:build unix

package fix

import (
	"fmt"
	"os"
	"syscall"
)

// own gives a new file the owner and the group of the one that it replaces. Who may not, as
// one of several people who write to a directory, leaves the file to its owner.
func own(f *os.File, like os.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	want, known := like.Sys().(*syscall.Stat_t)
	have, same := now.Sys().(*syscall.Stat_t)
	if !known || !same || want.Uid == have.Uid && want.Gid == have.Gid {
		return nil
	}
	if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
		return fmt.Errorf("it belongs to user %d and group %d, and would not any more: mend it as that user, or as root: %w", want.Uid, want.Gid, err)
	}
	return nil
}
