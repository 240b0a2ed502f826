// Package boards writes a stack of many dashboards into a directory, to measure panelgate and others on: prometheus.yml, compose file,
// provisioning, and dashboards as teams keep them, exported by Grafana, in folders, with chained variables, copied from each other and
// edited. They ask what the fakes of Triton, dcgm-exporter, node_exporter and vLLM print, and every panel of them has data: a gate that
// fails says why, and what that takes is another measurement.
package boards

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Options say how large a stack is.
type Options struct {
	Dashboards int // at least 1
	Targets    int // of all dashboards; at least one each
	// Distinct is the share of the targets, 0..1, whose query occurs once in the whole stack. The others are in dashboards that were
	// copied from one of a few, and occur in each copy. It holds as near as each dashboard's own whole number of targets allows, and
	// below 1 takes at least two dashboards.
	Distinct float64
	Seed     uint64 // the same seed, the same bytes
}

//go:embed files
var files embed.FS

// names are where the files of a stack lie in it.
func names() map[string]string {
	return map[string]string{
		"files/docker-compose.yml": "docker-compose.yml",
		"files/prometheus.yml":     "prometheus/prometheus.yml",
		"files/datasources.yaml":   "grafana/provisioning/datasources/prometheus.yaml",
		"files/dashboards.yaml":    "grafana/provisioning/dashboards/dashboards.yaml",
		"files/panelgate.yml":      "panelgate.yml",
	}
}

// Folder is the directory of a stack below which its dashboards lie, a folder a team.
const Folder = "grafana/provisioning/dashboards/boards"

// Write writes a stack into a directory, which is made where it is not there. What it holds already is overwritten, not removed.
func Write(dir string, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := WriteFrame(dir); err != nil {
		return err
	}
	g := &generator{Options: o, draw: draw{rand.New(rand.NewPCG(o.Seed, 8))}, asked: map[string]bool{}}
	if err := g.originals(); err != nil {
		return err
	}
	for i := range o.Dashboards {
		d, err := g.dashboard(i)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, Folder, fmt.Sprintf("team-%02d", i/teamSize+1), d.UID+".json"), d); err != nil {
			return err
		}
	}
	return nil
}

