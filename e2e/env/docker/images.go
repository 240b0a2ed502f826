package docker

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// pulled is an image that the engine has.
type pulled struct {
	name string
	info imageInfo
}

// images makes sure of every image that the run needs, by role.
func (r *run) images(ctx context.Context) (map[string]pulled, error) {
	out := map[string]pulled{}
	names := map[string]bool{fakesName: true}
	var mu sync.Mutex
	keep := func(role string, p pulled) {
		mu.Lock()
		defer mu.Unlock()
		out[role] = p
	}
	g, groupCtx := errgroup.WithContext(ctx)
	for role, s := range r.roles() {
		names[role], names[s.Name] = true, true
		image, err := r.opts.Images.of(s, role)
		if err != nil {
			return nil, err
		}
		g.Go(func() error {
			info, err := r.engine.ensure(groupCtx, image, func(done, total int) { r.progress("pull "+image, done, total) })
			keep(role, pulled{image, info})
			return err
		})
	}
	if err := r.opts.Images.unused(names); err != nil {
		return nil, err
	}
	g.Go(func() error {
		image, err := r.engine.fakesImage(groupCtx, r.opts.Images)
		keep(fakesName, pulled{name: image})
		return err
	})
	return out, g.Wait()
}
