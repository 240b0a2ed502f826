package containers

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/stack/source"
)

// Data is what servers leave behind for the next start: their volumes, and what
// was true when they began with them.
type Data struct {
	engine   Engine
	password string // of Grafana's administrator, in its database from then on

	mu    sync.Mutex
	old   bool                 // servers have run on it
	laid  map[string]time.Time // volumes with a past in them, and how far it reaches
	known map[string]bool      // targets that have a past, by key
	admin map[string]string    // Grafana's first administrator, by the volume of its database
	at    map[env.Role]keeping // where each server's data was at the latest start
}

// keeping is where a server's data outlives its container.
type keeping struct {
	volume string // the engine's, "" where nothing is kept
	text   string // what people call it
	pos    source.Pos
}

// newData makes room for what the servers of several starts keep between them.
// Close removes it.
func newData(ctx context.Context, opts Options) (*Data, error) {
	logger := opts.Past.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	e, err := opts.Connect(ctx, logger, "")
	if err != nil {
		return nil, err
	}
	return &Data{engine: e, password: rand.Text(), laid: map[string]time.Time{}, known: map[string]bool{},
		admin: map[string]string{}, at: map[env.Role]keeping{}}, nil
}

// volume is the engine's name for a volume that is kept.
func (d *Data) volume(key string) string { return Prefix(d.engine) + volumeName(key) }

// Close removes the volumes. The containers that used them must be gone.
func (d *Data) Close() error { return d.engine.Close() }

// keeper is the run that keeps the data.
func (d *Data) keeper() string {
	if d == nil {
		return ""
	}
	return d.engine.Run()
}

// use takes down where a server keeps its data.
func (d *Data) use(role env.Role, k keeping) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[role] = k
}

func (d *Data) places() map[env.Role]keeping {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.at)
}

// hasPast says whether a past lies in a volume already, and how far it reaches.
func (d *Data) hasPast(volume string) (until time.Time, there bool) {
	if d == nil {
		return time.Time{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	until, there = d.laid[volume]
	return until, there
}

// scraped takes down that the volume in use has a past, how far the one reaches that was
// laid down, and whose it is.
func (d *Data) scraped(targets []env.Target, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.old = true
	if volume := d.at[env.RolePrometheus].volume; volume != "" {
		d.laid[volume] = until
	}
	for _, t := range targets {
		d.known[key(t.Job, t.URL, t.Labels)] = t.Up
	}
}

// used says whether servers have run on the data before.
func (d *Data) used() bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.old
}

func (d *Data) knows(t env.Target) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[key(t.Job, t.URL, t.Labels)]
}

// administrator is who Grafana's administrator is that is called user where its
// database is new: the name is read once, into an empty database.
func (d *Data) administrator(user string) string {
	if d == nil {
		return user
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	volume := d.at[env.RoleGrafana].volume
	if volume == "" {
		return user
	}
	if first, ok := d.admin[volume]; ok {
		return first
	}
	d.admin[volume] = user
	return user
}
