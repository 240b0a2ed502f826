package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/moby/moby/client"
)

// Data is what servers leave behind for the next start: their volumes, and the
// login that is kept in one of them.
type Data struct {
	engine   *engine
	password string
	laid     bool // a past is in it already
}

// NewData makes room for what the servers of several starts keep between them.
// Close removes it.
func NewData(ctx context.Context, logger *slog.Logger) (*Data, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	e, err := connect(ctx, logger)
	if err != nil {
		return nil, err
	}
	return &Data{engine: e, password: rand.Text()}, nil
}

// volume is the engine's name for a volume that is kept.
func (d *Data) volume(name string) string {
	return d.engine.prefix() + strings.ToLower(volumeName(name))
}

// Close removes the volumes. The containers that used them must be gone.
func (d *Data) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	found, err := d.engine.api.VolumeList(ctx, client.VolumeListOptions{Filters: client.Filters{}.Add("name", d.engine.prefix())})
	var errs []error
	if err != nil {
		errs = append(errs, fmt.Errorf("list the volumes that were kept: %w", err))
	}
	for _, v := range found.Items {
		if _, err := d.engine.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true}); gone(err) != nil {
			errs = append(errs, fmt.Errorf("remove volume %s: %w", v.Name, err))
		}
	}
	return errors.Join(append(errs, d.engine.close())...)
}
