package triton

import (
	"slices"
	"sync"
	"time"

	"github.com/panelgate/panelgate/fakes/internal/page"
)

// epoch is a time in which the same models are loaded, and so the same series printed. Which they are is worked out when a scrape
// first asks: a day of reloads has many epochs, and few of them are looked at twice.
type epoch struct {
	since time.Time
	scene func() *scene // safe for concurrent use
}

// scene is what an epoch prints.
type scene struct {
	loaded []presence // by their index
	page   *page.Page[snapshot]
}

// findEpochs finds when models come and go. The first epoch begins with the world.
func (e *Exporter) findEpochs() []*epoch {
	times := []time.Time{e.world.Start()}
	for _, m := range e.models {
		for _, stay := range m.Stays() {
			for _, at := range []time.Time{stay.From, stay.To} {
				if at.After(e.world.Start()) { // which a zero To is not
					times = append(times, at)
				}
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	epochs := make([]*epoch, len(times))
	for i, since := range times {
		epochs[i] = &epoch{since: since}
		epochs[i].scene = sync.OnceValue(func() *scene { return e.set(since) })
	}
	return epochs
}

// at is the epoch that a time falls into; times before the world's start fall into the first.
func (e *Exporter) at(t time.Time) *epoch {
	after, _ := slices.BinarySearchFunc(e.epochs, t, func(ep *epoch, t time.Time) int {
		if ep.since.After(t) {
			return 1
		}
		return -1
	})
	return e.epochs[max(after-1, 0)]
}

// set is the scene from a time on: the models that the process at that time has had so far.
func (e *Exporter) set(since time.Time) *scene {
	var s scene
	var all []presence
	started := e.world.Started(name, since)
	for _, m := range e.models {
		for _, stay := range m.Stays() {
			if stay.From.After(since) || stay.From.Before(started) {
				continue
			}
			all = append(all, presence{model: m, stay: stay, gone: !stay.To.IsZero() && !stay.To.After(since)})
		}
	}
	slices.SortStableFunc(all, func(a, b presence) int { return a.stay.From.Compare(b.stay.From) })
	for i := range all {
		if !all[i].gone {
			all[i].index = len(s.loaded)
			s.loaded = append(s.loaded, all[i])
		}
	}
	s.page = newPage(e, all)
	return &s
}
