package attach

import (
	"net/url"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// asServed is the stack with the datasources that a running Grafana has: those of
// the files with its settings, and those that the files do not know. The compose
// file is left out, as it says nothing of servers that run elsewhere.
func asServed(s *stack.Stack, sources []grafana.Datasource) *stack.Stack {
	out := *s
	out.Compose = nil
	out.Datasources = nil
	taken := map[string]bool{}
	for _, ds := range s.Datasources {
		ds := *ds
		if i := slices.IndexFunc(sources, func(d grafana.Datasource) bool { return is(&ds, d) }); i >= 0 {
			d := sources[i]
			taken[d.UID] = true
			ds.EffectiveUID, ds.IsDefault = d.UID, d.IsDefault
			ds.Type.Value, ds.URL.Value, ds.TimeInterval.Value = d.Type, d.URL, d.JSONData.TimeInterval
			ds.HTTPMethod = d.JSONData.HTTPMethod
		} else {
			ds.IsDefault = false
		}
		out.Datasources = append(out.Datasources, &ds)
	}
	for _, d := range sources {
		if taken[d.UID] {
			continue
		}
		out.Datasources = append(out.Datasources, &stack.Datasource{
			Name: source.Text{Value: d.Name}, Type: source.Text{Value: d.Type}, UID: source.Text{Value: d.UID}, URL: source.Text{Value: d.URL},
			EffectiveUID: d.UID, OrgID: d.OrgID, IsDefault: d.IsDefault,
			TimeInterval: source.Text{Value: d.JSONData.TimeInterval}, HTTPMethod: d.JSONData.HTTPMethod,
		})
	}
	return &out
}

// is says whether Grafana's datasource is that of the files. One that was first
// provisioned by an old version, without a uid, has a uid that only Grafana knows.
func is(ds *stack.Datasource, d grafana.Datasource) bool {
	return ds.EffectiveUID == d.UID || ds.UID.Value == "" && ds.Name.Value == d.Name
}

func has(sources []grafana.Datasource, uid string) bool {
	return slices.ContainsFunc(sources, func(d grafana.Datasource) bool { return d.UID == uid })
}

func isPrometheus(d grafana.Datasource) bool {
	return query.IsPrometheus(&stack.Datasource{Type: source.Text{Value: d.Type}})
}

// direct are the datasources that lead to the Prometheus that was named, by uid:
// the only one, those with its url, and those that lead to the stack's own in its
// files. Others are asked through Grafana alone.
func direct(s *stack.Stack, sources []grafana.Datasource, prometheus string) map[string]bool {
	out := map[string]bool{}
	if prometheus == "" {
		return out
	}
	var uids []string
	for _, d := range sources {
		if !isPrometheus(d) {
			continue
		}
		uids = append(uids, d.UID)
		out[d.UID] = sameServer(d.URL, prometheus) || own(s, d)
	}
	if len(uids) == 1 {
		out[uids[0]] = true
	}
	return out
}

// own says whether the files lead a datasource to the stack's own Prometheus.
func own(s *stack.Stack, d grafana.Datasource) bool {
	return s.Compose != nil && slices.ContainsFunc(s.Datasources, func(ds *stack.Datasource) bool {
		return is(ds, d) && rule.Elsewhere(s, ds) == "" && rule.Unreachable(s, ds) == nil
	})
}

func sameServer(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host != "" && strings.EqualFold(x.Host, y.Host) && strings.Trim(x.Path, "/") == strings.Trim(y.Path, "/")
}

// listing is the datasource whose targets are those of the stack, as far as can be
// told: the stack's own, then Grafana's default, then the first; "" for none.
func listing(s *stack.Stack, sources []grafana.Datasource) string {
	best, rank := "", 0
	for _, d := range sources {
		if !isPrometheus(d) {
			continue
		}
		r := 1
		switch {
		case own(s, d):
			r = 4
		case slices.ContainsFunc(s.Datasources, func(ds *stack.Datasource) bool { return is(ds, d) }):
			r = 3
		case d.IsDefault:
			r = 2
		}
		if r > rank {
			best, rank = d.UID, r
		}
	}
	return best
}
