package query

import (
	"fmt"
	"strings"

	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/dashboard"
)

// What a reference can lead to besides a provisioned datasource.
const (
	SpecialMixed     = "mixed"     // each target names its own
	SpecialGrafana   = "grafana"   // built-in test data and annotations
	SpecialDashboard = "dashboard" // the result of another panel
	SpecialExpr      = "expr"      // server-side expressions
)

// DatasourceError says that a reference leads to no provisioned datasource.
type DatasourceError struct {
	Key      string // as written, "" for the default datasource
	Resolved string // Key with its variables replaced
}

// Error implements error.
func (e *DatasourceError) Error() string {
	switch {
	case e.Key == "":
		return "there is no default datasource"
	case e.Key != e.Resolved:
		return fmt.Sprintf("no datasource has the uid or name %q, which %q stands for", e.Resolved, e.Key)
	default:
		return fmt.Sprintf("no datasource has the uid or name %q", e.Key)
	}
}

// ResolveDatasource finds what a reference leads to: a provisioned datasource, by
// uid and then by name, the default one for a nil or null reference, or one of the
// Special ones, for which ds is nil. The error is a *DatasourceError, or a
// *RecursionError from a variable.
func ResolveDatasource(ref *dashboard.Ref, s *Scope, sources []*stack.Datasource) (ds *stack.Datasource, special string, err error) {
	written := ref.Key().Value
	key, err := s.single(written)
	if err != nil {
		return nil, "", fmt.Errorf("datasource %q: %w", written, err)
	}
	switch key {
	case "", "default":
		return defaultSource(written, sources)
	case "-- Mixed --":
		return nil, SpecialMixed, nil
	case "-- Grafana --", "grafana":
		return nil, SpecialGrafana, nil
	case "-- Dashboard --":
		return nil, SpecialDashboard, nil
	case "__expr__", "-100":
		return nil, SpecialExpr, nil
	}
	if ds := findSource(key, sources); ds != nil {
		return ds, "", nil
	}
	return nil, "", &DatasourceError{Key: written, Resolved: key}
}

// TargetDatasource finds whom the target asks: its own reference, else its
// panel's, else the default datasource.
func TargetDatasource(p *dashboard.Panel, t *dashboard.Target, s *Scope, sources []*stack.Datasource) (ds *stack.Datasource, special string, err error) {
	ref := t.Datasource
	if ref.Key().Value == "" && p.Datasource.Key().Value != "-- Mixed --" {
		ref = p.Datasource
	}
	return ResolveDatasource(ref, s, sources)
}

// IsPrometheus says whether the datasource's plugin speaks to a Prometheus.
func IsPrometheus(ds *stack.Datasource) bool {
	switch ds.Type.Value {
	case "prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource":
		return true
	}
	return false
}

func defaultSource(written string, sources []*stack.Datasource) (*stack.Datasource, string, error) {
	for _, ds := range sources {
		if ds.IsDefault {
			return ds, "", nil
		}
	}
	if written != "" && findSource(written, sources) != nil {
		return findSource(written, sources), "", nil
	}
	return nil, "", &DatasourceError{Key: written, Resolved: written}
}

func findSource(key string, sources []*stack.Datasource) *stack.Datasource {
	for _, ds := range sources {
		if ds.EffectiveUID == key {
			return ds
		}
	}
	for _, ds := range sources {
		if ds.Name.Value == key {
			return ds
		}
	}
	return nil
}

// single interpolates a text that has to come to one value: of a multi-value
// variable the first counts.
func (s *Scope) single(text string) (string, error) {
	if !strings.ContainsAny(text, "$[") {
		return text, nil
	}
	if refs := References(text); len(refs) == 1 && refs[0].End-refs[0].Start == len(text) {
		if v, ok := s.Lookup(refs[0].Name); ok && (!v.All || v.AllValue == "") {
			return v.operand("").first(), nil
		}
	}
	return s.Interpolate(text, Plain)
}
