package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"
)

// dialTime is how long the far side has to take a connection.
const dialTime = 10 * time.Second

// forwarder passes TCP connections on.
type forwarder struct {
	to       string
	errorLog *log.Logger
}

// serve passes on until ctx ends, and then waits until every connection is closed.
func (f *forwarder) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	defer connections.Wait()
	defer cancel() // before the wait: it is what ends the connections
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		near, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = near.Close()
			}
			_ = listener.Close() // it may be on its way only
			return nil
		case err != nil:
			return errors.Join(err, listener.Close())
		}
		connections.Go(func() {
			if err := f.passOn(ctx, near); err != nil && ctx.Err() == nil {
				f.errorLog.Printf("forward %s: %v", listener.Addr(), err)
			}
		})
	}
}

// passOn joins a connection to a new one to the far side until both have ended.
func (f *forwarder) passOn(ctx context.Context, near net.Conn) error {
	defer func() { _ = near.Close() }()
	dialer := net.Dialer{Timeout: dialTime}
	far, err := dialer.DialContext(ctx, "tcp", f.to)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", f.to, err)
	}
	defer func() { _ = far.Close() }()
	// Closing is the one way to wake a copy that waits for bytes.
	stop := context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
	defer stop()

	var back sync.WaitGroup
	back.Go(func() { pump(near, far) })
	pump(far, near)
	back.Wait()
	return nil
}

// pump copies until from has no more to say, and tells to so, which may go on talking. Where copying fails, the connection is of no
// more use to either; scrapers give up every day, so that is nothing to tell.
func pump(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		_, _ = to.Close(), from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails where the peer is gone, who need not be told
	}
}

// Forward passes the connections of a listener on to host:port until ctx ends, which is no error, and closes it. The far side is
// looked up and dialled for each connection; what goes wrong with one is written to errorLog.
func Forward(ctx context.Context, listener net.Listener, to string, errorLog *log.Logger) error {
	return (&forwarder{to: to, errorLog: errorLog}).serve(ctx, listener)
}
