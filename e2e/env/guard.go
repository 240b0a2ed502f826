package env

import (
	"fmt"
	"runtime/debug"
)

// Guarded makes an error of a panic in a goroutine, which would end the process with
// everything that has been started still running.
func Guarded(f func() error) func() error {
	return func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("this is a mistake in panelgate, please report it: %v\n%s", p, debug.Stack())
			}
		}()
		return f()
	}
}
