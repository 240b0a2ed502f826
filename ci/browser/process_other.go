//go:build !unix

package browser

import "os/exec"

// ownGroup leaves the command in the group of this process: what a browser starts ends
// with it.
func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
