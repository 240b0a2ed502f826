package dagger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	sdk "dagger.io/dagger"
	"dagger.io/dagger/engineconn"
)

// sessionPort is set where a session is there already: under `dagger run`, and in a
// container that the pipeline lets talk to the engine.
const sessionPort = "DAGGER_SESSION_PORT"

// Available says whether this process runs in a Dagger session.
func Available() bool { return os.Getenv(sessionPort) != "" }

// Session is a connection to a Dagger engine. What is made in it ends with it, at the
// latest.
type Session struct {
	client *sdk.Client
	// Engine is the address that was asked for, "" for the engine that Dagger chooses.
	Engine string
	// OS and Arch are those of the engine's containers, as Go names them.
	OS, Arch string
	Version  string // of the engine
}

// connectTime is how long it may take to reach an engine; it may be starting, and so
// may its image be pulled.
const connectTime = 2 * time.Minute

// Connect reaches a Dagger engine: that of the session that this process runs in; else
// the one at the address, as tcp://HOST:PORT or unix:///SOCKET; else the one that
// _EXPERIMENTAL_DAGGER_RUNNER_HOST names or Dagger starts by itself. What Dagger tells
// of its progress goes to log, which may be nil.
func Connect(ctx context.Context, address string, log io.Writer) (*Session, error) {
	fail := func(err error) (*Session, error) {
		return nil, fmt.Errorf("reach a Dagger engine: %w (`dagger run go run ./ci` starts one; --env docker needs Docker alone, --env embedded nothing)", err)
	}
	if address != "" && Available() {
		return nil, fmt.Errorf("the engine %s cannot be reached from within a session of another one: leave out `dagger run`", address)
	}
	limited, cancel := context.WithTimeoutCause(ctx, connectTime, fmt.Errorf("no session within %s", connectTime))
	defer cancel()
	// The session ends with the context that it was made in: it is to outlast this call.
	client, err := within(limited, func() (*sdk.Client, error) { return connect(ctx, address, log) })
	if err != nil {
		return fail(err)
	}
	s := &Session{client: client, Engine: address}
	if err := s.ask(limited); err != nil {
		return fail(errors.Join(err, client.Close()))
	}
	return s, nil
}

// within waits for a call that has no context of its own, as long as ctx lasts.
func within(ctx context.Context, call func() (*sdk.Client, error)) (*sdk.Client, error) {
	type answer struct {
		client *sdk.Client
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		c, err := call()
		answered <- answer{c, err}
	}()
	select {
	case a := <-answered:
		return a.client, a.err
	case <-ctx.Done():
		go func() { // a session that comes too late is closed by nobody else
			if a := <-answered; a.err == nil {
				_ = a.client.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

func connect(ctx context.Context, address string, log io.Writer) (*sdk.Client, error) {
	if address == "" {
		conn, found, err := engineconn.FromSessionEnv()
		if err != nil || !found {
			return sdk.Connect(ctx, sdk.WithLogOutput(log)) // which says what is wrong
		}
		return sdk.Connect(ctx, sdk.WithLogOutput(log), sdk.WithConn(singly{conn}))
	}
	config := &engineconn.Config{RunnerHost: address, LogOutput: log}
	conn, found, err := engineconn.FromLocalCLI(ctx, config)
	if err == nil && !found {
		conn, err = engineconn.FromDownloadedCLI(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	return sdk.Connect(ctx, sdk.WithConn(conn))
}

// singly has a connection of its own for each request to a session that others have
// begun: the SDK has no way of closing one that is kept for the next.
type singly struct{ engineconn.EngineConn }

// Do implements engineconn.EngineConn.
func (s singly) Do(req *http.Request) (*http.Response, error) {
	req.Close = true
	return s.EngineConn.Do(req) //nolint:wrapcheck // it stands in for it
}

// ask finds out what the engine is.
func (s *Session) ask(ctx context.Context) error {
	platform, err := s.client.DefaultPlatform(ctx)
	if err != nil {
		return fmt.Errorf("ask for the engine's platform: %w", err)
	}
	system, arch, ok := strings.Cut(string(platform), "/")
	if !ok {
		return fmt.Errorf("the engine's platform is %q: want OS/ARCH", platform)
	}
	s.OS = system
	s.Arch, _, _ = strings.Cut(arch, "/") // without the variant, as in arm64/v8
	if s.Version, err = s.client.Version(ctx); err != nil {
		return fmt.Errorf("ask for the engine's version: %w", err)
	}
	return nil
}

// Close ends the session where it is this process's own.
func (s *Session) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close the Dagger session: %w", err)
	}
	return nil
}
