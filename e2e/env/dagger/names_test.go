package dagger

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/e2e/env/containers"
)

func named(name, ip string, networks map[string][]string) *container {
	return &container{spec: containers.Spec{Name: name, Networks: networks}, ip: ip}
}

func TestHosts(t *testing.T) {
	prometheus := named("prometheus", "10.0.0.1", map[string][]string{"back": {"prometheus", "metrics"}})
	prometheus.spec.ExtraHosts = []string{"box:192.0.2.7", "six:fd00::7", "gateway:host-gateway"}
	grafana := named("grafana", "10.0.0.2", map[string][]string{"back": {"grafana"}, "front": {"grafana"}})
	fakes := named("fakes", "10.0.0.3", map[string][]string{"back": {"triton", "grafana"}, "front": {"host.docker.internal"}})
	lonely := named("lonely", "10.0.0.4", map[string][]string{"other": {"lonely"}})
	gone := named("gone", "10.0.0.5", map[string][]string{"back": {"gone"}})
	gone.gone = true
	known := []*container{prometheus, grafana, fakes, lonely, gone}

	assert.Equal(t, "192.0.2.7\tbox\n10.0.0.2\tgrafana\n10.0.0.1\tmetrics\n10.0.0.1\tprometheus\nfd00::7\tsix\n10.0.0.3\ttriton\n", prometheus.hosts(known),
		"the first to have a name keeps it; the host's gateway has no address here")
	assert.Equal(t, "10.0.0.2\tgrafana\n10.0.0.3\thost.docker.internal\n10.0.0.1\tmetrics\n10.0.0.1\tprometheus\n10.0.0.3\ttriton\n", grafana.hosts(known))
	assert.Equal(t, "10.0.0.4\tlonely\n", lonely.hosts(known), "on another network")
}

// Who shares a network knows others as that network does, and is known by its names.
func TestHostsOfWhoShareANetwork(t *testing.T) {
	fakes := named("fakes", "10.0.0.1", map[string][]string{"default": {"triton"}})
	prometheus := named("prometheus", "10.0.0.2", nil)
	prometheus.via = fakes
	other := named("other", "10.0.0.3", map[string][]string{"default": {"other"}})
	known := []*container{fakes, prometheus, other}
	want := "10.0.0.3\tother\n10.0.0.1\ttriton\n"
	assert.Equal(t, want, prometheus.hosts(known))
	assert.Equal(t, want, fakes.hosts(known))
	assert.Equal(t, want, other.hosts(known))
}