// WriteFrame writes all of a stack but its dashboards.
func WriteFrame(dir string) error {
	for from, to := range names() {
		text, err := files.ReadFile(from)
		if err != nil {
			return fmt.Errorf("read what is built in: %w", err)
		}
		if err := place(filepath.Join(dir, filepath.FromSlash(to)), text); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) check() error {
	switch {
	case o.Dashboards < 1:
		return errors.New("a stack has at least one dashboard")
	case o.Targets < o.Dashboards:
		return fmt.Errorf("%d targets are not enough for %d dashboards", o.Targets, o.Dashboards)
	case !(o.Distinct >= 0 && o.Distinct <= 1):
		return fmt.Errorf("the share of distinct queries is between 0 and 1, and %g is not", o.Distinct)
	case o.Distinct < 1 && o.Dashboards < 2:
		return errors.New("a query that occurs more than once takes two dashboards")
	}
	return nil
}

const (
	teamSize = 40
	// copied is how many dashboards there are of which the others are copies, in a stack that is large enough.
	copied = 20
)

type generator struct {
	Options
	draw  draw
	asked map[string]bool // every query that is in the stack

	from []original
}

// original is a dashboard that teams have copied.
type original struct {
	area  int
	since string
	asks  []asks
}

// asks is one panel before it is drawn up: the questions that it asks about a subject.
type asks struct {
	about     subject
	kind      string
	questions []question
}

// of is how many targets a dashboard has, and how many of them are its own.
func (o Options) of(dashboard int) (all, own int) {
	all = o.Targets / o.Dashboards
	if dashboard < o.Targets%o.Dashboards {
		all++
	}
	return all, int(math.Round(float64(all) * o.Distinct))
}

func (g *generator) originals() error {
	n := max(1, min(copied, g.Dashboards/2))
	for i := range n {
		o := original{area: i % len(areas()), since: []string{"now-6h", "now-1h", "now-6h", "now-24h", "now-1h"}[i%5]}
		all, own := g.of(i) // the first of the copies is the largest
		var err error
		if o.asks, err = g.ask(o.area, all-own); err != nil {
			return err
		}
		g.from = append(g.from, o)
	}
	return nil
}

// ask draws panels of n questions that nobody has asked yet, most of them about one area.
func (g *generator) ask(about, n int) ([]asks, error) {
	var drawn []asks
	for failed := 0; n > 0; {
		a := areas()[about]
		if g.draw.IntN(10) < 3 {
			a = one(g.draw, areas()...)
		}
		s := one(g.draw, a.subjects...)
		p := asks{about: s, kind: one(g.draw, s.kinds...)}
		want := 1
		if p.kind == graph {
			want = min(n, one(g.draw, 1, 1, 1, 2, 2, 3))
		}
		for range want {
			if q, ok := g.fresh(s); ok {
				p.questions = append(p.questions, q)
			}
		}
		if len(p.questions) == 0 {
			// The smaller subjects are exhausted first. When nothing new comes up for long, all of them are.
			if failed++; failed > 1000 {
				return nil, fmt.Errorf("there are not so many distinct queries: these were all of %d", len(g.asked))
			}
			continue
		}
		failed = 0
		n -= len(p.questions)
		drawn = append(drawn, p)
	}
	return drawn, nil
}

// fresh draws a question that is not in the stack yet; false where none came up.
func (g *generator) fresh(s subject) (question, bool) {
	const tries = 20
	for range tries {
		if q := s.draw(g.draw); !g.asked[q.expr] {
			g.asked[q.expr] = true
			return q, true
		}
	}
	return question{}, false
}

// dashboard is the one of that number: a copy of an original's panels, followed by its own.
func (g *generator) dashboard(i int) (board, error) {
	from := g.from[i%len(g.from)]
	all, own := g.of(i)
	mine, err := g.ask(from.area, own)
	if err != nil {
		return board{}, err
	}
	panels := drawUp(append(first(from.asks, all-own), mine...))
	area := areas()[from.area].name
	return board{
		Annotations: annotations{[]annotation{{
			BuiltIn: 1, Datasource: ref{"grafana", "-- Grafana --"}, Enable: true, Hide: true, IconColor: "rgba(0, 211, 255, 1)",
			Name: "Annotations & Alerts", Type: "dashboard",
		}}},
		Description: fmt.Sprintf("%s as team %d sees it.", area, i/teamSize+1), Editable: true, GraphTooltip: 1, Links: []string{},
		Panels: lay(panels), Refresh: "30s", SchemaVersion: 42, Tags: []string{"team", area}, Templating: templating{variables(panels)},
		Time: timeRange{from.since, "now"}, Timezone: "browser", Title: fmt.Sprintf("%s %d", area, i+1), UID: fmt.Sprintf("board-%05d", i+1), Version: 1,
	}, nil
}

// first is the first n questions of panels; the last panel may lose some.
func first(panels []asks, n int) []asks {
	var some []asks
	for _, p := range panels {
		if n == 0 {
			break
		}
		p.questions = p.questions[:min(n, len(p.questions))]
		n -= len(p.questions)
		some = append(some, p)
	}
	return some
}

// drawUp makes panels of what they ask, and tells those apart that are about the same subject.
func drawUp(all []asks) []panel {
	var panels []panel
	seen := map[string]int{}
	for _, a := range all {
		seen[a.about.title]++
		title := a.about.title
		if n := seen[title]; n > 1 {
			title = fmt.Sprintf("%s %d", title, n)
		}
		panels = append(panels, show(a.kind, a.about, title, a.questions))
	}
	return panels
}

// write writes a dashboard as Grafana exports it.
func write(name string, b board) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return place(name, text.Bytes())
}

// place writes a file, and the directories that lead to it.
func place(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("write the stack: %w", err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		return fmt.Errorf("write the stack: %w", err)
	}
	return nil
}
