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
	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/panelgate/panelgate/stack"
)

// Images say which images run in place of those that the compose file names.
type Images struct {
	// Override is an image by service name, or by role: "prometheus", "grafana",
	// "fakes".
	Override map[string]string
	// Prefix is put before images of Docker Hub, "mirror.example/hub" for instance,
	// for machines that reach only a mirror. Tags and digests stay.
	Prefix string
}

// ParseImages reads "prometheus=IMAGE,grafana=IMAGE".
func ParseImages(texts []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range texts {
		for _, one := range strings.Split(text, ",") {
			if strings.TrimSpace(one) == "" {
				continue
			}
			name, image, ok := strings.Cut(strings.TrimSpace(one), "=")
			if !ok || name == "" || image == "" {
				return nil, fmt.Errorf("%q: want SERVICE=IMAGE, as in grafana=grafana/grafana:13.2.3", one)
			}
			if _, err := reference.ParseNormalizedNamed(image); err != nil {
				return nil, fmt.Errorf("%q: %w", one, err)
			}
			out[name] = image
		}
	}
	return out, nil
}

// of is the image of a service.
func (i Images) of(s *stack.Service, role string) (string, error) {
	for _, name := range []string{s.Name, role} {
		if image := i.Override[name]; image != "" {
			return image, nil
		}
	}
	switch {
	case s.Image.Value == "" && s.HasBuild:
		return "", fmt.Errorf("%s: service %q is built from a Dockerfile: build it (docker compose build %s) and name the image with --image %s=IMAGE",
			s.Pos, s.Name, s.Name, s.Name)
	case s.Image.Value == "":
		return "", fmt.Errorf("%s: service %q has no image", s.Pos, s.Name)
	}
	return i.mirrored(s.Image.Value)
}

// mirrored puts the prefix before an image of Docker Hub.
func (i Images) mirrored(image string) (string, error) {
	if i.Prefix == "" {
		return image, nil
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	if reference.Domain(named) != "docker.io" {
		return image, nil
	}
	rest := strings.TrimPrefix(named.String(), "docker.io/")
	return strings.TrimSuffix(i.Prefix, "/") + "/" + rest, nil
}

// unused are the names of overrides that no container took: a misspelt name must
// not go by in silence.
func (i Images) unused(used map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(i.Override)) {
		if !used[name] {
			return fmt.Errorf("--image %s=%s: the run has no container of that name, only %s", name, i.Override[name],
				strings.Join(slices.Sorted(maps.Keys(used)), ", "))
		}
	}
	return nil
}

// imageInfo is what an image says of itself.
type imageInfo struct {
	entrypoint, command []string
	workingDir          string
	env                 map[string]string
	ports               []string
}

// ensure makes sure that the engine has an image, and pulls it where it has not.
func (e *engine) ensure(ctx context.Context, image string, progress func(done, total int)) (imageInfo, error) {
	found, err := e.api.ImageInspect(ctx, image)
	if errdefs.IsNotFound(err) {
		if err := e.pull(ctx, image, progress); err != nil {
			return imageInfo{}, err
		}
		found, err = e.api.ImageInspect(ctx, image)
	}
	if err != nil {
		return imageInfo{}, &EngineError{"look at image " + image, err, ""}
	}
	info := imageInfo{env: map[string]string{}}
	if c := found.Config; c != nil {
		info.entrypoint, info.command, info.workingDir = c.Entrypoint, c.Cmd, c.WorkingDir
		for _, kv := range c.Env {
			k, v, _ := strings.Cut(kv, "=")
			info.env[k] = v
		}
		info.ports = slices.Sorted(maps.Keys(c.ExposedPorts))
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
	return &EngineError{"pull image " + image, err,
		"check name and tag, docker login, or name one that is here with --image; --registry-prefix names a mirror"}
}

func megabytes(layers map[string]jsonstream.Progress) (done, total int) {
	for _, l := range layers {
		done += int(l.Current >> 20)
		total += int(l.Total >> 20)
	}
	return done, max(total, 1)
}
