//go:build unix

package beside

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/panelgate/panelgate/fakes/processgroup"
)

// become lets a command run as somebody, at the head of a process group of its own.
func become(command *exec.Cmd, id identity) error {
	processgroup.Own(command)
	if os.Geteuid() != 0 {
		if uint32(os.Geteuid()) != id.uid { //nolint:gosec // ids have 32 bits
			return os.ErrPermission
		}
		return nil
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: id.uid, Gid: id.gid, Groups: id.groups}
	return nil
}

// askToEnd sends what engines send to end a container. That the process is gone is no matter.
func askToEnd(command *exec.Cmd) { _ = command.Process.Signal(syscall.SIGTERM) }

// signalCode is the exit code of a command that a signal has ended.
func signalCode(command *exec.Cmd) (code int, signalled bool) {
	status, ok := command.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return 128 + int(status.Signal()), true
}
