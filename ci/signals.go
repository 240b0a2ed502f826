package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/panelgate/panelgate/internal/scratch"
)

// lastGrace is how long tidying up may take once somebody has asked for a second time.
// What writes a report or a mended file is through by then.
const lastGrace = time.Second

// interruptible is a context that ends with the first signal to stop. A second one puts
// an end to the program even if tidying up hangs: what it keeps on disk is removed, and
// it could not run. After that the default handling is back, so that a third ends it
// whatever hangs then.
//
// A reader that has gone away is no signal but an error of the write, whoever reads
// standard output: the program would die of it, with everything left behind.
func interruptible(parent context.Context, stderr io.Writer) context.Context {
	ctx, cancel := context.WithCancel(parent)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stops := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as by nohup
		stops = append(stops, syscall.SIGHUP)
	}
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, stops...)
	go func() {
		<-asked
		cancel()
		<-asked
		signal.Stop(asked)
		time.Sleep(lastGrace) // the program ends in the meantime, if it can
		text := "interrupted twice: ended before all was tidied up"
		if err := scratch.Sweep("/tmp"); err != nil {
			text += ": " + err.Error()
		}
		_, _ = fmt.Fprintln(stderr, "panelgate: "+text) // there is nobody else to tell
		os.Exit(exitNotRun)
	}()
	return ctx
}
