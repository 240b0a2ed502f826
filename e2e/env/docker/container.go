package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"

	"github.com/panelgate/panelgate/e2e/env/containers"
)

// container implements containers.Container.
type container struct {
	*testcontainers.DockerContainer
	engine *engine
	name   string
	// via has the ports of a container that shares another's network.
	via *container
}

// Create implements containers.Engine. The engine remembers the container, so that it
// is removed with the rest, whatever comes after.
func (e *engine) Create(ctx context.Context, asked containers.Spec) (containers.Container, error) {
	s := spec{Spec: asked}
	if within, ok := asked.Within.(*container); ok {
		s.within, s.Publish = within, nil // its ports are published by whose network it is
	}
	if asked.Plan != nil {
		text, err := asked.Plan.JSON()
		if err != nil {
			return nil, fmt.Errorf("plan the fakes: %w", err)
		}
		s.Command = []string{"serve", "--plan", planFile}
		s.Files.Add(planFile, text, 0o444)
	}
	return e.create(ctx, s)
}

// spec is a container to be, in this engine.
type spec struct {
	containers.Spec
	within *container // nil for a network of its own
}

func (e *engine) create(ctx context.Context, s spec) (containers.Container, error) {
	networks, aliases, err := e.attach(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, name := range s.Volumes {
		if err := e.volume(ctx, name); err != nil {
			return nil, err
		}
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(silent{}),
		testcontainers.WithProvider(e.kind()),
		testcontainers.WithNoStart(),
		testcontainers.WithEnv(s.Env),
		testcontainers.WithLabels(e.labels()),
		testcontainers.WithConfigModifier(s.config),
		testcontainers.WithHostConfigModifier(func(h *apicontainer.HostConfig) { s.hostConfig(e, h) }),
		testcontainers.CustomizeRequestOption(func(r *testcontainers.GenericContainerRequest) error {
			r.Entrypoint, r.Cmd = s.Entrypoint, s.Command
			r.Networks, r.NetworkAliases = networks, aliases
			for _, p := range s.Publish {
				r.ExposedPorts = append(r.ExposedPorts, strconv.Itoa(p)+"/tcp")
			}
			return nil
		}),
	}
	// A call that is broken off may leave a container that nobody knows.
	longer, cancel := outlive(ctx)
	defer cancel()
	made, err := testcontainers.Run(longer, s.Image, options...)
	c := &container{DockerContainer: made, engine: e, name: s.Name, via: s.within}
	if made != nil {
		e.mu.Lock()
		e.containers = append(e.containers, c)
		e.mu.Unlock()
	}
	if err != nil {
		return nil, &containers.EngineError{Doing: "create the container of " + s.Name, Err: err, Fix: reaperHint(err)}
	}
	if err := c.Put(ctx, s.Files); err != nil {
		return nil, err
	}
	return c, ctx.Err()
}

// reaperHint helps where it is testcontainers' own helper that cannot be had.
func reaperHint(err error) string {
	if strings.Contains(err.Error(), "reaper") {
		return "the reaper removes what a killed run leaves; TESTCONTAINERS_RYUK_DISABLED=true does without, " +
			"TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX names a mirror that has testcontainers/ryuk"
	}
	return ""
}

// attach makes the networks that the container is on.
func (e *engine) attach(ctx context.Context, s spec) (names []string, aliases map[string][]string, err error) {
	aliases = map[string][]string{}
	if s.within != nil {
		return nil, aliases, nil
	}
	for name, as := range s.Networks {
		full, err := e.network(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		names = append(names, full)
		aliases[full] = as
	}
	slices.Sort(names)
	return names, aliases, nil
}

// config is what concerns the process in the container.
func (s *spec) config(c *apicontainer.Config) {
	c.User, c.WorkingDir, c.Hostname = s.User, s.WorkingDir, s.Hostname
	if s.within != nil {
		c.Hostname = "" // is that of the container whose network it shares
	}
	h := s.Health
	switch {
	case h == nil:
	case h.Disabled:
		c.Healthcheck = &apicontainer.HealthConfig{Test: []string{"NONE"}}
	default:
		c.Healthcheck = &apicontainer.HealthConfig{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout,
			StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries}
	}
}

// hostConfig is what concerns the machine around the container.
func (s *spec) hostConfig(e *engine, h *apicontainer.HostConfig) {
	h.ExtraHosts, h.CapAdd, h.Tmpfs = s.ExtraHosts, s.CapAdd, s.Tmpfs
	for target, name := range s.Volumes {
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Source: name, Target: target,
			VolumeOptions: &mount.VolumeOptions{Labels: e.volumeLabels(name)}})
	}
	if s.within != nil {
		h.NetworkMode = apicontainer.NetworkMode("container:" + s.within.ID)
	}
	h.PortBindings = network.PortMap{}
	for _, p := range s.Publish {
		if port, ok := network.PortFrom(uint16(p), network.TCP); ok {
			h.PortBindings[port] = []network.PortBinding{{HostIP: e.bind}}
		}
	}
}

