package dagger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	sdk "dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/fakes/binary"
)

const (
	// imageTime is how long an image may take to come.
	imageTime = 10 * time.Minute
	// cleanupTime bounds the end of what a run started.
	cleanupTime = 30 * time.Second
)

// engine implements containers.Engine.
type engine struct {
	Options
	run    string
	logger *slog.Logger

	mu     sync.Mutex
	images map[string]*sdk.Container
	made   []*container // to be removed

	naming sync.Mutex
	known  []*container // open, and told of each other
}

func newEngine(ctx context.Context, on Options, logger *slog.Logger) (*engine, error) {
	id := make([]byte, 6)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("name the run: %w", err)
	}
	e := &engine{Options: on, run: hex.EncodeToString(id), logger: logger, images: map[string]*sdk.Container{}}
	if e.Fakes == "" {
		var err error
		if e.Fakes, err = program(ctx, on.Session, binary.Fakes); err != nil {
			return nil, containers.NoFakes(err)
		}
	}
	s := on.Session
	logger.Info("connected to a Dagger engine", "version", s.Version, "platform", s.OS+"/"+s.Arch, "run", e.run)
	return e, nil
}

// Run implements containers.Engine.
func (e *engine) Run() string { return e.run }

// Image implements containers.Engine: an image comes from a registry, by the logins of
// whoever began the session, or from an archive.
func (e *engine) Image(ctx context.Context, reference string, progress func(done, total int)) (containers.Image, error) {
	progress(0, 0)
	ctx, cancel := context.WithTimeoutCause(ctx, imageTime, fmt.Errorf("it has not come within %s", imageTime))
	defer cancel()
	base := e.Session.client.Container()
	fix := "check name and tag and the login of whoever began the session (docker login), or name another with --image; " +
		"--registry-prefix names a mirror, --image SERVICE=tar:FILE an archive"
	if file, ok := strings.CutPrefix(reference, containers.FromFile); ok {
		base = base.Import(e.Session.client.Host().File(file))
		fix = "docker save -o FILE IMAGE makes an archive of an image"
	} else {
		base = base.From(reference)
	}
	image, err := describe(ctx, base)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return containers.Image{}, &containers.EngineError{Doing: "get image " + reference, Err: firstLine(err), Fix: fix}
	}
	image.Name = reference
	e.keep(reference, base)
	return image, nil
}

// firstLine is an error without the pages that Dagger may add to it, and with what a
// command has printed that failed.
func firstLine(err error) error {
	var failed *sdk.ExecError
	if errors.As(err, &failed) {
		said := strings.TrimSpace(failed.Stderr + "\n" + failed.Stdout)
		return fmt.Errorf("%s: exit code %d: %s", strings.Join(failed.Cmd, " "), failed.ExitCode, said)
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "input: "), "\n")
	return errors.New(text)
}

func (e *engine) keep(name string, image *sdk.Container) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[name] = image
}

// describe fetches an image and reads what it says of itself.
func describe(ctx context.Context, c *sdk.Container) (out containers.Image, err error) {
	out.Env = map[string]string{}
	if _, err = c.Sync(ctx); err != nil {
		return out, err
	}
	read := func(to *string, ask func(context.Context) (string, error)) {
		if err == nil {
			*to, err = ask(ctx)
		}
	}
	list := func(to *[]string, ask func(context.Context) ([]string, error)) {
		if err == nil {
			*to, err = ask(ctx)
		}
	}
	list(&out.Entrypoint, c.Entrypoint)
	list(&out.Command, c.DefaultArgs)
	read(&out.WorkingDir, c.Workdir)
	read(&out.User, c.User)
	if err != nil {
		return out, err
	}
	return out, readLists(ctx, c, &out)
}

// readLists reads an image's variables and ports.
func readLists(ctx context.Context, c *sdk.Container, out *containers.Image) error {
	variables, err := c.EnvVariables(ctx)
	if err != nil {
		return err
	}
	for i := range variables {
		name, err := variables[i].Name(ctx)
		if err != nil {
			return err
		}
		if out.Env[name], err = variables[i].Value(ctx); err != nil {
			return err
		}
	}
	ports, err := c.ExposedPorts(ctx)
	if err != nil {
		return err
	}
	for i := range ports {
		n, err := ports[i].Port(ctx)
		if err != nil {
			return err
		}
		out.Ports = append(out.Ports, strconv.Itoa(n)+"/tcp")
	}
	return nil
}

// FakesImage implements containers.Engine: a static program and nothing else.
func (e *engine) FakesImage(ctx context.Context, named string) (string, error) {
	if named != "" {
		_, err := e.Image(ctx, named, func(int, int) {})
		return named, err
	}
	const name = "the fakes"
	e.keep(name, e.Session.client.Container())
	return name, nil
}

// Close implements containers.Engine.
func (e *engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	e.mu.Lock()
	made := e.made
	e.made = nil
	e.mu.Unlock()
	var g errgroup.Group
	for _, c := range made {
		g.Go(func() error { return c.Remove(ctx) })
	}
	return g.Wait()
}
