package e2e

import (
	"testing"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/assert"

	"github.com/panelgate/panelgate/fakes/catalogue"
)

func TestTypesOf(t *testing.T) {
	counter, gauge := promv1.Metadata{Type: promv1.MetricTypeCounter}, promv1.Metadata{Type: promv1.MetricTypeGauge}
	assert.Equal(t, map[string]catalogue.Type{"one": catalogue.Counter, "two": catalogue.Gauge},
		typesOf(map[string][]promv1.Metadata{"one": {counter, counter}, "two": {gauge}, "both": {gauge, gauge, counter}, "none": nil}))
}
