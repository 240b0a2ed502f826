package dagger

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	sdk "dagger.io/dagger"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/fakes/beside"
	"github.com/panelgate/panelgate/fakes/plan"
)

const (
	// supervisor is the fakes' program in every container, control the port at which it
	// is told what to do.
	supervisor = "/.panelgate/fakes"
	control    = 17357
	// startTime is how long a service may take until its supervisor answers.
	startTime = time.Minute
	planFile  = "/plan.json"
)

// container implements containers.Container: a service of the engine, whose process is
// the supervisor.
type container struct {
	engine  *engine
	spec    containers.Spec
	image   *sdk.Container
	service *sdk.Service
	token   string
	agent   *beside.Client
	http    *http.Transport
	ip      string // in the engine's network
	via     *container

	mu      sync.Mutex
	tunnels map[int]*sdk.Service
	gone    bool
}

// Create implements containers.Engine: the service is started, and its supervisor is
// told what there is to know before the server itself starts.
func (e *engine) Create(ctx context.Context, s containers.Spec) (containers.Container, error) {
	c := &container{engine: e, spec: s, token: rand.Text(), tunnels: map[int]*sdk.Service{}, http: &http.Transport{}}
	if via, ok := s.Within.(*container); ok {
		c.via = via
	}
	e.mu.Lock()
	c.image = e.images[s.Image]
	e.mu.Unlock()
	if c.image == nil {
		return nil, fmt.Errorf("create the container of %s: image %q was not asked for before", s.Name, s.Image)
	}
	if err := c.build(ctx); err != nil {
		return nil, err
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	files := s.Files
	if s.Plan != nil {
		text, err := s.Plan.JSON()
		if err != nil {
			return nil, fmt.Errorf("plan the fakes: %w", err)
		}
		files = slices.Clone(files)
		files.Add(planFile, text, 0o444)
	}
	if err := c.Put(ctx, files); err != nil {
		return nil, err
	}
	return c, e.introduce(ctx, c)
}

// build makes the service. Everything in it that is only of this run makes it another
// one than any of the engine's earlier ones: nothing of it is ever taken from a cache.
func (c *container) build(ctx context.Context) error {
	e := c.engine
	client := e.Session.client
	ports, err := c.image.ExposedPorts(ctx)
	if err != nil {
		return c.failed("create the container of", err)
	}
	made := c.image.WithoutDockerHealthcheck()
	for i := range ports { // Dagger waits for each, and a server that ends instead would only be a timeout
		n, err := ports[i].Port(ctx)
		if err != nil {
			return c.failed("create the container of", err)
		}
		made = made.WithoutExposedPort(n)
	}
	hosts := client.Directory().WithNewFile("hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n").File("hosts")
	made = made.WithoutUser().
		WithFile(supervisor, client.Host().File(e.Fakes), sdk.ContainerWithFileOpts{Permissions: 0o755}).
		WithMountedFile("/etc/hosts", hosts).
		WithEnvVariable("PANELGATE_RUN", e.run+" "+c.spec.Name).
		WithSecretVariable(beside.TokenVariable, client.SetSecret(e.run+" "+c.spec.Name, c.token)).
		WithExposedPort(control)
	for _, target := range slices.Sorted(maps.Keys(c.spec.Tmpfs)) {
		made = made.WithMountedTemp(target)
	}
	for _, target := range slices.Sorted(maps.Keys(c.spec.Volumes)) {
		if name := c.spec.Volumes[target]; slices.Contains(c.spec.Shared, name) {
			made = made.WithMountedCache(target, client.CacheVolume(name), sdk.ContainerWithMountedCacheOpts{Sharing: sdk.CacheSharingModeShared})
		}
	}
	c.service = made.AsService(sdk.ContainerAsServiceOpts{
		// Dagger's own init comes before it, and takes care of orphans.
		Args: []string{supervisor, "beside", "--listen", ":" + strconv.Itoa(control)},
		// The addresses of machines that are not there are its own, for which it needs to
		// be allowed to change its network.
		InsecureRootCapabilities: c.addresses(),
	})
	return nil
}

// addresses says whether the container is to have addresses of other machines.
func (c *container) addresses() bool {
	return c.plan() != nil && len(c.plan().Addresses) > 0
}

// plan is what is served in the network that the container is in, nil for nothing.
func (c *container) plan() *plan.Plan {
	if c.via != nil {
		return c.via.spec.Plan
	}
	return c.spec.Plan
}

// open starts the service and reaches its supervisor.
func (c *container) open(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("its supervisor does not answer within %s", startTime))
	defer cancel()
	started, err := c.service.Start(limited)
	if err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return c.failed("start the service of", err)
	}
	c.service = started
	c.engine.mu.Lock()
	c.engine.made = append(c.engine.made, c)
	c.engine.mu.Unlock()
	address, err := c.At(limited, control)
	if err != nil {
		return err
	}
	c.agent = beside.New("http://"+address, c.token, c.http)
	state, err := c.agent.State(limited)
	if err != nil {
		return c.failed("reach the service of", err)
	}
	if len(state.Addresses) == 0 {
		return c.failed("reach the service of", errors.New("it has no address"))
	}
	c.ip = state.Addresses[0]
	return nil
}

