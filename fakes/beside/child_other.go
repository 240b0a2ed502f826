//go:build !unix

package beside

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
)

func become(*exec.Cmd, identity) error {
	return fmt.Errorf("%s cannot; this is for containers of Linux: %w", runtime.GOOS, errors.ErrUnsupported)
}

func askToEnd(command *exec.Cmd) { killAll(command) }

func signalCode(*exec.Cmd) (code int, signalled bool) { return 0, false }
