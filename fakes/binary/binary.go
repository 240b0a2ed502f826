// Package binary builds the project's commands for where a stack runs: a container has no Go and no source, and there is no image of
// them to pull that would fit the gate at hand.
package binary

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes/processgroup"
)

// modulePath is the module that holds the commands.
const modulePath = "github.com/panelgate/panelgate"

// Program is one of the module's commands: the directory that it is built from.
type Program string

// The commands that run in containers.
const (
	Fakes Program = "fakes/cmd/fakes"
	Gate  Program = "ci"
)

// Name is what the command is called.
func (p Program) Name() string {
	if p == Gate {
		return "panelgate"
	}
	return path.Base(string(p))
}

// sources are the files and directories of the module that go into the command. The gate is made of nearly all, and anything that is
// added to the module may become part of it.
func (p Program) sources() []string {
	if p == Fakes {
		return []string{"go.mod", "go.sum", "fakes"}
	}
	return []string{"."}
}

var (
	// ErrNoGo is that there is no go command to build with.
	ErrNoGo = errors.New("no go command is in the PATH; install Go or add it to the PATH")
	// ErrNoSource is that the source of the commands is nowhere to be found.
	ErrNoSource = errors.New("no source of " + modulePath + " is here: it is neither where this program was built nor among the modules" +
		" of the working directory; run the gate by go run, or from a module that requires it")
)

// killTime is how long the go command has to end and to remove its scratch files when it is told to.
const killTime = 5 * time.Second

// Build compiles a command to the file out, as one static executable for an operating system and an architecture in Go's names. Its
// source is the one that this program was built from, or else the working directory's module or what that requires.
func Build(ctx context.Context, p Program, out, goos, goarch string) error {
	if err := build(ctx, p, out, goos, goarch); err != nil {
		return fmt.Errorf("build %s for %s/%s: %w", p.Name(), goos, goarch, err)
	}
	return nil
}

// Own is the file of this very program, where it is the command, static, and for the platform: it need not be built.
func Own(p Program, goos, goarch string) (file string, ok bool) {
	info, found := debug.ReadBuildInfo()
	if !found || info.Path != path.Join(modulePath, string(p)) || runtime.GOOS != goos || runtime.GOARCH != goarch {
		return "", false
	}
	static := slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "CGO_ENABLED" && s.Value == "0" })
	file, err := os.Executable()
	return file, static && err == nil
}

func build(ctx context.Context, p Program, out, goos, goarch string) (err error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return ErrNoGo
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return err
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() { // go would put a file of its own naming into it
		return fmt.Errorf("%s is a directory", out)
	}
	root, err := findSource(ctx, goCommand, recordedRoot())
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, goCommand, "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./"+string(p))
	command.Dir = root
	// An interrupted go does not always get to its scratch files: they go where they can be removed.
	scratch, err := os.MkdirTemp(filepath.Dir(out), "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	command.Env = append(environment(command), "GOWORK=off", "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOTMPDIR="+scratch)
	_, err = output(ctx, command)
	return err
}

// Key names what Build would make: it changes with the command's source, with what it requires, and with Go. It takes milliseconds
// where a build takes half a second or much more.
func Key(ctx context.Context, p Program, goos, goarch string) (string, error) {
	key, err := sourceKey(ctx, p, goos, goarch)
	if err != nil {
		return "", fmt.Errorf("find the source of %s: %w", p.Name(), err)
	}
	return key, nil
}

func sourceKey(ctx context.Context, p Program, goos, goarch string) (string, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return "", ErrNoGo
	}
	root, err := findSource(ctx, goCommand, recordedRoot())
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, p, goos, goarch, runtime.Version()) // a hash takes everything
	for _, name := range p.sources() {
		if err := hashTree(sum, root, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// hashTree adds the names and contents of a module's files to a hash, without those that are not built.
func hashTree(sum io.Writer, root, name string) error {
	return filepath.WalkDir(filepath.Join(root, name), func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name == "." && outsideOfBuild(root, file, d.Name())):
			return fs.SkipDir
		case d.IsDir() || !d.Type().IsRegular() || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(rel), len(data), data)
		return err
	})
}

// outsideOfBuild says whether a directory is none that Go would build from: hidden, or a module of its own.
func outsideOfBuild(root, dir, name string) bool {
	if dir == root {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// findSource is the root of the module that the command is built from: recorded if it is still there.
func findSource(ctx context.Context, goCommand, recorded string) (string, error) {
	if holdsSource(recorded) {
		return recorded, nil
	}
	list := exec.CommandContext(ctx, goCommand, "list", "-m", "-f", "{{.Dir}}", modulePath)
	list.Env = environment(list)
	printed, err := output(ctx, list)
	if ctx.Err() != nil {
		return "", err
	}
	if root := strings.TrimSpace(printed); err == nil && holdsSource(root) {
		return root, nil
	}
	return "", ErrNoSource
}

// recordedRoot is where the module's root was when this file was compiled; "" where -trimpath kept it secret.
func recordedRoot() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	return filepath.Join(filepath.Dir(file), "..", "..")
}

func holdsSource(root string) bool {
	if root == "" {
		return false
	}
	for _, needed := range []string{"go.mod", string(Fakes)} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(needed))); err != nil {
			return false
		}
	}
	return true
}

// environment is that of a go command that no setting of the user's leads astray. An empty GOFLAGS would not do: go would take the
// one of `go env -w` instead. The module cache is read-only and holds no repository, so go.mod stays and no revision is stamped.
func environment(command *exec.Cmd) []string {
	return append(command.Environ(), "GO111MODULE=on", "GOFLAGS=-mod=readonly -buildvcs=false")
}

// output runs a command and returns what it prints; its error holds what the command says of it.
func output(ctx context.Context, command *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	// An interrupted go removes its scratch files, a killed one leaves them; its compilers end with it.
	processgroup.Own(command)
	command.Cancel = func() error { return processgroup.Interrupt(command) }
	command.WaitDelay = killTime
	err := command.Run()
	switch {
	case err == nil:
		return stdout.String(), nil
	case ctx.Err() != nil:
		if command.Process != nil {
			if err := processgroup.Kill(command); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return "", fmt.Errorf("end what go %s has started: %w", command.Args[1], err)
			}
		}
		return "", context.Cause(ctx)
	}
	return "", fmt.Errorf("go %s: %w\n%s", command.Args[1], err, tail(stderr.String()))
}

// tailSize holds any useful part of a compiler's output.
const tailSize = 8 << 10

func tail(text string) string {
	text = strings.TrimSpace(text)
	if cut := len(text) - tailSize; cut > 0 {
		return "…" + text[cut:]
	}
	return text
}