// Name implements containers.Container.
func (c *container) Name() string { return c.name }

// Put implements containers.Container.
func (c *container) Put(ctx context.Context, files containers.Archive) error {
	if len(files) == 0 {
		return nil
	}
	read, write := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := files.Write(write)
		written <- errors.Join(err, write.CloseWithError(err))
	}()
	_, err := c.engine.api.CopyToContainer(ctx, c.ID, client.CopyToContainerOptions{DestinationPath: "/", Content: read})
	err = errors.Join(err, read.CloseWithError(io.ErrClosedPipe))
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return fmt.Errorf("put files into the container of %s: %w", c.name, writeErr)
	}
	if err != nil {
		return &containers.EngineError{Doing: "put files into the container of " + c.name, Err: err}
	}
	return nil
}

// Start implements containers.Container.
func (c *container) Start(ctx context.Context) error {
	if err := c.DockerContainer.Start(ctx); err != nil {
		return &containers.EngineError{Doing: "start the container of " + c.name, Err: err}
	}
	return nil
}

// At implements containers.Container.
func (c *container) At(ctx context.Context, port int) (string, error) {
	published := c
	if c.via != nil {
		published = c.via
	}
	mapped, err := published.MappedPort(ctx, strconv.Itoa(port)+"/tcp")
	if code, ended, lookErr := c.Exited(ctx); err != nil && lookErr == nil && ended {
		lines, logErr := c.Log(ctx)
		return "", errors.Join(&containers.ExitError{Service: c.name, Code: code, Log: lines[max(0, len(lines)-30):]}, logErr)
	}
	if err != nil {
		return "", &containers.EngineError{Doing: fmt.Sprintf("find port %d of %s", port, c.name), Err: err}
	}
	return c.engine.address(mapped), nil
}

// Exited implements containers.Container.
func (c *container) Exited(ctx context.Context) (code int, ended bool, err error) {
	info, err := c.engine.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return 0, false, &containers.EngineError{Doing: "look at the container of " + c.name, Err: err}
	}
	state := info.Container.State
	if state == nil || state.Running || state.Status == apicontainer.StateCreated {
		return 0, false, nil
	}
	return state.ExitCode, true, nil
}

// logBytes is how much of a container's log is read: its end.
const logBytes = 1 << 20

// Log implements containers.Container.
func (c *container) Log(ctx context.Context) ([]string, error) {
	r, err := c.engine.api.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "2000"})
	if err != nil {
		return nil, &containers.EngineError{Doing: "read the log of " + c.name, Err: err}
	}
	var data bytes.Buffer
	_, err = stdcopy.StdCopy(&data, &data, io.LimitReader(r, logBytes))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the limit fell into a line
	}
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, &containers.EngineError{Doing: "read the log of " + c.name, Err: err}
	}
	text := strings.TrimRight(data.String(), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), nil
}

// Remove implements containers.Container; unnamed volumes go with it.
func (c *container) Remove(ctx context.Context) error {
	now := time.Duration(0)
	err := c.Terminate(ctx, testcontainers.StopTimeout(now))
	if err = gone(err); err != nil {
		return &containers.EngineError{Doing: "remove the container of " + c.name, Err: err}
	}
	return nil
}

// Stop implements containers.Container.
func (c *container) Stop(ctx context.Context, patience time.Duration) error {
	if err := c.DockerContainer.Stop(ctx, &patience); err != nil {
		return &containers.EngineError{Doing: "stop the container of " + c.name, Err: err}
	}
	return nil
}

// gone drops the error of removing what is not there any more, or is just being
// removed by somebody else.
func gone(err error) error {
	if err == nil || errdefs.IsNotFound(err) ||
		errdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress") {
		return nil
	}
	return err
}

// Healthy implements containers.Container: it asks the engine what its health check
// came to. One without a check is healthy once it runs, though compose would refuse to
// wait for it.
func (c *container) Healthy(ctx context.Context) (bool, error) {
	info, err := c.engine.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return false, err
	}
	state := info.Container.State
	if state == nil || state.Health == nil || state.Health.Status == apicontainer.NoHealthcheck {
		return true, nil
	}
	if state.Health.Status != apicontainer.Healthy && len(state.Health.Log) == 0 {
		return false, errors.New("the engine has not run it yet (Podman needs systemd for that)")
	}
	if n := len(state.Health.Log); n > 0 && state.Health.Status != apicontainer.Healthy {
		return false, fmt.Errorf("the check says: %s", strings.TrimSpace(state.Health.Log[n-1].Output))
	}
	return state.Health.Status == apicontainer.Healthy, nil
}

// Exec implements containers.Container.
func (c *container) Exec(ctx context.Context, command []string) (code int, output string, err error) {
	code, r, err := c.DockerContainer.Exec(ctx, command, tcexec.Multiplexed())
	if err != nil {
		return 0, "", err
	}
	const most = 4 << 10
	text, err := io.ReadAll(io.LimitReader(r, most))
	return code, string(text), err
}
