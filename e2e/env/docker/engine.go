package docker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"golang.org/x/sync/errgroup"

	"github.com/panelgate/panelgate/e2e/env/containers"
)

// runLabel marks everything that a run makes in the engine, so that what is left
// of it can be found whatever went wrong.
const runLabel = "org.panelgate.run"

// cleanupTime bounds the removal of what a run made. It has its own time: the
// run's context has often ended by then.
const cleanupTime = time.Minute

// engine is a Docker engine and what this run has made in it.
type engine struct {
	provider *testcontainers.DockerProvider
	api      client.APIClient
	run      string     // value of runLabel
	keeper   string     // that of whoever keeps volumes beyond the run, "" for nobody
	host     string     // where published ports are reached
	bind     netip.Addr // the address they are published on
	os, arch string     // of its containers
	podman   bool
	logger   *slog.Logger

	mu         sync.Mutex
	containers []*container
	networks   map[string]string // the engine's name of a compose network
}

// connect finds the engine as testcontainers does: DOCKER_HOST, the Docker context,
// the usual sockets of Docker and Podman.
func connect(ctx context.Context, logger *slog.Logger) (*engine, error) {
	fail := func(err error) (*engine, error) {
		return nil, &containers.EngineError{Doing: "reach a Docker engine", Err: err, Fix: "start one, or set DOCKER_HOST; --env embedded needs none"}
	}
	provider, err := reach(ctx, newProvider)
	if err != nil {
		return fail(err)
	}
	// testcontainers goes on to the next socket where the one asked for is dead.
	if asked := os.Getenv("DOCKER_HOST"); asked != "" && provider.Client().DaemonHost() != asked {
		return fail(errors.Join(fmt.Errorf("DOCKER_HOST=%s does not answer", asked), provider.Close()))
	}
	e := &engine{provider: provider, api: provider.Client(), logger: logger, networks: map[string]string{}}
	version, err := e.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fail(errors.Join(err, provider.Close()))
	}
	e.os, e.arch = version.Os, version.Arch
	e.podman = slices.ContainsFunc(version.Components, func(c system.ComponentVersion) bool { return c.Name == "Podman Engine" })
	if e.host, err = provider.DaemonHost(ctx); err != nil {
		return fail(errors.Join(err, provider.Close()))
	}
	e.publishOn()
	id := make([]byte, 6)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("name the run: %w", err)
	}
	e.run = hex.EncodeToString(id)
	logger.Info("connected to the Docker engine", "version", version.Version, "platform", e.os+"/"+e.arch, "run", e.run)
	return e, nil
}

// kind is what testcontainers is told of the engine. By itself it goes by the name of
// Podman's socket, and puts its reaper into a network that is listed there and does
// not exist.
func (e *engine) kind() testcontainers.ProviderType {
	if e.podman {
		return testcontainers.ProviderPodman //nolint:staticcheck // what replaces it is chosen before the engine is known
	}
	return testcontainers.ProviderDefault
}

// reachTime is how long an engine may take to say that it is there.
const reachTime = 20 * time.Second

// reach connects within bounds: testcontainers asks the engine without any.
func reach(ctx context.Context, connect func() (*testcontainers.DockerProvider, error)) (*testcontainers.DockerProvider, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, reachTime, fmt.Errorf("no answer within %s", reachTime))
	defer cancel()
	type answer struct {
		provider *testcontainers.DockerProvider
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		p, err := connect()
		answered <- answer{p, err}
	}()
	select {
	case a := <-answered:
		return a.provider, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// graceTime is how long a call that makes something may go on after the run has
// ended: broken off, it may leave behind what nobody knows of.
const graceTime = 15 * time.Second

// outlive is ctx with that much more time. cancel is to be called in any case.
func outlive(ctx context.Context) (longer context.Context, cancel context.CancelFunc) {
	longer, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(graceTime, func() { end(context.Cause(ctx)) })
	})
	return longer, func() {
		stop()
		end(nil)
	}
}

// newProvider is testcontainers' connection; it panics where its own settings
// contradict themselves.
func newProvider() (p *testcontainers.DockerProvider, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
}

// silent drops what testcontainers tells of its progress; errors are returned.
type silent struct{}

// Printf implements testcontainers' logger.
func (silent) Printf(string, ...any) {}

