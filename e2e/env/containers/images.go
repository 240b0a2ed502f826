package containers

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/panelgate/panelgate/stack"
)

// fakesName is what the container of the fakes goes by, in --image too.
const fakesName = "fakes"

// NoFakes says what helps where the fakes cannot be built.
func NoFakes(err error) error {
	return fmt.Errorf("%w (an image of the fakes made elsewhere is named by --image %s=IMAGE)", err, fakesName)
}

// Images say which images run in place of those that the compose file names.
type Images struct {
	// Override is an image by service name, or by role: "prometheus", "grafana",
	// "fakes".
	Override map[string]string
	// Prefix is put before images of Docker Hub, "mirror.example/hub" for instance,
	// for machines that reach only a mirror. Tags and digests stay.
	Prefix string
}

// FromFile begins the reference of an image that is an archive of this machine:
// tar:FILE. Not every engine takes one.
const FromFile = "tar:"

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
			var err error
			if out[name], err = checked(image); err != nil {
				return nil, fmt.Errorf("%q: %w", one, err)
			}
		}
	}
	return out, nil
}

// ParseSettings reads "grafana:GF_LOG_LEVEL=debug": variables by service or role.
func ParseSettings(texts []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, text := range texts {
		service, assignment, ok := strings.Cut(text, ":")
		name, value, assigned := strings.Cut(assignment, "=")
		if !ok || !assigned || service == "" || name == "" {
			return nil, fmt.Errorf("%q: want SERVICE:NAME=VALUE, as in grafana:GF_LOG_LEVEL=debug", withoutValue(text))
		}
		if out[service] == nil {
			out[service] = map[string]string{}
		}
		out[service][name] = value
	}
	return out, nil
}

// withoutValue is the beginning of a setting, whose value may be a secret: whoever misspells
// one is not to read it in a log.
func withoutValue(text string) string { return text[:strings.IndexAny(text, "=:")+1] + "…" }

// checked is a reference that can be one. The file of an archive is made absolute.
func checked(image string) (string, error) {
	file, archived := strings.CutPrefix(image, FromFile)
	if !archived {
		_, err := reference.ParseNormalizedNamed(image)
		return image, err
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file", file)
	}
	return FromFile + file, nil
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
	return i.Mirrored(s.Image.Value)
}

// Mirrored puts the prefix before an image of Docker Hub. Others stay as they are.
func (i Images) Mirrored(image string) (string, error) {
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

// checkImages refuses overrides that no container of the run takes.
func (r *run) checkImages() error {
	names := map[string]bool{fakesName: true}
	for role, s := range r.roles() {
		names[role], names[s.Name] = true, true
		for _, d := range r.candidates(s) {
			names[d.Name] = true
		}
	}
	if err := r.opts.Images.unused(names); err != nil {
		return &UsageError{err}
	}
	return nil
}

// serverImage makes sure of the image of a server.
func (r *run) serverImage(ctx context.Context, role string) (Image, error) {
	return r.image(ctx, r.roles()[role], role)
}

// image makes sure of the image of a service.
func (r *run) image(ctx context.Context, s *stack.Service, role string) (Image, error) {
	reference, err := r.opts.Images.of(s, role)
	if err != nil {
		return Image{}, &UsageError{err}
	}
	return r.engine.Image(ctx, reference, func(done, total int) { r.progress("pulling "+reference, done, total) })
}
