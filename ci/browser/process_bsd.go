//go:build unix && !linux

package browser

import "syscall"

// dieWithParent is something that only Linux can do.
func dieWithParent(*syscall.SysProcAttr) {}
