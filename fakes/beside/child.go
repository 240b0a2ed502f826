package beside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/fakes/processgroup"
)

// The exit codes of a program that cannot be started, as shells and engines have them.
const (
	codeNotExecutable = 126
	codeNotFound      = 127
)

// drainTime is how long what a program has left behind may keep its output open.
const drainTime = time.Second

// child is a program that runs, or has run.
type child struct {
	command *exec.Cmd
	started time.Time
	ended   chan struct{} // closed once code is known
	code    int
}

// run starts a program with its output going to out. One that cannot be started has ended at once, and out says why.
func run(s Start, out io.Writer) *child {
	c := &child{started: time.Now(), ended: make(chan struct{})}
	command, err := prepare(context.Background(), s)
	if err == nil {
		command.Stdout, command.Stderr, command.WaitDelay = out, out, drainTime
		err = command.Start()
	}
	if err != nil {
		c.code = startCode(err)
		_, _ = fmt.Fprintf(out, "exec %s: %v\n", strings.Join(s.Argv[:min(1, len(s.Argv))], ""), err) // a tail takes everything
		close(c.ended)
		return c
	}
	c.command = command
	return c
}

// wait waits until the program has ended. It is called once, by whoever owns the child.
func (c *child) wait() {
	if c.command == nil {
		return
	}
	err := c.command.Wait()
	killAll(c.command) // what it has left behind ends with it, as in a container of its own
	c.code = exitCode(c.command, err)
	close(c.ended)
}

// isRunning says whether the program has not ended yet.
func (c *child) isRunning() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// stop ends the program: it is asked to, and killed with all that it has started where it takes longer than grace. Who has asked for
// that may go; the program has its time nevertheless.
func (c *child) stop(grace time.Duration) {
	if !c.isRunning() {
		return
	}
	askToEnd(c.command)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-c.ended:
		return
	case <-patience.C:
	}
	killAll(c.command)
	<-c.ended
}

func startCode(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return codeNotFound
	}
	return codeNotExecutable
}

// exitCode is the program's, or 128 and the number of the signal that ended it.
func exitCode(command *exec.Cmd, err error) int {
	if code, signalled := signalCode(command); signalled {
		return code
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return codeNotExecutable
	}
	return command.ProcessState.ExitCode()
}

// prepare makes a command of a program: found by its own PATH, as its own user.
func prepare(ctx context.Context, s Start) (*exec.Cmd, error) {
	if len(s.Argv) == 0 {
		return nil, errors.New("no command is given, and the image has none")
	}
	id, err := lookUp("/", s.User)
	if err != nil {
		return nil, err
	}
	dir := s.Dir
	if dir == "" {
		dir = "/"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the working directory: %w", err)
	}
	env := slices.Clone(s.Env)
	if !slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "HOME=") }) {
		env = append(env, "HOME="+id.home)
	}
	if !slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "PATH=") }) {
		env = append(env, "PATH="+usualPath) // engines give it to a container whose image has none
	}
	file, err := find(s.Argv[0], dir, env)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, file)
	command.Args, command.Dir, command.Env = s.Argv, dir, env
	return command, become(command, id)
}

// usualPath is where programs are looked for where the environment names no PATH.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// find looks a program up as its environment has it, which is not this process's.
func find(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		_, err := os.Stat(name)
		return name, err
	}
	path := usualPath
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = value
		}
	}
	for _, at := range strings.Split(path, ":") {
		file := filepath.Join(dir, at, name)
		if filepath.IsAbs(at) {
			file = filepath.Join(at, name)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("%w in $PATH", exec.ErrNotFound)
}

// killAll kills a command and what it has started. That it is gone is no matter.
func killAll(command *exec.Cmd) { _ = processgroup.Kill(command) }

// execute runs a command beside a program, until ctx ends at the latest.
func execute(ctx context.Context, s Start) (Done, error) {
	command, err := prepare(ctx, s)
	if err != nil {
		return Done{ExitCode: startCode(err), Output: err.Error()}, nil
	}
	out := &head{}
	command.Stdout, command.Stderr, command.WaitDelay = out, out, drainTime
	command.Cancel = func() error {
		killAll(command)
		return nil
	}
	err = command.Start()
	if err != nil {
		return Done{ExitCode: startCode(err), Output: err.Error()}, nil
	}
	err = command.Wait()
	if ctx.Err() != nil {
		return Done{}, context.Cause(ctx)
	}
	return Done{ExitCode: exitCode(command, err), Output: out.text()}, nil
}

// head keeps the first MaxOutput bytes that are written to it.
type head struct {
	mu   sync.Mutex
	kept []byte
}

// Write implements io.Writer; it never fails.
func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, p[:min(len(p), MaxOutput-len(h.kept))]...)
	return len(p), nil
}

func (h *head) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.kept)
}
