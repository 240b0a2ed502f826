// Package dcgm is a fake dcgm-exporter, from 2.0 on: what a release prints for the GPUs of a world with its own counters or with
// others, as its command line says.
package dcgm

import (
	"slices"
	"time"

	"github.com/panelgate/panelgate/fakes"
)

// DefaultPort is where dcgm-exporter listens by default.
const DefaultPort = 9400

// exporterName is what a world calls dcgm-exporter.
const exporterName = "dcgm"

// Exporter answers the scrapes of one dcgm-exporter. It is immutable and safe for concurrent use.
type Exporter struct {
	world    *fakes.World
	interval time.Duration
	dialect  dialect
	groups   []group
	showsHot bool // how long GPUs have been throttled, which takes long to find out
}

// New is the dcgm-exporter of the machine at an address, "host:port" or "host". It runs in a container without a hostname of its
// own, so its Hostname label is the container's id, as with a compose file that says no more.
func New(w *fakes.World, instance string) *Exporter {
	e, err := Build(w, instance, fakes.Setup{})
	if err != nil {
		panic("dcgm: " + err.Error()) // the zero Setup is one to start with
	}
	return e
}

// Build is New for an exporter that is set up otherwise. An error says what in the setup the real one would not start with.
func Build(w *fakes.World, instance string, setup fakes.Setup) (*Exporter, error) {
	r, err := Canonical(setup.Version)
	if err != nil {
		return nil, err
	}
	o, err := readOptions(setup)
	if err != nil {
		return nil, err
	}
	d := dialectOf(r)
	counters := o.counters
	if _, ok := setup.Files[o.configMap]; ok {
		counters = o.configMap
	}
	lines, err := readCounters(counters, setup.Files, &d)
	if err != nil {
		return nil, err
	}
	xids, err := xidTexts()
	if err != nil {
		return nil, err
	}
	l := &layout{
		world: w, id: fakes.IdentityOf(instance), dialect: d, options: o, lines: lines, files: setup.Files, xids: xids,
		numbers: gpuNumbers(), totals: runningTotals(),
	}
	l.hostname = hostname(l.id, setup, o, &d)
	return &Exporter{
		world: w, interval: o.interval, dialect: d, groups: l.groups(),
		showsHot: slices.ContainsFunc(lines, func(line counterLine) bool { return line.id == 241 || line.id == 1422 }),
	}, nil
}

// hostname is what the label of the host's name says, "" where there is none: the node's name where Kubernetes gives it, else that of
// the container.
func hostname(id fakes.Identity, setup fakes.Setup, o *options, d *dialect) string {
	switch {
	case o.noHostname || d.hostname == "":
		return ""
	case o.remote != "" && d.remoteHost:
		return o.remote
	case setup.Env["NODE_NAME"] != "":
		return setup.Env["NODE_NAME"]
	case setup.Hostname != "":
		return setup.Hostname
	}
	return id.ContainerID("dcgm-exporter")
}

// Name is "dcgm".
func (e *Exporter) Name() string { return exporterName }

// ContentType is what Go's server makes of the body, as dcgm-exporter sets none.
func (e *Exporter) ContentType() string { return "text/plain; charset=utf-8" }

// AppendScrape appends the body of GET /metrics at a time: the values of the last collection before it.
func (e *Exporter) AppendScrape(dst []byte, at time.Time) []byte {
	if start := e.world.Start(); at.Before(start) {
		at = start
	}
	collected := e.world.Started(exporterName, at)
	if since := at.Sub(collected); since > 0 {
		collected = collected.Add(since.Truncate(e.interval))
	}
	s := e.snapshot(collected)
	for i := range e.groups {
		if e.dialect.ungrouped {
			dst = e.groups[i].appendByEntity(dst, s)
		} else {
			dst = e.groups[i].append(dst, s)
		}
	}
	return dst
}

// append writes families one after the other, those without a line not at all.
func (g *group) append(dst []byte, s *snapshot) []byte {
	for i := range g.families {
		f := &g.families[i]
		before := len(dst)
		dst = append(dst, f.head...)
		lines := len(dst)
		for _, write := range f.writers {
			dst = write(dst, s)
		}
		if len(dst) == lines {
			dst = dst[:before]
		}
	}
	return dst
}

// appendByEntity writes the heads of all families, then entity by entity its lines, with blank lines between as the first releases
// did.
func (g *group) appendByEntity(dst []byte, s *snapshot) []byte {
	if len(g.families) == 0 {
		return dst
	}
	for i := range g.families {
		dst = append(dst, g.families[i].head...)
	}
	dst = append(dst, '\n')
	for entity := range g.families[0].writers {
		dst = append(dst, '\n')
		for i := range g.families {
			dst = g.families[i].writers[entity](dst, s)
		}
	}
	return dst
}
