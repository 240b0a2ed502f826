package embedded

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/stretchr/testify/assert"
)

func TestClonesAreOtherMachines(t *testing.T) {
	for name, tc := range map[string]struct {
		cloner cloner
		target model.LabelSet
		want   []model.LabelSet // the clones
	}{
		"a host": {cloner{instances: 3}, model.LabelSet{"__address__": "gpu1:8002"},
			[]model.LabelSet{{"__address__": "clone2.gpu1:8002"}, {"__address__": "clone3.gpu1:8002"}}},
		"labels that name it": {cloner{instances: 2}, model.LabelSet{"__address__": "gpu1:8002", "host": "gpu1", "url": "http://gpu1/", "dc": "a"},
			[]model.LabelSet{{"__address__": "clone2.gpu1:8002", "host": "clone2.gpu1", "url": "http://clone2.gpu1/", "dc": "a"}}},
		"an instance of its own name": {cloner{instances: 2}, model.LabelSet{"__address__": "gpu1:8002", "instance": "left"},
			[]model.LabelSet{{"__address__": "clone2.gpu1:8002", "instance": "left-2"}}},
		"an address without a port": {cloner{instances: 2}, model.LabelSet{"__address__": "gpu1"}, []model.LabelSet{{"__address__": "clone2.gpu1"}}},
		"an IPv6 address":           {cloner{instances: 2}, model.LabelSet{"__address__": "[fd00::7]:8002"}, []model.LabelSet{{"__address__": "clone2.fd00--7:8002"}}},
		"one instance":              {cloner{instances: 1}, model.LabelSet{"__address__": "gpu1:8002"}, nil},
		"this Prometheus":           {cloner{instances: 2, self: []string{"localhost:9090"}}, model.LabelSet{"__address__": "localhost:9090"}, nil},
		"scraped for real": {cloner{instances: 2, mappings: []Mapping{{Match: map[string]string{"job": "j"}, Live: true}}},
			model.LabelSet{"__address__": "gpu1:8002"}, nil},
		"another job is scraped for real": {cloner{instances: 2, mappings: []Mapping{{Match: map[string]string{"job": "k"}, Live: true}}},
			model.LabelSet{"__address__": "gpu1:8002"}, []model.LabelSet{{"__address__": "clone2.gpu1:8002"}}},
	} {
		t.Run(name, func(t *testing.T) {
			group := &targetgroup.Group{Source: "x", Targets: []model.LabelSet{tc.target}}
			out := tc.cloner.groups("j", []*targetgroup.Group{group, nil})
			assert.Equal(t, append([]model.LabelSet{tc.target}, tc.want...), out[0].Targets)
			assert.Nil(t, out[1])
			assert.Len(t, group.Targets, 1, "what discovery holds stays as it was")
		})
	}
}

func TestOriginal(t *testing.T) {
	for address, want := range map[string]string{"clone12.gpu1:8002": "gpu1:8002", "gpu1:8002": "gpu1:8002", "cloned.gpu1:1": "cloned.gpu1:1"} {
		assert.Equal(t, want, original(address))
	}
}
