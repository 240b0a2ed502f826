package docker

import (
	"context"
)

// pulled is an image that the engine has.
type pulled struct {
	name string
	info imageInfo
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
func (r *run) serverImage(ctx context.Context, role string) (pulled, error) {
	image, err := r.opts.Images.of(r.roles()[role], role)
	if err != nil {
		return pulled{}, &UsageError{err}
	}
	info, err := r.engine.ensure(ctx, image, func(done, total int) { r.progress("pulling "+image, done, total) })
	return pulled{image, info}, err
}
