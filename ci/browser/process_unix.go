//go:build unix

package browser

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has the command and what it starts be a group of its own: a ctrl-C reaches
// this process alone, which then ends them all.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

func killGroup(cmd *exec.Cmd) error {
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
