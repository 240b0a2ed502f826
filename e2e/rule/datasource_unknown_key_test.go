package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDatasourceUnknownKey(t *testing.T) {
	const access = "    access: proxy\n"
	add := func(line string) func(*fixture) {
		return func(f *fixture) { f.replace(datasourceFile, access, access+"    "+line+"\n") }
	}
	inJSONData := func(line string) func(*fixture) {
		return func(f *fixture) {
			f.replace(datasourceFile, "      httpMethod: POST\n", "      httpMethod: POST\n      "+line+"\n")
		}
	}
	runFileCases(t, datasourceUnknownKey(), []fileCase{
		{
			name: "timeInterval outside of jsonData",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "      timeInterval: 15s\n", "    timeInterval: 15s\n")
			},
			file: datasourceFile, at: "timeInterval: 15s", message: []string{`"timeInterval"`}, fix: "move timeInterval under jsonData",
		},
		{
			name: "a key in another case", edit: add("isdefault: false"),
			file: datasourceFile, at: "isdefault", message: []string{"nearest: isDefault"}, fix: "write isDefault",
		},
		{
			name: "a password in the open", edit: add("basicAuthPassword: x"),
			file: datasourceFile, at: "basicAuthPassword", fix: "under secureJsonData",
		},
		{
			name: "something else", edit: add("color: red"),
			file: datasourceFile, at: "color", message: []string{`"color"`}, fix: "remove it",
		},
		{
			name: "a key of jsonData in another case", edit: inJSONData("timeinterval: 15s"),
			file: datasourceFile, at: "timeinterval", message: []string{"nearest: timeInterval"}, fix: "timeInterval",
		},
		{
			name: "another word for the interval", edit: inJSONData("scrapeInterval: 15s"),
			file: datasourceFile, at: "scrapeInterval", fix: "write timeInterval",
		},
		{
			name: "a letter too few in jsonData", edit: inJSONData("promtheusType: Mimir"),
			file: datasourceFile, at: "promtheusType", fix: "write prometheusType",
		},
		{
			name: "no apiVersion",
			edit: func(f *fixture) { f.replace(datasourceFile, "apiVersion: 1\n", "") },
			file: datasourceFile, at: "isDefault", message: []string{"no apiVersion", "isDefault, jsonData"}, fix: "apiVersion: 1",
		},
		{
			name: "the old format by its own keys",
			edit: func(f *fixture) {
				f.replace(datasourceFile, "apiVersion: 1\n", "").replace(datasourceFile, "isDefault", "is_default").replace(datasourceFile, "jsonData", "json_data")
			},
		},
		{name: "a key of jsonData that another version may know", edit: inJSONData("somethingNew: true")},
		{name: "keys that are read", edit: add("withCredentials: true\n    version: 2\n    secureJsonData: {basicAuthPassword: x}\n    basicAuth: true\n    basicAuthUser: u")},
		{
			name: "jsonData of another plugin",
			edit: func(f *fixture) {
				f.write("grafana/provisioning/datasources/loki.yaml",
					"apiVersion: 1\ndatasources:\n  - {name: Loki, uid: loki, type: loki, url: 'http://loki:3100', jsonData: {maxLines: 10, interval: 1s}}\n")
			},
		},
	})
}

func TestMeantJSONData(t *testing.T) {
	for key, want := range map[string]string{
		"time_interval": "timeInterval", "TimeInterval": "timeInterval", "httpmethod": "httpMethod", "querytimeout": "queryTimeout",
		"httpMethd": "httpMethod", "httpHeaderName1": "", "alertmanager": "", "esVersion": "", "maxLines": "",
	} {
		assert.Equal(t, want, meantJSONData(key), key)
	}
}
