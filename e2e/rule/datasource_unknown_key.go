package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// datasourceUnknownKey warns of settings that Grafana passes over without a
// word, so that they look as if they were in effect.
func datasourceUnknownKey() Rule {
	return Rule{
		ID:       "datasource/unknown-key",
		Severity: Warning,
		Summary:  "a key of a provisioned datasource that Grafana ignores",
		Static: func(in *Static) []Finding {
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				if legacyKeys(ds) {
					out = append(out, ignoredForLegacy(ds)...)
					continue
				}
				out = append(out, ignoredKeys(ds)...)
				if query.IsPrometheus(ds) {
					out = append(out, mistypedJSONData(ds)...)
				}
			}
			return out
		},
	}
}

// datasourceKeys is what Grafana reads of an entry of datasources.
func datasourceKeys() []string {
	return []string{
		"name", "type", "uid", "url", "access", "orgId", "orgName", "user", "database", "basicAuth", "basicAuthUser",
		"withCredentials", "isDefault", "correlations", "jsonData", "secureJsonData", "editable", "version", "apiVersion",
	}
}

// prometheusJSONData is what the Prometheus datasource and Grafana's HTTP client
// read of its jsonData.
func prometheusJSONData() []string {
	return []string{
		"timeInterval", "httpMethod", "queryTimeout", "customQueryParameters", "defaultEditor", "disableMetricsLookup",
		"exemplarTraceIdDestinations", "prometheusType", "prometheusVersion", "cacheLevel", "incrementalQuerying",
		"incrementalQueryOverlapWindow", "disableRecordingRules", "manageAlerts", "allowAsRecordingRulesTarget",
		"alertmanagerUid", "seriesEndpoint", "seriesLimit", "codeModeMetricNamesSuggestionLimit", "directUrl",
		"tlsAuth", "tlsAuthWithCACert", "tlsSkipVerify", "serverName", "keepCookies", "timeout", "oauthPassThru",
		"enableSecureSocksProxy", "sigV4Auth", "sigV4AuthType", "sigV4Region", "sigV4AssumeRoleArn", "sigV4Profile",
		"azureCredentials", "azureEndpointResourceId",
	}
}

// legacyKeys says whether Grafana reads the entry by the key names of the format
// without an apiVersion, in which nothing of jsonData arrives. What was taken of
// the entry tells: by which of the two names.
func legacyKeys(ds *stack.Datasource) bool {
	current := ds.Node.At("jsonData", "timeInterval").Scalar()
	lost := current != "" && !strings.Contains(current, "$") && ds.TimeInterval.Value == "" // a variable may be empty
	return lost ||
		ds.Node.At("json_data", "timeInterval").Scalar() != "" && ds.TimeInterval.Value != "" ||
		ds.Node.Get("is_default").Bool() && ds.IsDefault ||
		ds.Node.Get("isDefault").Bool() && !ds.IsDefault
}

// ignoredForLegacy are the keys of today's format in a file of the old one.
func ignoredForLegacy(ds *stack.Datasource) []Finding {
	var lost []string
	var pos source.Pos
	for _, f := range ds.Node.Fields() {
		if strings.ToLower(f.Key) != f.Key && slices.Contains(datasourceKeys(), f.Key) {
			lost = append(lost, f.Key)
			if pos.IsZero() {
				pos = f.KeyPos()
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return []Finding{{
		Pos: pos,
		Message: fmt.Sprintf("the file has no apiVersion, so Grafana reads it in its old format and ignores %s of datasource %q",
			strings.Join(lost, ", "), ds.Name.Value),
		Fix: "begin the file with apiVersion: 1",
	}}
}

func ignoredKeys(ds *stack.Datasource) []Finding {
	var out []Finding
	for _, f := range ds.Node.Fields() {
		if slices.Contains(datasourceKeys(), f.Key) {
			continue
		}
		out = append(out, Finding{
			Pos:     f.KeyPos(),
			Message: fmt.Sprintf("Grafana ignores %q of datasource %q%s", f.Key, ds.Name.Value, nearest.Hint(f.Key, datasourceKeys())),
			Fix:     ignoredFix(f.Key),
			Repair:  movedKey(ds, f.Key),
		})
	}
	return out
}

// movedKey takes the scrape interval to where Grafana reads it.
func movedKey(ds *stack.Datasource, key string) *Repair {
	if key != "timeInterval" || !query.IsPrometheus(ds) {
		return nil
	}
	return &Repair{
		What: "timeInterval moves under jsonData",
		Set:  &Setting{Datasource: ds, InJSONData: true, Key: key, Value: ds.Node.Get(key).Scalar(), Move: true},
	}
}

func ignoredFix(key string) string {
	switch {
	case slices.Contains(prometheusJSONData(), key):
		return fmt.Sprintf("move %s under jsonData", key)
	case key == "password" || key == "basicAuthPassword":
		return fmt.Sprintf("move %s under secureJsonData", key)
	}
	if near := nearest.Names(key, datasourceKeys(), 1); len(near) > 0 {
		return fmt.Sprintf("write %s, or remove it", near[0])
	}
	return "remove it, or move it under jsonData if the plugin reads it there"
}

// mistypedJSONData are keys that are almost one that the plugin reads. A key
// unlike all of them may belong to another version.
func mistypedJSONData(ds *stack.Datasource) []Finding {
	var out []Finding
	for _, f := range ds.Node.Get("jsonData").Fields() {
		if slices.Contains(prometheusJSONData(), f.Key) {
			continue
		}
		right := meantJSONData(f.Key)
		if right == "" {
			continue
		}
		out = append(out, Finding{
			Pos:     f.KeyPos(),
			Message: fmt.Sprintf("Grafana ignores jsonData.%s of datasource %q, nearest: %s", f.Key, ds.Name.Value, right),
			Fix:     fmt.Sprintf("write %s", right),
		})
	}
	return out
}

// meantJSONData is the key that a mistyped one stands for: the same letters in
// another case, or what else people call the scrape interval.
func meantJSONData(key string) string {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	switch plain(key) {
	case "scrapeinterval", "interval", "mininterval", "mintimeinterval":
		return "timeInterval"
	}
	for _, known := range prometheusJSONData() {
		if plain(known) == plain(key) {
			return known
		}
	}
	const typo = 6 // letters; in shorter keys every other word is near
	if near := nearest.Names(key, prometheusJSONData(), 1); len(near) > 0 && len(key) >= typo && abs(len(near[0])-len(key)) <= 1 {
		return near[0]
	}
	return ""
}

func abs(n int) int { return max(n, -n) }
