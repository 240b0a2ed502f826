package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	certificate, key := certificate(t)
	route := []Route{{Exporter: "node", Instance: "box:9100"}}
	listen := func(addresses ...string) func(*Plan) {
		return func(p *Plan) {
			p.Listeners = nil
			for _, a := range addresses {
				p.Listeners = append(p.Listeners, Listener{Listen: a, Routes: route})
			}
		}
	}
	first := func(l Listener) func(*Plan) { return func(p *Plan) { p.Listeners[0] = l } }
	routes := func(r ...Route) func(*Plan) { return first(Listener{Listen: ":80", Routes: r}) }
	for _, tc := range []struct {
		name   string
		change func(*Plan)
		want   string // "" for a plan that is valid
	}{
		{"as it is", func(*Plan) {}, ""},
		{"no version", func(p *Plan) { p.Version = 0 }, "version is 0; this is version 1 of the format"},
		{"no start", func(p *Plan) { p.Start = time.Time{} }, "start is missing"},
		{"start long ago", func(p *Plan) { p.Start = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) }, "start is in the year 1969"},
		{"no scenario", func(p *Plan) { p.Scenario = "" }, "scenario is missing"},
		{"bad scenario", func(p *Plan) { p.Scenario = "version: 1\nmodles: []" }, `scenario: quiet:2:1: unknown key "modles"`},
		{"bad scenario without a name", func(p *Plan) { p.Scenario, p.ScenarioName = "version: 2", "" }, "scenario: scenario:1:10: version"},
		{"scenario in Latin-1", func(p *Plan) { p.Scenario = "version: 1 # \xe9" }, "scenario: the text is not UTF-8"},
		{"addresses", func(p *Plan) { p.Addresses = []string{"10.0.0.7", "::1", "fd00::1", "10.0.0.7"} }, ""},
		{"address with a port", func(p *Plan) { p.Addresses = []string{"10.0.0.7", "10.0.0.7:80"} }, `addresses[1]: "10.0.0.7:80" is no IP address`},
		{"every address", func(p *Plan) { p.Addresses = []string{"0.0.0.0"} }, "addresses[0]: 0.0.0.0 is no address that one machine can have"},
		{"address with a zone", func(p *Plan) { p.Addresses = []string{"fe80::1%eth0"} }, "fe80::1%eth0 is no address that one"},
		{"no listeners", listen(), "there are no listeners"},
		{"same port elsewhere", listen("10.0.0.7:80", "10.0.0.8:80", "[::1]:80", "localhost:80"), ""},
		{"other ports", listen(":80", ":81", "10.0.0.7:82"), ""},
		{"free ports", listen("127.0.0.1:0", "127.0.0.1:0", ":0"), ""},
		{"same address", listen("Box:80", "box:80"), "listeners[1]: box:80 and Box:80 of listeners[0] take the same port"},
		{"same address spelled otherwise", listen("[::1]:80", "[0:0::1]:80"), "take the same port"},
		{"every address and one", listen("10.0.0.7:80", ":81", "0.0.0.0:80"), "listeners[2]: 0.0.0.0:80 and 10.0.0.7:80 of listeners[0] take the same port"},
		{"no port", listen("box"), `listeners[0]: listen: "box" is not of the form host:port`},
		{"named port", listen(":http"), `listen: ":http": "http" is no port number`},
		{"port too high", listen(":65536"), "is no port number"},
		{"nothing to do", first(Listener{Listen: ":80"}), "listeners[0]: it has neither forward nor routes"},
		{"both to do", first(Listener{Listen: ":80", Routes: route, Forward: "a:1"}), "it has both forward and routes"},
		{"forward", first(Listener{Listen: ":80", Forward: "triton:8002"}), ""},
		{"forward to no port", first(Listener{Listen: ":80", Forward: "triton"}), `forward: "triton" is not of the form host:port`},
		{"forward to any port", first(Listener{Listen: ":80", Forward: "triton:0"}), `forward: "triton:0" names no host and port`},
		{"forward to nowhere", first(Listener{Listen: ":80", Forward: ":8002"}), `forward: ":8002" names no host and port`},
		{"TLS", first(Listener{Listen: ":443", Routes: route, Certificate: certificate, Key: key}), ""},
		{"certificate alone", first(Listener{Listen: ":80", Routes: route, Certificate: certificate}), "certificate and key go together"},
		{"key alone", first(Listener{Listen: ":80", Routes: route, Key: key}), "certificate and key go together"},
		{"certificate for forward", first(Listener{Listen: ":80", Forward: "a:1", Certificate: certificate, Key: key}), "it takes no certificate"},
		{"no certificate", first(Listener{Listen: ":80", Routes: route, Certificate: "x", Key: "y"}), "certificate and key: tls: failed to find any PEM data"},
		{"unknown exporter", routes(Route{Exporter: "tritn", Instance: "a"}), `listeners[0]: routes[0]: no exporter "tritn"; there are triton, dcgm, node, vllm`},
		{"no instance", routes(Route{Exporter: "node"}), "routes[0]: instance is missing"},
		{"URL for a host", routes(Route{Host: "http://a", Exporter: "node", Instance: "a"}), `"http://a" is nothing that a Host header says`},
		{"host twice", routes(Route{Host: "a", Exporter: "node", Instance: "a"}, Route{Host: "A:80", Exporter: "dcgm", Instance: "b"}), `routes[1]: host "A:80" stands for the same as that of routes[0]`},
		{"any host twice", routes(Route{Exporter: "node", Instance: "a"}, Route{Exporter: "dcgm", Instance: "b"}), `routes[1]: host "" stands for the same`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := small()
			tc.change(p)
			err := p.Validate()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			_, err = p.JSON()
			require.ErrorContains(t, err, tc.want, "it must not be written")
			_, err = Open(t.Context(), p, nil)
			assert.ErrorContains(t, err, tc.want, "it must not be served")
		})
	}
}
