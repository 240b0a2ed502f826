package plan

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

func forwardTo(address string) *Plan {
	p := small()
	p.Listeners = []Listener{{Listen: "127.0.0.1:0", Forward: address}}
	return p
}

// The Host header passes unchanged, so a far side can tell its own by it.
func TestForwardToARoute(t *testing.T) {
	far := serve(t, small(), nil)[0]
	near := serve(t, forwardTo(far), nil)[0]
	status, body := scrape(t, near, "http://triton:8002/metrics", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "nv_inference_request_success{")
}

// Either side may end its own talk and still hear the other's.
func TestForwardClosesByHalves(t *testing.T) {
	far := listen(t, "127.0.0.1:0")
	near := dial(t, serve(t, forwardTo(far.Addr().String()), nil)[0])
	accepted, err := far.Accept()
	require.NoError(t, err)
	defer func() { require.NoError(t, accepted.Close()) }()

	_, err = near.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, near.CloseWrite())
	question, err := io.ReadAll(accepted)
	require.NoError(t, err)
	assert.Equal(t, "question", string(question))
	_, err = accepted.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, accepted.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(near)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(answer))
}

// A far side that is not up yet costs the connection at hand and no more.
func TestForwardToWhatComesUpLater(t *testing.T) {
	later := listen(t, "127.0.0.1:0")
	address := later.Addr().String()
	require.NoError(t, later.Close())
	read, write := io.Pipe()
	near := serve(t, forwardTo(address), log.New(write, "", 0))[0]

	conn := dial(t, near)
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "forward "+near+": connect to "+address)
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "the connection must end")

	far := listen(t, address)
	conn = dial(t, near)
	accepted, err := far.Accept()
	require.NoError(t, err)
	require.NoError(t, accepted.Close())
	_, err = conn.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
}

// The end of serving ends connections on which nothing moves.
func TestForwardEndsWithItsContext(t *testing.T) {
	far := listen(t, "127.0.0.1:0")
	server, err := Open(t.Context(), forwardTo(far.Addr().String()), nil)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	near := dial(t, server.Addresses()[0].String())
	accepted, err := far.Accept()
	require.NoError(t, err)
	stop()
	require.NoError(t, <-ended)
	_, err = accepted.Read(make([]byte, 1))
	require.Error(t, err)
	_, err = near.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, accepted.Close())
}

// forwarding runs Forward, and returns what ends it and what it returns then.
func forwarding(t *testing.T, listener net.Listener, to string, errorLog *log.Logger) (end func(), ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Forward(ctx, listener, to, errorLog) }()
	t.Cleanup(cancel)
	return cancel, done
}

func TestForward(t *testing.T) {
	far := serve(t, small(), nil)[0]
	near := listen(t, "127.0.0.1:0")
	end, ended := forwarding(t, near, far, log.New(io.Discard, "", 0))
	status, body := scrape(t, near.Addr().String(), "http://triton:8002/metrics", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "nv_inference_request_success{")
	end()
	require.NoError(t, <-ended)
	_, err := near.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestForwardWhoseListenerIsClosed(t *testing.T) {
	near := listen(t, "127.0.0.1:0")
	_, ended := forwarding(t, near, "127.0.0.1:1", log.New(io.Discard, "", 0))
	require.NoError(t, near.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
}

func TestForwardTellsWhatGoesWrong(t *testing.T) {
	read, write := io.Pipe()
	near := listen(t, "127.0.0.1:0")
	end, ended := forwarding(t, near, "127.0.0.1:none", log.New(write, "", 0))
	dial(t, near.Addr().String())
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "forward "+near.Addr().String()+": connect to 127.0.0.1:none: ")
	end()
	require.NoError(t, <-ended)
}
