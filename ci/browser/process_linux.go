package browser

import "syscall"

// dieWithParent ends the browser where this process is killed before it can.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
