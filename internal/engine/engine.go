// Package engine lets tests run containers where a Docker engine is at hand.
// Where none answers, or an image is not there, the tests that need it are
// skipped; with PANELGATE_REQUIRE=docker they fail.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"

	"github.com/panelgate/panelgate/internal/need"
)

// name is what PANELGATE_REQUIRE calls the engine.
const name = "docker"

// Require lets the test go on where a Docker engine answers and has the images.
// None is pulled: a test is to say what is missing, rather than to wait for a
// registry that may not be reachable.
func Require(tb testing.TB, images ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	expectOnLoopback(tb)
	if err := missing(ctx, images); err != nil {
		need.Missing(tb, name, err)
	}
}

// expectOnLoopback has testcontainers look for its own reaper where OnLoopback
// publishes ports. Inside a container that runs an engine of its own it would try
// the gateway instead, for a minute. Who says otherwise, or uses an engine of
// another machine, is left alone.
func expectOnLoopback(tb testing.TB) {
	tb.Helper()
	if err := ExpectOnLoopback(); err != nil {
		tb.Fatal(err)
	}
}

// ExpectOnLoopback is for tests that start programs: they inherit it by Environ.
func ExpectOnLoopback() error {
	const override = "TESTCONTAINERS_HOST_OVERRIDE"
	host := os.Getenv("DOCKER_HOST")
	if os.Getenv(override) != "" || host != "" && !strings.HasPrefix(host, "unix:") {
		return nil
	}
	// Not tb.Setenv, which parallel tests may not use; testcontainers keeps the
	// first answer for the whole process anyway.
	if err := os.Setenv(override, "127.0.0.1"); err != nil {
		return fmt.Errorf("set %s: %w", override, err)
	}
	return nil
}

// missing says what is not there, of the engine that testcontainers would use.
func missing(ctx context.Context, images []string) (err error) {
	// testcontainers panics where it finds no engine at all.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("no Docker engine answers: %v", p)
		}
	}()
	client, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("no Docker engine answers: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for _, image := range images {
		if _, err := client.ImageInspect(ctx, image); err != nil {
			return fmt.Errorf("the image %s is not there: %w", image, err)
		}
	}
	return nil
}

// OnLoopback publishes a container's ports ("9090/tcp") at free ports of
// 127.0.0.1, and nowhere else.
func OnLoopback(ports ...string) testcontainers.CustomizeRequestOption {
	return func(req *testcontainers.GenericContainerRequest) error {
		bindings := network.PortMap{}
		for _, p := range ports {
			port, err := network.ParsePort(p)
			if err != nil {
				return fmt.Errorf("publish the port %q: %w", p, err)
			}
			bindings[port] = []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
		}
		if err := testcontainers.WithExposedPorts(ports...)(req); err != nil {
			return err
		}
		return testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = bindings
		})(req)
	}
}

// Addr is where a port that OnLoopback published is to be had, as host:port. The
// host is not asked of testcontainers, which inside a container names the gateway.
func Addr(tb testing.TB, c testcontainers.Container, port string) string {
	tb.Helper()
	mapped, err := c.MappedPort(tb.Context(), port)
	if err != nil {
		tb.Fatalf("find the port that %s is published at: %v", port, err)
	}
	return "127.0.0.1:" + mapped.Port()
}
