//go:build unix

package processgroup

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// Own has a command, which is not started yet, begin a group. What else its SysProcAttr
// says stays.
func Own(command *exec.Cmd) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
}

// Interrupt asks all processes of a started command's group to end, as a ctrl-C does; it
// is os.ErrProcessDone where none is left.
func Interrupt(command *exec.Cmd) error { return signal(command, syscall.SIGINT) }

// Kill ends all processes of a started command's group; it is os.ErrProcessDone where
// none is left. The group is known by its head's number, which is no other process's
// while any of the group runs.
func Kill(command *exec.Cmd) error { return signal(command, syscall.SIGKILL) }

func signal(command *exec.Cmd, s syscall.Signal) error {
	err := syscall.Kill(-command.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
