// Package likeness finds out from a scrape how the exporter was set up that printed it, and what machine it ran on, as far as the page
// tells: flags, environment and files, GPUs and their parts, models in the order in which they were loaded. A fake that is set up in
// the same way has to print the same page but for its values, which is what verify-fake looks at.
package likeness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/compare"
	"github.com/panelgate/panelgate/fakes/exposition"
	"github.com/panelgate/panelgate/fakes/standard"
)

// Scrape is a scrape of the real exporter, and the Accept header that it was asked with.
type Scrape struct {
	compare.Scrape
	Accept string
}

// Given is what is known of the exporter beside its scrape. What it says is not derived.
type Given struct {
	Version  string
	Args     []string // none: derived
	Env      map[string]string
	Files    map[string]string
	Hostname string
	Scenario *fakes.Scenario // nil: derived
	Partial  bool            // else it is found out
}

// Likeness is a setup under which a fake may print what was scraped.
type Likeness struct {
	Setup    fakes.Setup
	Scenario []byte
	// Told says in words what was taken: flags, and what the machine has.
	Told []string
	// rank orders setups that print the same: what is simpler comes first.
	rank int
}

// Comparison is a scrape held against the fake that is nearest to it.
type Comparison struct {
	*compare.Result
	Likeness
	Version  string
	AlsoLike []string // versions that differ as little, newest first
	Partial  bool
	Derived  bool // the machine was, so that series were compared
}

// page is what derivations read.
type page struct {
	families []*exposition.Family
	byName   map[string]*exposition.Family
	version  string
	partial  bool
	orders   map[string][]int // of loading, that take long to find out
}

func (p *page) has(family string) bool { f := p.byName[family]; return f != nil && len(f.Samples) > 0 }

// any says whether a family has series whose name begins so.
func (p *page) any(prefix string) bool {
	return slices.ContainsFunc(p.families, func(f *exposition.Family) bool { return strings.HasPrefix(f.Name, prefix) && len(f.Samples) > 0 })
}

// Nearest compares a scrape with the fake of each version, set up as the scrape tells, and keeps the one that differs least; of
// several the simplest setup of the newest version.
func Nearest(ctx context.Context, c *catalogue.Catalogue, exporter string, real Scrape, given Given) (*Comparison, error) {
	lines, err := exposition.Parse(real.Body)
	if err != nil {
		return nil, fmt.Errorf("the real scrape: %w", err)
	}
	p := page{families: exposition.Families(lines), byName: map[string]*exposition.Family{}, orders: map[string][]int{}}
	for _, f := range p.families {
		p.byName[f.Name] = f
	}
	p.partial = given.Partial || isPartial(exporter, &p)
	versions := standard.Versions(exporter)
	if given.Version != "" || len(versions) == 0 {
		versions = []string{given.Version}
	}
	options := compare.Options{Machine: given.Scenario == nil && exporter != "node", Partial: p.partial}
	var best *Comparison
	var refused error // by the newest release that does not start as it is set up
	for _, version := range slices.Backward(versions) {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("hold it against %s: %w", version, context.Cause(ctx))
		}
		p.version = version
		one, err := nearestOf(c, exporter, &p, real, given, options)
		if errors.As(err, new(*SetupError)) {
			refused = cmp.Or(refused, err)
			continue // it cannot be the one that was scraped
		}
		if err != nil {
			return nil, err
		}
		order := -1
		if best != nil {
			order = one.compare(best)
		}
		switch order {
		case -1:
			best = one
		case 0:
			best.AlsoLike = append(best.AlsoLike, version)
		}
	}
	if best == nil {
		return nil, refused
	}
	return best, nil
}

// compare says which of two differs less, or is simpler.
func (c *Comparison) compare(o *Comparison) int {
	asides := func(c *Comparison) int {
		if c.Partial { // that more is missing says nothing
			return 0
		}
		return len(c.Asides)
	}
	return cmp.Or(cmp.Compare(len(c.Differences), len(o.Differences)), cmp.Compare(c.LabelNames, o.LabelNames), cmp.Compare(asides(c), asides(o)),
		cmp.Compare(c.rank, o.rank))
}

