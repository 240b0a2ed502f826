package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/panelgate/panelgate/e2e/env/containers"
)

// Image implements containers.Engine: it pulls an image that the engine has not.
func (e *engine) Image(ctx context.Context, image string, progress func(done, total int)) (containers.Image, error) {
	found, err := e.api.ImageInspect(ctx, image)
	if errdefs.IsNotFound(err) {
		if err := e.pull(ctx, image, progress); err != nil {
			return containers.Image{}, err
		}
		found, err = e.api.ImageInspect(ctx, image)
	}
	if err != nil {
		return containers.Image{}, &containers.EngineError{Doing: "look at image " + image, Err: err}
	}
	info := containers.Image{Name: image, Env: map[string]string{}}
	if c := found.Config; c != nil {
		info.Entrypoint, info.Command, info.WorkingDir, info.User = c.Entrypoint, c.Cmd, c.WorkingDir, c.User
		for _, kv := range c.Env {
			k, v, _ := strings.Cut(kv, "=")
			info.Env[k] = v
		}
		info.Ports = slices.Sorted(maps.Keys(c.ExposedPorts))
	}
	return info, nil
}

// pull fetches an image. testcontainers would do it too, but it repeats a pull that
// cannot succeed for a quarter of an hour, and drops what the registry says.
func (e *engine) pull(ctx context.Context, image string, progress func(done, total int)) error {
	options := client.ImagePullOptions{}
	if _, auth, err := testcontainers.DockerImageAuth(ctx, image); err == nil { // else anonymously
		if encoded, err := authconfig.Encode(auth); err == nil {
			options.RegistryAuth = encoded
		}
	}
	e.logger.Info("pulling an image", "image", image)
	stream, err := e.api.ImagePull(ctx, image, options)
	if err == nil {
		layers := map[string]jsonstream.Progress{}
		for m, msgErr := range stream.JSONMessages(ctx) {
			if msgErr != nil {
				err = msgErr
				break
			}
			if m.Error != nil {
				err = m.Error
				break
			}
			if m.Progress != nil && m.Status == "Downloading" {
				layers[m.ID] = *m.Progress
				progress(megabytes(layers))
			}
		}
		if closeErr := stream.Close(); err == nil && !errors.Is(closeErr, io.EOF) {
			err = closeErr
		}
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("pull image %s: %w", image, context.Cause(ctx))
	}
	return &containers.EngineError{Doing: "pull image " + image, Err: err, Fix: "check name and tag, docker login, or name one that is here with --image; --registry-prefix names a mirror"}
}

func megabytes(layers map[string]jsonstream.Progress) (done, total int) {
	for _, l := range layers {
		done += int(l.Current >> 20)
		total += int(l.Total >> 20)
	}
	return done, max(total, 1)
}
