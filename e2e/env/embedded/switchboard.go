package embedded

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// What a target is answered by, beside the names of the fakes.
const (
	answeredLive = env.AnsweredLive
	answeredSelf = env.AnsweredSelf
)

// switchboard decides who answers at an address and connects the scrapes there.
// An address is answered by one thing, as in production: a mapping that matches
// one of its targets holds for all of them.
type switchboard struct {
	world       *fakes.World
	mappings    []Mapping
	exporters   []Exporter
	releases    map[string]string
	self        []string
	selfPrefix  string
	ownLoopback bool     // loopback addresses lead to Prometheus itself
	silent      []string // jobs whose targets nobody answers
	now         func() time.Time
	outages     atomic.Bool   // the world's outages are acted out
	ended       chan struct{} // closed once no scrape is to wait any more

	mu       sync.Mutex
	lines    map[string]*line // by host:port; a nil line means that nobody answers
	selfSide http.Handler
	closed   bool
	conns    map[net.Conn]struct{} // to live targets
	serving  sync.WaitGroup
}

// line is one address and who is at its other end.
type line struct {
	name    string
	fake    fakes.Exporter // nil where it is live or Prometheus itself
	setup   fakes.Setup    // of the fake
	handler http.Handler   // nil where it is live
	tls     bool           // scraped by https
	mapping int            // index of the mapping that decided, or noMapping

	server *memoryServer // started by the first call
}

const noMapping = -1

func newSwitchboard(opts Options) *switchboard {
	return &switchboard{
		world:       opts.World,
		mappings:    opts.Targets,
		exporters:   opts.Exporters,
		releases:    opts.Releases,
		self:        opts.SelfAddresses,
		selfPrefix:  opts.SelfPrefix,
		ownLoopback: opts.OwnLoopback,
		silent:      opts.Silent,
		now:         opts.Now,
		ended:       make(chan struct{}),
		lines:       map[string]*line{},
		conns:       map[net.Conn]struct{}{},
	}
}

// serveSelf says what answers at the addresses of this Prometheus itself.
func (b *switchboard) serveSelf(metrics http.Handler) {
	mux := http.NewServeMux()
	mux.Handle(b.selfPrefix+"/metrics", metrics)
	b.selfSide = mux
}

// assign decides about the addresses of all targets and tells them.
func (b *switchboard) assign(targets []*target) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range targets {
		if t.scrape == nil {
			continue
		}
		if err := b.assignOne(t); err != nil {
			return err
		}
	}
	for _, t := range targets { // an address is answered for all or for none
		if t.scrape != nil && slices.Contains(b.silent, t.job.JobName) {
			b.lines[t.address] = nil
		}
	}
	if err := b.agree(); err != nil {
		return err
	}
	for _, t := range targets {
		if t.scrape != nil {
			t.line = b.lines[t.address]
		}
	}
	return nil
}

// agree has all fakes act in one world, now that it is known who answers.
func (b *switchboard) agree() error {
	world := standard.Together(b.world, func(yield func(string, fakes.Setup) bool) {
		for _, l := range b.lines {
			if l != nil && l.fake != nil && !yield(l.name, l.setup) {
				return
			}
		}
	})
	if world == b.world {
		return nil
	}
	b.world = world
	for address, l := range b.lines {
		if l == nil || l.fake == nil {
			continue
		}
		fake, err := standard.ByName(l.name, address, world, l.setup)
		if err != nil {
			return fmt.Errorf("answer for the target at %s: %w", address, err)
		}
		l.fake, l.handler = fake, fake.Handler(b.now)
	}
	return nil
}

func (b *switchboard) assignOne(t *target) error {
	known := b.lines[t.address]
	i := slices.IndexFunc(b.mappings, func(m Mapping) bool { return m.matches(t) })
	if i < 0 {
		if known == nil {
			l, err := b.connect(t.address)
			if err != nil {
				return err
			}
			b.lines[t.address] = l
		}
	} else if known == nil || known.mapping != i && !b.sameAnswer(known, i) {
		if known != nil && known.mapping != noMapping {
			return fmt.Errorf("targets at %s are mapped to two answers: %s and %s", t.address,
				b.mappings[known.mapping].answer(), b.mappings[i].answer())
		}
		l, err := b.connectMapping(i, t.address)
		if err != nil {
			return err
		}
		l.tls = known != nil && known.tls
		b.lines[t.address] = l
	}
	if l := b.lines[t.address]; l != nil && t.scrape.URL().Scheme == "https" && !plainOnly(l.name) {
		l.tls = true
	}
	return nil
}

