// Package beside is a supervisor: the first process of a container, which runs the container's own program as its child and does from
// outside what an engine does that can only start services. It keeps what the program prints and how it ends, puts files into place,
// writes the hosts file, runs commands beside the program, and serves a plan of fakes in the network that both are in. It is told by
// HTTP, with a token that only who started the container knows.
package beside

import (
	"time"

	"github.com/panelgate/panelgate/fakes/plan"
)

// TokenVariable is the environment variable that the supervisor finds its token in. Its child does not.
const TokenVariable = "FAKES_TOKEN"

// Start is a program to run.
type Start struct {
	Argv []string `json:"argv"`
	Env  []string `json:"env"`  // NAME=VALUE, all there is
	User string   `json:"user"` // "", "name", "uid", "name:group", as an image has it
	Dir  string   `json:"dir"`  // made where it is missing
	// Plan is served in this network from now on, once; nil for none.
	Plan *plan.Plan `json:"plan,omitempty"`
}

// Forward is a port whose connections are passed on.
type Forward struct {
	Listen string `json:"listen"` // ":9090"
	To     string `json:"to"`     // host:port, looked up for each connection
}

// State is what has become of the program.
type State struct {
	Running   bool      `json:"running"`
	Ended     bool      `json:"ended"` // it was started, and is not running any more
	ExitCode  int       `json:"exit_code"`
	Started   time.Time `json:"started,omitzero"`
	Addresses []string  `json:"addresses"` // of this network, without loopback; those that reach furthest first
}

// Exec is a command to run beside the program, as the same user, in the same environment and directory.
type Exec struct {
	Argv []string `json:"argv"`
}

// Done is what came of a command.
type Done struct {
	ExitCode int    `json:"exit_code"`
	Output   string `json:"output"` // both streams, their first MaxOutput bytes
}

// MaxOutput is how much of a command's output is kept.
const MaxOutput = 4 << 10

// stop is how a program is ended.
type stop struct {
	GraceMS int64 `json:"grace_ms"`
}

// failure is the body of an answer that is an error.
type failure struct {
	Error string `json:"error"`
}

// The paths of the API.
const (
	pathFiles    = "/v1/files"
	pathHosts    = "/v1/hosts"
	pathStart    = "/v1/start"
	pathForwards = "/v1/forwards"
	pathState    = "/v1/state"
	pathLog      = "/v1/log"
	pathExec     = "/v1/exec"
	pathStop     = "/v1/stop"
)
