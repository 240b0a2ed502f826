package dagger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	sdk "dagger.io/dagger"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/internal/scratch"
)

// Where things are in the container that the gate runs in.
const (
	// OutDir takes what comes back to this machine.
	OutDir = "/panelgate/out"
	// FakesFile is the fakes' program, for the services.
	FakesFile = "/panelgate/fakes"
	gateFile  = "/panelgate/gate"
	filesTar  = "/panelgate/files.tar"
	tmpDir    = "/panelgate/tmp"
	textFile  = "stdout.txt"
	outDir    = "out" // what OutDir becomes on this machine
)

// Gate is a run of the gate's own program in a container of the pipeline.
type Gate struct {
	Session *Session
	// Began is when the run began, which the gate there is told with what is left of the
	// time of ctx.
	Began time.Time
	// Args are its arguments. Paths in them are those of this machine, and mean the
	// same there; what it is to bring back it writes below OutDir.
	Args  []string
	Dir   string // its working directory, absolute
	Files containers.Archive
	// Archives are files that are too large to be copied about: of images.
	Archives []string
	// Variables of the environment, which may be secret.
	Variables map[string]string
	Progress  func(stage string, done, total int)
	Logger    *slog.Logger // nil for none
}

// Ran is what came of a run.
type Ran struct {
	ExitCode int
	Stdout   []byte
	Stderr   string
	Dir      string // on this machine, with what was written to OutDir; the caller removes it
}

// Run runs the gate, and is over when that is, or when ctx ends. It is never taken from
// a cache: in each run there is something that is in no other.
func (g Gate) Run(ctx context.Context) (_ *Ran, err error) {
	if g.Logger == nil {
		g.Logger = slog.New(slog.DiscardHandler)
	}
	g.Progress("building the gate for "+g.Session.OS+"/"+g.Session.Arch, 0, 0)
	gate, fakes, err := g.Session.Programs(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := scratch.Dir()
	if err != nil {
		return nil, fmt.Errorf("make a directory for the pipeline: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	files := filepath.Join(dir, "files.tar")
	if err := pack(files, g.Files); err != nil {
		return nil, err
	}
	g.Progress("running the gate in the pipeline", 0, 0)
	g.Logger.Info("the gate runs in the pipeline", "dir", g.Dir)
	ran, err := g.in(ctx, gate, fakes, files, filepath.Join(dir, outDir))
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("run the gate in the pipeline: %w", firstLine(err))
	}
	if err := os.Remove(files); err != nil {
		return nil, fmt.Errorf("remove what went into the pipeline: %w", err)
	}
	ran.Dir, kept = dir, true
	return ran, nil
}

// pack writes files as a tar archive.
func pack(name string, files containers.Archive) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("pack the stack's files: %w", err)
	}
	if err := errors.Join(files.Write(f), f.Close()); err != nil {
		return fmt.Errorf("pack the stack's files: %w", err)
	}
	return nil
}

// in runs the gate's program in a container that has nothing else.
func (g Gate) in(ctx context.Context, gate, fakes, files, out string) (*Ran, error) {
	client := g.Session.client
	executable := sdk.ContainerWithFileOpts{Permissions: 0o755}
	c := client.Container().
		WithFile(FakesFile, client.Host().File(fakes), executable).
		WithFile(gateFile, client.Host().File(gate), executable).
		WithMountedFile(filesTar, client.Host().File(files)).
		WithExec([]string{FakesFile, "unpack", filesTar, "--into", "/"}).
		WithoutMount(filesTar).
		WithMountedTemp(tmpDir).WithEnvVariable("TMPDIR", tmpDir). // not /tmp, where a stack may lie
		WithDirectory(OutDir, client.Directory()).
		WithWorkdir(g.Dir).
		WithEnvVariable("PANELGATE_RUN", rand.Text())
	for _, a := range g.Archives {
		c = c.WithMountedFile(a, client.Host().File(a))
	}
	for name, value := range g.Variables {
		c = c.WithSecretVariable(name, client.SetSecret(rand.Text()+name, value))
	}
	c, err := c.Sync(ctx) // before the clock is read: to bring it all there may take its time
	if err != nil {
		return nil, err
	}
	c = c.WithExec(slices.Concat([]string{gateFile}, g.Args, g.times(ctx)), sdk.ContainerWithExecOpts{
		Expect: sdk.ReturnTypeAny, RedirectStdout: OutDir + "/" + textFile,
		ExperimentalPrivilegedNesting: true, // it starts the services, as a client of the engine
	})
	code, err := c.ExitCode(ctx)
	if err != nil {
		return nil, err
	}
	ran := &Ran{ExitCode: code}
	if ran.Stderr, err = c.Stderr(ctx); err != nil {
		return nil, err
	}
	if _, err := c.Directory(OutDir).Export(ctx, out); err != nil {
		return nil, err
	}
	ran.Stdout, err = os.ReadFile(filepath.Join(out, textFile))
	return ran, err
}

// times are the flags that tell the gate what time has gone by, and what is left.
func (g Gate) times(ctx context.Context) []string {
	out := []string{"--elapsed", time.Since(g.Began).String()}
	if deadline, ok := ctx.Deadline(); ok {
		out = append(out, "--timeout", time.Until(deadline).String())
	}
	return out
}

// File is the path on this machine of what the gate wrote below OutDir, or would have.
func (r *Ran) File(name string) string { return filepath.Join(r.Dir, outDir, filepath.FromSlash(name)) }

// Said is the last line that the gate wrote to its standard error.
func (r *Ran) Said() string {
	lines := strings.Split(strings.TrimSpace(r.Stderr), "\n")
	return lines[len(lines)-1]
}