// nearestOf is the comparison with the setup of one version that differs least.
func nearestOf(c *catalogue.Catalogue, exporter string, p *page, real Scrape, given Given, options compare.Options) (*Comparison, error) {
	var best *Comparison
	var failed error
	for _, l := range candidates(exporter, p) {
		l = l.with(given, p.version)
		acted, why, err := l.acted(given)
		if err != nil {
			return nil, err
		}
		options := options
		if why != nil {
			options.Machine = false
			l.Told = []string{fmt.Sprintf("scenario %s, as the machine cannot be acted out: %v", acted.Name(), why)}
		}
		fake, err := l.print(exporter, real.Accept, acted)
		if err != nil {
			failed = err
			continue
		}
		result, err := options.Compare(c, exporter, real.Scrape, fake)
		if err != nil {
			return nil, err
		}
		one := &Comparison{Result: result, Likeness: l, Version: p.version, Partial: options.Partial, Derived: options.Machine}
		if best == nil || one.compare(best) < 0 {
			best = one
		}
		if len(best.Differences) == 0 {
			break // the simplest stand first
		}
	}
	if best == nil {
		return nil, &SetupError{failed}
	}
	return best, nil
}

// SetupError says that the real exporter would not start as it is set up.
type SetupError struct{ err error }

func (e *SetupError) Error() string { return e.err.Error() }

func (e *SetupError) Unwrap() error { return e.err }

// candidates are the setups that a page of one release may have come from, the likeliest first.
func candidates(exporter string, p *page) []Likeness {
	switch exporter {
	case "triton":
		return triton(p)
	case "dcgm":
		return dcgmExporter(p)
	case "node":
		return nodeExporter(p)
	case "vllm":
		return vllm(p)
	}
	return []Likeness{{Scenario: scenario{}.text()}}
}

// isPartial says whether a page can only be a part of one: nothing is there that the exporter always prints.
func isPartial(exporter string, p *page) bool {
	switch exporter {
	case "triton":
		return p.byName["nv_inference_request_success"] == nil && p.byName["nv_inference_count"] == nil
	case "node":
		return p.byName["node_scrape_collector_success"] == nil && p.byName["node_exporter_build_info"] == nil
	case "vllm":
		return !p.any("vllm:") || !p.any("vllm:num_requests_running")
	}
	return false // what dcgm-exporter prints is up to its counters file
}

// with is a setup with what is given.
func (l Likeness) with(g Given, version string) Likeness {
	l.Setup.Version = version
	if g.Args != nil {
		l.Setup.Args = g.Args
	}
	if len(g.Env)+len(g.Files) > 0 {
		l.Setup.Env, l.Setup.Files = maps.Clone(l.Setup.Env), maps.Clone(l.Setup.Files)
		if l.Setup.Env == nil {
			l.Setup.Env = map[string]string{}
		}
		if l.Setup.Files == nil {
			l.Setup.Files = map[string]string{}
		}
		maps.Copy(l.Setup.Env, g.Env)
		maps.Copy(l.Setup.Files, g.Files)
	}
	if g.Hostname != "" {
		l.Setup.Hostname = g.Hostname
	}
	return l
}

// acted is the scenario that the fake acts out: the one told, else the machine of the page. Where that has something that no scenario
// takes, as a thousand models, it is a built-in one, and why says so.
func (l Likeness) acted(given Given) (acted *fakes.Scenario, why, err error) {
	if given.Scenario != nil {
		return given.Scenario, nil, nil
	}
	if acted, why = fakes.ParseScenario("scraped", l.Scenario); why == nil {
		return acted, nil, nil
	}
	acted, err = fakes.BuiltinScenario(fakes.DefaultScenario)
	return acted, why, err
}

// print is what the fake answers when it has run for an hour, asked as the real one was.
func (l Likeness) print(exporter, accept string, acted *fakes.Scenario) (compare.Scrape, error) {
	w := fakes.NewWorld(acted, time.Unix(1_800_000_000, 0))
	port, _ := standard.Port(exporter)
	e, err := standard.ByName(exporter, fmt.Sprintf("verified:%d", port), w, l.Setup)
	if err != nil {
		return compare.Scrape{}, err
	}
	request, err := http.NewRequest(http.MethodGet, "/metrics", nil) //nolint:noctx // it is answered in this process
	if err != nil {
		return compare.Scrape{}, err
	}
	request.Header.Set("Accept", accept)
	var answer answered
	e.Handler(func() time.Time { return w.Start().Add(time.Hour) }).ServeHTTP(&answer, request)
	return compare.Scrape{Body: answer.body, ContentType: answer.Header().Get("Content-Type")}, nil
}

// answered takes what a handler answers.
type answered struct {
	header http.Header
	body   []byte
}

func (a *answered) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *answered) WriteHeader(int) {}

func (a *answered) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

// values are the values that a label has on a page, in the order in which they first stand there.
func (p *page) values(label string, of func(family string) bool) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range p.families {
		if of != nil && !of(f.Name) {
			continue
		}
		for _, s := range f.Samples {
			if v := s.Label(label); v != "" && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// plural is a number and a word.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