// Name implements containers.Container.
func (c *container) Name() string { return c.spec.Name }

// Start implements containers.Container.
func (c *container) Start(ctx context.Context) error {
	start, err := c.process(ctx)
	if err != nil {
		return err
	}
	if err := c.agent.Start(ctx, start); err != nil {
		return c.failed("start", err)
	}
	return nil
}

// process is what the supervisor is to run: what Docker would, of the image and what
// the compose file puts in its place.
func (c *container) process(ctx context.Context) (beside.Start, error) {
	image, err := describe(ctx, c.image)
	if err != nil {
		return beside.Start{}, c.failed("start", err)
	}
	s := c.spec
	if s.Plan != nil {
		return beside.Start{Argv: []string{supervisor, "serve", "--plan", planFile}, User: "0", Dir: "/"}, nil
	}
	entrypoint, command := s.Entrypoint, s.Command
	if entrypoint == nil {
		entrypoint = image.Entrypoint
		if command == nil {
			command = image.Command
		}
	}
	environment := maps.Clone(image.Env)
	maps.Copy(environment, s.Env)
	out := beside.Start{
		Argv: append(slices.Clone(entrypoint), command...), User: cmp.Or(s.User, image.User), Dir: cmp.Or(s.WorkingDir, image.WorkingDir, "/"), Plan: c.plan(),
	}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		out.Env = append(out.Env, name+"="+environment[name])
	}
	return out, nil
}

// Stop implements containers.Container.
func (c *container) Stop(ctx context.Context, patience time.Duration) error {
	if _, err := c.agent.Stop(ctx, patience); err != nil {
		return c.failed("stop", err)
	}
	return nil
}

// Remove implements containers.Container.
func (c *container) Remove(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil
	}
	c.http.CloseIdleConnections()
	var err error
	for _, t := range c.tunnels {
		_, stopErr := t.Stop(ctx, sdk.ServiceStopOpts{Kill: true})
		err = errors.Join(err, stopErr)
	}
	_, stopErr := c.service.Stop(ctx, sdk.ServiceStopOpts{Kill: true})
	if err = errors.Join(err, stopErr); err != nil {
		return c.failed("remove the service of", err)
	}
	c.gone = true
	return nil
}

// Put implements containers.Container.
func (c *container) Put(ctx context.Context, files containers.Archive) error {
	if len(files) == 0 {
		return nil
	}
	if err := c.agent.Files(ctx, files.Write); err != nil {
		return c.failed("put files into the container of", err)
	}
	return nil
}

// At implements containers.Container.
func (c *container) At(ctx context.Context, port int) (string, error) {
	if !c.engine.Tunnel {
		host, err := c.service.Hostname(ctx)
		if err != nil {
			return "", c.failed("find "+strconv.Itoa(port)+" of", err)
		}
		return net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tunnels[port]
	if t == nil {
		started, err := c.engine.Session.client.Host().Tunnel(c.service, sdk.HostTunnelOpts{Ports: []sdk.PortForward{{Backend: port}}}).Start(ctx)
		if err != nil {
			return "", c.failed("open a tunnel to", err)
		}
		t = started
		c.tunnels[port] = t
	}
	address, err := t.Endpoint(ctx)
	if err != nil {
		return "", c.failed("find the tunnel to", err)
	}
	_, local, err := net.SplitHostPort(address)
	if err != nil {
		return "", c.failed("find the tunnel to", err)
	}
	return net.JoinHostPort("127.0.0.1", local), nil
}

// Exited implements containers.Container.
func (c *container) Exited(ctx context.Context) (code int, ended bool, err error) {
	state, err := c.agent.State(ctx)
	if err != nil {
		return 0, false, c.failed("look at", err)
	}
	return state.ExitCode, state.Ended, nil
}

// Log implements containers.Container.
func (c *container) Log(ctx context.Context) ([]string, error) {
	lines, err := c.agent.Log(ctx, logLines)
	if err != nil {
		return nil, c.failed("read the log of", err)
	}
	return lines, nil
}

// logLines is how much of a log is read: its end.
const logLines = 2000

// Exec implements containers.Container.
func (c *container) Exec(ctx context.Context, command []string) (code int, output string, err error) {
	done, err := c.agent.Exec(ctx, beside.Exec{Argv: command})
	if err != nil {
		return 0, "", err
	}
	return done.ExitCode, done.Output, nil
}

// Healthy implements containers.Container. Nobody but us makes a health check here.
func (c *container) Healthy(ctx context.Context) (bool, error) {
	if c.spec.Health == nil || c.spec.Health.Disabled {
		return true, nil
	}
	command := containers.CheckCommand(c.spec.Health.Test)
	if command == nil {
		return true, nil
	}
	code, output, err := c.Exec(ctx, command)
	if err != nil || code == 0 {
		return err == nil, err
	}
	return false, fmt.Errorf("the check ends with exit code %d: %s", code, output)
}

// failed says what of this container could not be done.
func (c *container) failed(doing string, err error) error {
	return &containers.EngineError{Doing: doing + " " + c.spec.Name, Err: firstLine(err)}
}
