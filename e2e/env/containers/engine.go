package containers

import (
	"context"
	"time"

	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/stack"
)

// Engine makes containers for one run. Its methods are safe for concurrent use.
type Engine interface {
	// Run names the run among all that use the engine.
	Run() string
	// Image makes sure that the engine has an image, and says what it says of itself.
	// progress is told how many megabytes of it are there, of how many.
	Image(ctx context.Context, reference string, progress func(done, total int)) (Image, error)
	// FakesImage is the image of the fakes for the engine's platform: the one that is
	// named, or one that is made.
	FakesImage(ctx context.Context, named string) (string, error)
	// Create makes a container without starting it.
	Create(ctx context.Context, s Spec) (Container, error)
	// Close removes everything that was made, and waits for that. It has its own time:
	// the run's context has often ended by then.
	Close() error
}

// Container is one that was made. Its methods are safe for concurrent use.
type Container interface {
	// Name is what people call it: the compose service.
	Name() string
	Start(ctx context.Context) error
	// Stop ends the process in good order, within patience: what it keeps is wanted.
	Stop(ctx context.Context, patience time.Duration) error
	// Remove ends the process at once and removes the container.
	Remove(ctx context.Context) error
	// Put copies files into the container, running or not.
	Put(ctx context.Context, files Archive) error
	// At is the host:port on which a published port is reached from here.
	At(ctx context.Context, port int) (string, error)
	// Exited says whether the process has ended, and with which code.
	Exited(ctx context.Context) (code int, ended bool, err error)
	// Log is what the container has printed, line by line, the last 2,000 lines.
	Log(ctx context.Context) ([]string, error)
	// Exec runs a command in the container.
	Exec(ctx context.Context, command []string) (code int, output string, err error)
	// Healthy says what the health check of its Spec came to; an error says why it is
	// not healthy. A container without a check is healthy once it runs.
	Healthy(ctx context.Context) (bool, error)
}

// Spec is a container to be.
type Spec struct {
	Name       string // what people call it: the compose service
	Image      string // as the engine has it
	Env        map[string]string
	Entrypoint []string
	Command    []string
	User       string
	WorkingDir string
	Hostname   string
	Health     *stack.Healthcheck
	Networks   map[string][]string // of the compose file, with the aliases there
	ExtraHosts []string            // NAME:ADDRESS
	CapAdd     []string
	Tmpfs      map[string]string
	Volumes    map[string]string // the engine's volume, "" for a fresh one, by the path it is mounted at
	// Shared are those of Volumes that another service of the compose file mounts too.
	Shared  []string
	Files   Archive
	Publish []int     // TCP ports; with Within, those that are its own in the shared network
	Within  Container // whose network it shares, nil for its own
	// Plan is what a container of fakes serves, nil for any other container.
	Plan *plan.Plan
}

// Image is one that the engine has, and what it says of itself.
type Image struct {
	Name                string
	Entrypoint, Command []string
	WorkingDir          string
	User                string
	Env                 map[string]string
	Ports               []string // "3000/tcp"
}

// Prefix begins the names of what a run makes.
func Prefix(e Engine) string { return "panelgate-" + e.Run() + "-" }

// EngineError says that an engine could not do what it was asked, in the engine's own
// words.
type EngineError struct {
	Doing string
	Err   error
	Fix   string // what helps, "" where the error says it
}

// Error implements error.
func (e *EngineError) Error() string {
	text := e.Doing + ": " + e.Err.Error()
	if e.Fix != "" {
		text += " (" + e.Fix + ")"
	}
	return text
}

// Unwrap gives the engine's error.
func (e *EngineError) Unwrap() error { return e.Err }

// UsageError says that what was asked for cannot be, whatever the engine does.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }
