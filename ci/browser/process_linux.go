package browser

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the browser where this process is killed before it can.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