// sameAnswer says whether a line is scraped for real, as the i-th mapping wants it, too:
// several jobs may scrape one exporter, each at a path of its own.
func (b *switchboard) sameAnswer(known *line, i int) bool {
	return b.mappings[i].Live && known.mapping != noMapping && b.mappings[known.mapping].Live
}

// connectMapping makes the line that the i-th mapping asks for.
func (b *switchboard) connectMapping(i int, address string) (*line, error) {
	m := b.mappings[i]
	if m.Live {
		return &line{name: answeredLive, mapping: i}, nil
	}
	setup := m.Setup
	if own, known := b.exporter(address); known && own.Fake == m.Fake && reflect.ValueOf(setup).IsZero() {
		setup = own.Setup
	}
	l, err := b.fake(m.Fake, address, setup, i)
	if err != nil {
		return nil, fmt.Errorf("map the target at %s: %w", address, err)
	}
	return l, nil
}

// connect makes the line of an address that no mapping speaks of, nil where
// nobody answers.
func (b *switchboard) connect(address string) (*line, error) {
	if slices.Contains(b.self, address) {
		return &line{name: answeredSelf, handler: b.selfSide, mapping: noMapping}, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("target address %q: %w", address, err)
	}
	if b.ownLoopback && isLoopback(host) {
		return nil, nil
	}
	if own, known := b.exporter(address); known {
		if own.Fake == "" {
			return nil, nil
		}
		return b.answering(own.Fake, address, own.Setup)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, nil //nolint:nilerr // a named port is nobody's standard port
	}
	name, ok := standard.OfPort(number)
	if !ok {
		return nil, nil
	}
	return b.answering(name, address, fakes.Setup{})
}

// answering is the line of a fake that no mapping asks for.
func (b *switchboard) answering(name, address string, setup fakes.Setup) (*line, error) {
	l, err := b.fake(name, address, setup, noMapping)
	if err != nil {
		return nil, fmt.Errorf("answer for the target at %s: %w", address, err)
	}
	return l, nil
}

// fake makes the line of a fake, of the release that is to be acted out.
func (b *switchboard) fake(name, address string, setup fakes.Setup, mapping int) (*line, error) {
	if v, told := b.releases[name]; told {
		setup.Version = v
	}
	fake, err := standard.ByName(name, address, b.world, setup)
	if err != nil {
		return nil, err
	}
	return &line{name: name, fake: fake, setup: setup, handler: fake.Handler(b.now), mapping: mapping}, nil
}

// exporter is that of the stack's own files at an address.
func (b *switchboard) exporter(address string) (Exporter, bool) {
	for _, e := range b.exporters {
		if slices.Contains(e.Addresses, original(address)) {
			return e, true
		}
	}
	return Exporter{}, false
}

// plainOnly says whether an exporter cannot be told to speak TLS: Triton's metrics port
// never does.
func plainOnly(name string) bool { return name == "triton" }

// answer names what the mapping maps to.
func (m Mapping) answer() string {
	if m.Live {
		return answeredLive
	}
	return m.Fake
}

func (m Mapping) matches(t *target) bool {
	for k, want := range m.Match {
		if k == "address" {
			if want != original(t.address) && want != original(t.scrape.GetValue(model.AddressLabel)) {
				return false
			}
			continue
		}
		if original(t.labels.Get(k)) != want {
			return false
		}
	}
	return len(m.Match) > 0
}

// dialAddress is the host:port that scraping a URL dials.
func dialAddress(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// publicLabels are the labels that a target's series get.
func publicLabels(t *scrape.Target) labels.Labels {
	return t.Labels(labels.NewBuilder(labels.EmptyLabels()))
}

// isLoopback says whether a host names the machine, or container, that asks.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// unansweredError is what a scrape of an address that nobody answers for fails
// with.
type unansweredError struct{ address string }

// Error implements error.
func (e *unansweredError) Error() string {
	if host, _, err := net.SplitHostPort(e.address); err == nil && isLoopback(host) {
		return fmt.Sprintf("nobody answers at %s: that is Prometheus' own machine or container", e.address)
	}
	return fmt.Sprintf("nobody answers at %s in the embedded environment", e.address)
}

var errClosed = errors.New("the environment is closing")
