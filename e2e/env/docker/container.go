package docker

import (
	"bytes"
	"cmp"
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

	"github.com/panelgate/panelgate/stack"
)

// spec is a container to be.
type spec struct {
	name       string // what people call it: the compose service
	image      string // as the engine has it
	env        map[string]string
	entrypoint []string
	command    []string
	user       string
	workingDir string
	hostname   string
	health     *stack.Healthcheck
	networks   map[string][]string // of the compose file, with the aliases there
	extraHosts []string
	capAdd     []string
	tmpfs      map[string]string
	volumes    map[string]string // the engine's volume, "" for a fresh one, by the path it is mounted at
	files      archive
	publish    []int  // TCP ports
	within     string // id of a container whose network it shares, "" for its own
}

// container is one that was made. Its methods are safe for concurrent use.
type container struct {
	*testcontainers.DockerContainer
	engine *engine
	name   string
	// via has the ports of a container that shares another's network.
	via *container
}

// create makes the container without starting it. The engine remembers it, so
// that it is removed with the rest, whatever comes after.
func (e *engine) create(ctx context.Context, s spec) (*container, error) {
	networks, aliases, err := e.attach(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, name := range s.volumes {
		if err := e.volume(ctx, name); err != nil {
			return nil, err
		}
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(silent{}),
		testcontainers.WithProvider(e.kind()),
		testcontainers.WithNoStart(),
		testcontainers.WithEnv(s.env),
		testcontainers.WithLabels(e.labels()),
		testcontainers.WithConfigModifier(s.config),
		testcontainers.WithHostConfigModifier(func(h *apicontainer.HostConfig) { s.hostConfig(e, h) }),
		testcontainers.CustomizeRequestOption(func(r *testcontainers.GenericContainerRequest) error {
			r.Entrypoint, r.Cmd = s.entrypoint, s.command
			r.Networks, r.NetworkAliases = networks, aliases
			for _, p := range s.publish {
				r.ExposedPorts = append(r.ExposedPorts, strconv.Itoa(p)+"/tcp")
			}
			return nil
		}),
	}
	// A call that is broken off may leave a container that nobody knows.
	longer, cancel := outlive(ctx)
	defer cancel()
	made, err := testcontainers.Run(longer, s.image, options...)
	c := &container{DockerContainer: made, engine: e, name: s.name}
	if made != nil {
		e.mu.Lock()
		e.containers = append(e.containers, c)
		e.mu.Unlock()
	}
	if err != nil {
		return nil, &EngineError{"create the container of " + s.name, err, reaperHint(err)}
	}
	if err := c.put(ctx, s.files); err != nil {
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
	if s.within != "" {
		return nil, aliases, nil
	}
	for name, as := range s.networks {
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
	c.User, c.WorkingDir, c.Hostname = s.user, s.workingDir, s.hostname
	if s.within != "" {
		c.Hostname = "" // is that of the container whose network it shares
	}
	h := s.health
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
	h.ExtraHosts, h.CapAdd, h.Tmpfs = s.extraHosts, s.capAdd, s.tmpfs
	for target, name := range s.volumes {
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Source: name, Target: target,
			VolumeOptions: &mount.VolumeOptions{Labels: e.volumeLabels(name)}})
	}
	if s.within != "" {
		h.NetworkMode = apicontainer.NetworkMode("container:" + s.within)
	}
	h.PortBindings = network.PortMap{}
	for _, p := range s.publish {
		if port, ok := network.PortFrom(uint16(p), network.TCP); ok {
			h.PortBindings[port] = []network.PortBinding{{HostIP: e.bind}}
		}
	}
}

// put copies files into the container.
func (c *container) put(ctx context.Context, files archive) error {
	if len(files) == 0 {
		return nil
	}
	read, write := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := files.write(write)
		written <- errors.Join(err, write.CloseWithError(err))
	}()
	_, err := c.engine.api.CopyToContainer(ctx, c.ID, client.CopyToContainerOptions{DestinationPath: "/", Content: read})
	err = errors.Join(err, read.CloseWithError(io.ErrClosedPipe))
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return fmt.Errorf("put files into the container of %s: %w", c.name, writeErr)
	}
	if err != nil {
		return &EngineError{"put files into the container of " + c.name, err, ""}
	}
	return nil
}

// start starts the container.
func (c *container) start(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return &EngineError{"start the container of " + c.name, err, ""}
	}
	return nil
}

// at is the host:port on which a port of the container is reached from here.
func (c *container) at(ctx context.Context, port int) (string, error) {
	published := c
	if c.via != nil {
		published = c.via
	}
	mapped, err := published.MappedPort(ctx, strconv.Itoa(port)+"/tcp")
	if code, ended, lookErr := c.exited(ctx); err != nil && lookErr == nil && ended {
		lines, logErr := c.log(ctx)
		return "", errors.Join(&ExitError{Service: c.name, Code: code, Log: lastLines(lines, 30)}, logErr)
	}
	if err != nil {
		return "", &EngineError{fmt.Sprintf("find port %d of %s", port, c.name), err, ""}
	}
	return c.engine.address(mapped), nil
}

// exited says whether the process has ended, and with which code.
func (c *container) exited(ctx context.Context) (code int, ended bool, err error) {
	info, err := c.engine.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return 0, false, &EngineError{"look at the container of " + c.name, err, ""}
	}
	state := info.Container.State
	if state == nil || state.Running || state.Status == apicontainer.StateCreated {
		return 0, false, nil
	}
	return state.ExitCode, true, nil
}

// logBytes is how much of a container's log is read: its end.
const logBytes = 1 << 20

// log is what the container has printed, line by line, the last 2,000 lines.
func (c *container) log(ctx context.Context) ([]string, error) {
	r, err := c.engine.api.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "2000"})
	if err != nil {
		return nil, &EngineError{"read the log of " + c.name, err, ""}
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
		return nil, &EngineError{"read the log of " + c.name, err, ""}
	}
	text := strings.TrimRight(data.String(), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), nil
}

// remove ends the container at once and removes it with its unnamed volumes.
func (c *container) remove(ctx context.Context) error {
	now := time.Duration(0)
	err := c.Terminate(ctx, testcontainers.StopTimeout(now))
	if err = gone(err); err != nil {
		return &EngineError{"remove the container of " + c.name, err, ""}
	}
	return nil
}

// stop ends the container's process in good order: what it keeps is wanted.
func (c *container) stop(ctx context.Context, patience time.Duration) error {
	if err := c.Stop(ctx, &patience); err != nil {
		return &EngineError{"stop the container of " + c.name, err, ""}
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

// lastLines are the lines at the end of a log that a person needs first.
func lastLines(lines []string, n int) []string { return lines[max(0, len(lines)-cmp.Or(n, 1)):] }
