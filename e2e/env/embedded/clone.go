package embedded

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
)

// cloner adds to every target of a discovery others like it on further machines, so
// that what breaks beside a second server is found before there is one.
type cloner struct {
	instances int // of each target, itself among them
	self      []string
	mappings  []Mapping
}

// clonePrefix is what the name of a further machine begins with.
var clonePrefix = regexp.MustCompile(`^clone\d+\.`)

// original is the address that a clone's was made of, the address itself for others.
func original(address string) string { return clonePrefix.ReplaceAllString(address, "") }

// groups adds the clones of a job's targets.
func (c cloner) groups(job string, groups []*targetgroup.Group) []*targetgroup.Group {
	if c.instances < 2 {
		return groups
	}
	out := make([]*targetgroup.Group, len(groups))
	for i, g := range groups {
		if g == nil {
			continue
		}
		more := *g
		more.Targets = slices.Clone(g.Targets)
		for _, t := range g.Targets {
			if c.single(job, string(t[model.AddressLabel])) {
				continue
			}
			for n := 2; n <= c.instances; n++ {
				more.Targets = append(more.Targets, cloned(t, n))
			}
		}
		out[i] = &more
	}
	return out
}

// single says whether a target cannot be cloned: this Prometheus itself, and what is
// scraped for real.
func (c cloner) single(job, address string) bool {
	return address == "" || slices.Contains(c.self, address) || slices.ContainsFunc(c.mappings, func(m Mapping) bool {
		by := map[string]string{"job": job, "address": address, "instance": address}
		for k, want := range m.Match {
			if by[k] != want {
				return false
			}
		}
		return m.Live
	})
}

// cloned is a target on the n-th machine: its address has another host, and so has
// every label that names the host.
func cloned(t model.LabelSet, n int) model.LabelSet {
	address := string(t[model.AddressLabel])
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, ""
	}
	name := fmt.Sprintf("clone%d.%s", n, strings.ReplaceAll(host, ":", "-"))
	out := model.LabelSet{}
	for l, v := range t {
		out[l] = model.LabelValue(strings.ReplaceAll(string(v), host, name))
	}
	out[model.AddressLabel] = model.LabelValue(name)
	if port != "" {
		out[model.AddressLabel] = model.LabelValue(net.JoinHostPort(name, port))
	}
	if v, named := t[model.InstanceLabel]; named && out[model.InstanceLabel] == v { // a name of its own, that is no host's
		out[model.InstanceLabel] = model.LabelValue(fmt.Sprintf("%s-%d", v, n))
	}
	return out
}
