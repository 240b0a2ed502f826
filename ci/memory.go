package main

import (
	"os"
	"runtime/debug"

	"github.com/panelgate/panelgate/stack"
)

// Where the garbage collector begins to work harder: most stacks never come there, and
// for large ones it is about twice what the run needs. A limit below the need would have
// it work all the time.
const (
	leastMemory     = 400 << 20
	memoryForTarget = 20 << 10
)

// boundMemory keeps a run on many dashboards within the memory of an ordinary runner.
// What the environment says to Go goes before it.
func boundMemory(s *stack.Stack) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	targets := 0
	for _, b := range s.Dashboards {
		for _, p := range b.Panels {
			targets += len(p.Targets)
		}
	}
	debug.SetMemoryLimit(max(leastMemory, int64(targets)*memoryForTarget))
}
