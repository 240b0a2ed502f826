//go:build unix

package containers

import (
	"io/fs"
	"syscall"
)

// owner is whom a file belongs to.
func owner(info fs.FileInfo) (uid, gid int) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid), int(s.Gid)
	}
	return 0, 0
}
