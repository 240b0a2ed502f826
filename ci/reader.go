package main

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// unreadTime is how long an event may still wait for its reader when the run's time is up.
const unreadTime = 2 * time.Second

// errUnread is that a run waited for whoever reads its events until its time was up.
var errUnread = errors.New("whoever reads it has stopped reading: read to the end, or close the pipe")

// reader is whoever reads the event stream while the run goes on: a program behind a
// pipe, which takes its time, or a file.
type reader struct {
	pipe  io.Writer
	until <-chan struct{} // closed when the run may wait no longer; nil is for good
	gone  bool
}

// Write implements io.Writer. A pipe that nobody reads cannot be told to stop waiting, so
// what is written to it is left to a goroutine, which in that case ends with the pipe.
func (r *reader) Write(p []byte) (int, error) {
	if r.gone {
		return 0, errUnread
	}
	if r.until == nil {
		return r.pipe.Write(p)
	}
	type written struct {
		n   int
		err error
	}
	done, own := make(chan written, 1), bytes.Clone(p)
	go func() {
		n, err := r.pipe.Write(own)
		done <- written{n, err}
	}()
	select {
	case w := <-done:
		return w.n, w.err
	case <-r.until:
	}
	last := time.NewTimer(unreadTime)
	defer last.Stop()
	select {
	case w := <-done:
		return w.n, w.err
	case <-last.C:
		r.gone = true
		return 0, errUnread
	}
}
