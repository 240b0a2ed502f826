//go:build !unix

package processgroup

import "os/exec"

// Own does nothing: there are no groups here.
func Own(*exec.Cmd) {}

// Interrupt kills the command, as nothing can be interrupted here.
func Interrupt(command *exec.Cmd) error { return Kill(command) }

// Kill ends the command; what it has started ends when it is told nothing more.
func Kill(command *exec.Cmd) error { return command.Process.Kill() }
