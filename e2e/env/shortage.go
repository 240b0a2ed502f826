package env

import (
	"errors"
	"syscall"
)

// Shortage says whether an error is that of a machine, or a process, that has run out of
// something: no stack is to blame for that. It knows errors of this process alone; what a
// server says of itself is text.
func Shortage(err error) bool {
	for _, short := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC, syscall.EDQUOT, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}