// publishOn chooses the address that ports are published on: loopback where the
// engine is this machine's, the address by which a container reaches the engine's
// host where this is a container, and any only where the engine is far away.
func (e *engine) publishOn() {
	if e.host == "localhost" {
		e.host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(e.host)
	daemon, urlErr := url.Parse(e.api.DaemonHost())
	local := urlErr == nil && (daemon.Scheme == "unix" || daemon.Scheme == "npipe")
	switch {
	case err == nil && (ip.IsLoopback() || local):
		e.bind = ip
	default:
		e.bind = netip.IPv4Unspecified()
		e.logger.Warn("the Docker engine is on another host: ports are published on all of its interfaces while the run lasts", "host", e.host)
	}
}

// labels mark what this run makes, for the reaper and for sweep.
func (e *engine) labels() map[string]string {
	l := testcontainers.GenericLabels()
	l[runLabel] = e.run
	return l
}

// volumeLabels mark a volume of this run. One that is kept belongs to whoever keeps
// it, and is not to be swept away with the run.
func (e *engine) volumeLabels(name string) map[string]string {
	if name != "" && !strings.HasPrefix(name, containers.Prefix(e)) {
		l := testcontainers.GenericLabels()
		if e.podman {
			// To Podman before July 2023 (its issue 19219) a volume matches a filter of
			// which it has one label: the reaper of another run would take what is kept
			// while no container uses it.
			l = map[string]string{}
		}
		l[runLabel] = e.keeper
		return l
	}
	return e.labels()
}

// network is the engine's network for a network of the compose file, made when
// first asked for.
func (e *engine) network(ctx context.Context, name string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if full, ok := e.networks[name]; ok {
		return full, nil
	}
	full := containers.Prefix(e) + name
	longer, cancel := outlive(ctx)
	defer cancel()
	_, err := e.api.NetworkCreate(longer, full, client.NetworkCreateOptions{Driver: "bridge", Labels: e.labels()})
	if err != nil {
		return "", &containers.EngineError{Doing: "create a network for " + name, Err: err}
	}
	e.networks[name] = full
	return full, ctx.Err()
}

// volume makes a volume, unless it is there or unnamed. The engine would make it with
// the container, but Podman leaves out the labels then, by which it is removed.
func (e *engine) volume(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	e.mu.Lock() // Podman refuses one of two that are asked for at once
	defer e.mu.Unlock()
	_, err := e.api.VolumeCreate(context.WithoutCancel(ctx), client.VolumeCreateOptions{Name: name, Labels: e.volumeLabels(name)})
	if err != nil {
		return &containers.EngineError{Doing: "create a volume", Err: err}
	}
	return ctx.Err()
}

// Run implements containers.Engine.
func (e *engine) Run() string { return e.run }

// Close implements containers.Engine.
func (e *engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	e.mu.Lock()
	containers := e.containers
	e.containers = nil
	e.mu.Unlock()
	var g errgroup.Group
	for _, c := range containers {
		g.Go(func() error { return c.Remove(ctx) })
	}
	// What could not be removed one by one is tried once more by its label.
	err := g.Wait()
	if sweepErr := e.sweep(ctx); sweepErr != nil {
		return errors.Join(err, sweepErr, e.provider.Close())
	}
	return e.provider.Close()
}

// sweep removes whatever carries the run's label.
func (e *engine) sweep(ctx context.Context) error {
	mine := client.Filters{}.Add("label", runLabel+"="+e.run)
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s of run %s: %w", what, e.run, err))
		}
	}
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
	if err != nil { // then the rest cannot be listed either
		return fmt.Errorf("list the containers of run %s: %w: what it has made stays, with the label %s=%s", e.run, err, runLabel, e.run)
	}
	for _, c := range found.Items {
		_, err := e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		note("remove a container", gone(err))
	}
	networks, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: mine})
	note("list the networks", err)
	for _, n := range networks.Items {
		_, err := e.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		note("remove a network", gone(err))
	}
	// By name too: where the reaper of another run has taken a volume (volumeLabels),
	// Podman has made it anew with the container, without a label.
	for _, which := range []client.Filters{mine, client.Filters{}.Add("name", containers.Prefix(e))} {
		volumes, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: which})
		note("list the volumes", err)
		for _, v := range volumes.Items {
			_, err := e.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
			note("remove a volume", gone(err))
		}
	}
	return errors.Join(errs...)
}

// address is where a published port of the engine is reached.
func (e *engine) address(port network.Port) string {
	return net.JoinHostPort(e.host, port.Port())
}

// Prepare settles what testcontainers keeps for a whole process; call it once,
// before anything is started. It is kept from printing what it does, and the process
// becomes a session of its own: by default all children of one parent are one, and
// two gates that a script starts side by side would trip over the reaper that the
// other is just starting.
func Prepare() {
	log.SetDefault(silent{})
	const session = "TESTCONTAINERS_SESSION_ID"
	if os.Getenv(session) == "" {
		// It fails for no name like this one; then the default holds.
		_ = os.Setenv(session, "panelgate-"+strings.ToLower(rand.Text()))
	}
}
