//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peak is how many bytes of memory a process had at most.
func peak(p *os.ProcessState) int64 {
	r, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(r.Maxrss) //nolint:unconvert // 32 bits wide on some systems
	}
	return int64(r.Maxrss) * 1024 //nolint:unconvert // likewise; in KiB, but on Darwin
}
