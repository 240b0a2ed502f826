// Package plan tells the fakes binary, which runs in a container, what to stand in for: every exporter that a Prometheus scrapes,
// each where Prometheus looks for it. The gate writes the plan, the binary reads and serves it.
package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// Version is the version of the format that this package reads and writes.
const Version = 1

// MaxBytes is far above any plan: a scenario and some ten thousand targets.
const MaxBytes = 16 << 20

// Plan is who answers where. It is plain data: Validate says whether it makes sense.
type Plan struct {
	// Version is the format's; it stands first so that a reader of another version says so before anything else.
	Version int `json:"version"`
	// Start is when the world was set going, as fakes.NewWorld takes it: two who serve the same scenario from the same start agree.
	Start time.Time `json:"start"`
	// ScenarioName is what the scenario is called in messages.
	ScenarioName string `json:"scenario_name,omitempty"`
	// Scenario is the scenario's YAML.
	Scenario string `json:"scenario"`
	// Addresses are IP addresses that the loopback interface is given before anything listens, for targets named by IP. That works
	// on Linux and needs CAP_NET_ADMIN, except for addresses that are loopback's own.
	Addresses []string `json:"addresses,omitempty"`
	// Listeners are what is listened on.
	Listeners []Listener `json:"listeners"`
}

// Listener is one TCP port and who answers there.
type Listener struct {
	// Listen is "host:port", or ":port" for every address. Port 0 is a free one.
	Listen string `json:"listen"`
	// Routes are who answers, told apart by the Host header that a scraper sends.
	Routes []Route `json:"routes,omitempty"`
	// Forward is instead of Routes: the host:port that connections are passed on to, as the host of a compose stack passes a
	// published port on to a container. It is dialled for each connection, so it may come up later.
	Forward string `json:"forward,omitempty"`
	// Certificate and Key are PEM; with them the listener speaks TLS.
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
}

// Route is one exporter of a listener.
type Route struct {
	// Host is as in the Host header, "triton:8002"; without a port it is the scheme's own. "" takes what no other route does.
	Host string `json:"host,omitempty"`
	// Exporter is the kind: a name that package standard knows.
	Exporter string `json:"exporter"`
	// Instance is the address scraped, "host:port": the identity of the exporter's machine.
	Instance string `json:"instance"`
	// Setup is how it is built and started.
	Setup fakes.Setup `json:"setup,omitzero"`
}

// JSON is the plan as Read takes it. A plan that is not valid is not written.
func (p *Plan) JSON() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	written := *p
	written.Start = p.Start.UTC()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(written); err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	if out.Len() > MaxBytes {
		return nil, fmt.Errorf("write the plan: it has %d bytes, more than the %d it may have", out.Len(), MaxBytes)
	}
	return out.Bytes(), nil
}

// world is the plan's scenario set going at the plan's start, as those act it out who answer.
func (p *Plan) world() (*fakes.World, error) {
	name := p.ScenarioName
	if name == "" {
		name = "scenario"
	}
	if p.Scenario == "" {
		return nil, errors.New("scenario is missing")
	}
	scenario, err := fakes.ParseScenario(name, []byte(p.Scenario))
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return standard.Together(fakes.NewWorld(scenario, p.Start), p.exporters), nil
}

// exporters are those of all routes.
func (p *Plan) exporters(yield func(name string, setup fakes.Setup) bool) {
	for _, l := range p.Listeners {
		for _, r := range l.Routes {
			if !yield(r.Exporter, r.Setup) {
				return
			}
		}
	}
}
