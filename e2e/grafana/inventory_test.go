package grafana

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDatasources(t *testing.T) {
	c := fake(t, map[string]canned{"GET /api/datasources": {200, `[
		{"id":3,"uid":"metrics","orgId":2,"name":"Metrics","type":"prometheus","access":"proxy","url":"http://p:9090",
		 "isDefault":true,"readOnly":true,"jsonData":{"timeInterval":"5s","httpMethod":"POST","manageAlerts":false}},
		{"uid":"byhand","name":"By hand","type":"prometheus","jsonData":{"timeInterval":15,"httpMethod":null}},
		{"uid":"odd","name":"Odd","type":"odd","jsonData":null},
		{"uid":"odder","name":"Odder","type":"odd","jsonData":[{}]}
	]`}})
	got, err := c.Datasources(t.Context())
	require.NoError(t, err)
	require.Len(t, got, 4)
	assert.Equal(t, Datasource{
		ID: 3, UID: "metrics", Name: "Metrics", Type: "prometheus", URL: "http://p:9090", Access: "proxy",
		IsDefault: true, ReadOnly: true, OrgID: 2, JSONData: JSONData{TimeInterval: "5s", HTTPMethod: "POST"},
	}, got[0])
	assert.Equal(t, JSONData{TimeInterval: "15"}, got[1].JSONData)
	assert.Zero(t, got[2].JSONData)
	assert.Zero(t, got[3].JSONData)
}

func TestDatasourceHealth(t *testing.T) {
	const lookup = "GET /api/datasources/uid/m"
	there, gone := canned{200, `{"uid":"m"}`}, canned{404, `{"message":"Data source not found"}`}
	tests := []struct {
		name   string
		answer canned
		lookup canned // status 0: must not be asked
		want   DatasourceHealth
		is     error
		status int
	}{
		{name: "good", answer: canned{200, `{"status":"OK","message":"fine"}`}, want: DatasourceHealth{"OK", "fine"}},
		{name: "bad", answer: canned{400, `{"status":"ERROR","message":"refused","details":{"a":1}}`}, want: DatasourceHealth{"ERROR", "refused"}},
		{name: "bad as older ones say it", answer: canned{503, `{"status":"ERROR","message":"refused"}`}, want: DatasourceHealth{"ERROR", "refused"}},
		{name: "unknown verdict", answer: canned{400, `{"status":"UNKNOWN","message":""}`}, want: DatasourceHealth{"UNKNOWN", ""}},
		{name: "no check", answer: canned{404, `{"message":"Not found"}`}, lookup: there, is: ErrNoHealthCheck, status: 404},
		{name: "not implemented", answer: canned{501, `{"message":"Not implemented"}`}, lookup: there, is: ErrNoHealthCheck, status: 501},
		{name: "no back end in 11", answer: canned{404, `{"messageId":"plugin.notRegistered","message":"Plugin not registered"}`}, lookup: there, is: ErrNoHealthCheck, status: 404},
		{name: "no back end in 10", answer: canned{500, `{"message":"Unable to find datasource plugin"}`}, lookup: there, is: ErrNoHealthCheck, status: 500},
		{name: "no datasource", answer: canned{500, `{"message":"Unable to load datasource metadata"}`}, lookup: gone, is: ErrUnknownDatasource, status: 500},
		{name: "no datasource, said plainly", answer: canned{404, `{"message":"Data source not found"}`}, lookup: gone, is: ErrUnknownDatasource, status: 404},
		{name: "may not look it up", answer: canned{501, `{}`}, lookup: canned{403, `{}`}, is: ErrNoHealthCheck, status: 501},
		{name: "a failure", answer: canned{500, `{"message":"Plugin health check failed"}`}, lookup: there, status: 500},
		{name: "no Grafana", answer: canned{404, `<h1>404 not found`}, lookup: canned{404, `<h1>404 not found`}, status: 404},
		{name: "not allowed", answer: canned{403, `{"message":"Access denied"}`}, status: 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]canned{"GET /api/datasources/uid/m/health": tt.answer}
			if tt.lookup.status != 0 {
				answers[lookup] = tt.lookup
			}
			got, err := fake(t, answers).DatasourceHealth(t.Context(), "m")
			assert.Equal(t, tt.want, got)
			if tt.status == 0 {
				require.NoError(t, err)
				return
			}
			status, ok := errors.AsType[*StatusError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tt.status, status.Status)
			for _, known := range []error{ErrNoHealthCheck, ErrUnknownDatasource} {
				assert.Equal(t, errors.Is(tt.is, known), errors.Is(err, known), "%v: %v", known, err)
			}
		})
	}
}

func TestAUIDStaysOneElementOfThePath(t *testing.T) {
	c := fake(t, map[string]canned{"GET /api/datasources/uid/..%2Fa%3Fb%20c/health": {200, `{"status":"OK"}`}})
	h, err := c.DatasourceHealth(t.Context(), "../a?b c")
	require.NoError(t, err)
	assert.True(t, h.OK())
	for _, uid := range []string{"", ".", ".."} {
		_, err = c.DatasourceHealth(t.Context(), uid)
		require.ErrorContains(t, err, "is no uid")
		_, err = c.Dashboard(t.Context(), uid)
		require.ErrorContains(t, err, "is no uid")
	}
}

func TestDashboardsArePagedUntilNothingIsNew(t *testing.T) {
	page := func(n int) string { return fmt.Sprintf("GET /api/search?limit=500&page=%d&type=dash-db", n) }
	c := fake(t, map[string]canned{
		page(1): {200, `[{"uid":"a","title":"A","folderUid":"f","folderTitle":"F"},{"uid":"b","title":"B"}]`},
		page(2): {200, `[{"uid":"b","title":"B"},{"uid":"c","title":"C"}]`},
		page(3): {200, `[{"uid":"c","title":"C"}]`},
	})
	got, err := c.Dashboards(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Hit{{"a", "A", "f", "F"}, {UID: "b", Title: "B"}, {UID: "c", Title: "C"}}, got)

	c = fake(t, map[string]canned{"GET /api/search": {200, `[]`}})
	got, err = c.Dashboards(t.Context())
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestDashboard(t *testing.T) {
	const v2 = "/apis/dashboard.grafana.app/v2beta1/namespaces/org-2/dashboards/two"
	c := fake(t, map[string]canned{
		"GET /api/dashboards/uid/one": {200, `{
			"meta":{"provisioned":true,"provisionedExternalId":"sub/one.json","folderUid":"f","folderTitle":"F","version":4},
			"dashboard":{"uid":"one","title":"One","schemaVersion":"38","version":9,"panels":[{}]}}`},
		"GET /api/dashboards/uid/two":  {406, `{"message":"dashboard api version not supported, use ` + v2 + ` instead"}`},
		"GET /api/dashboards/uid/none": {404, `{"message":"Dashboard not found"}`},
		"GET /api/dashboards/uid/lost": {404, `<h1>404 page not found`},
		"GET /api/dashboards/uid/odd":  {406, `{"message":"go to /apis/other/v2/namespaces/x/dashboards/odd"}`},
		"GET " + v2: {200, `{"kind":"Dashboard","apiVersion":"dashboard.grafana.app/v2beta1",
			"metadata":{"name":"two","namespace":"org-2","generation":3,"annotations":{
				"grafana.app/folder":"f","grafana.app/managedBy":"classic-file-provisioning","grafana.app/sourcePath":"/boards/two.json"}},
			"spec":{"title":"Two"}}`},
		"GET /api/folders/f": {200, `{"uid":"f","title":"F"}`},
	})
	got, err := c.Dashboard(t.Context(), "one")
	require.NoError(t, err)
	assert.Equal(t, &Dashboard{
		UID: "one", Title: "One", Provisioned: true, ProvisionedFrom: "sub/one.json",
		FolderUID: "f", FolderTitle: "F", Version: 4, SchemaVersion: 38,
	}, got)

	got, err = c.Dashboard(t.Context(), "two")
	require.NoError(t, err)
	assert.Equal(t, &Dashboard{
		UID: "two", Title: "Two", Provisioned: true, ProvisionedFrom: "/boards/two.json",
		FolderUID: "f", FolderTitle: "F", Version: 3, APIVersion: "v2beta1",
	}, got)

	_, err = c.Dashboard(t.Context(), "none")
	require.ErrorIs(t, err, ErrUnknownDashboard)
	_, err = c.Dashboard(t.Context(), "lost")
	require.NotErrorIs(t, err, ErrUnknownDashboard, "whoever says so is no Grafana")
	_, err = c.Dashboard(t.Context(), "odd")
	require.NotErrorIs(t, err, ErrUnknownDashboard)
	assert.ErrorContains(t, err, "HTTP 406")
}

func TestADashboardOfAnotherManagerComesFromNoFile(t *testing.T) {
	const v2 = "/apis/dashboard.grafana.app/v2/namespaces/default/dashboards/git"
	c := fake(t, map[string]canned{
		"GET /api/dashboards/uid/git": {406, `{"message":"use ` + v2 + ` instead"}`},
		"GET " + v2: {200, `{"apiVersion":"dashboard.grafana.app/v2","metadata":{"name":"git","annotations":{
			"grafana.app/folder":"secret","grafana.app/managedBy":"repo","grafana.app/sourcePath":"git.json"}}}`},
		"GET /api/folders/secret": {403, `{}`},
	})
	got, err := c.Dashboard(t.Context(), "git")
	require.NoError(t, err)
	assert.Equal(t, &Dashboard{UID: "git", FolderUID: "secret", APIVersion: "v2"}, got)
}

func TestPanelPlugins(t *testing.T) {
	list := canned{200, `[{"id":"timeseries","name":"Time series","type":"panel","info":{"version":""}},
		{"id":"prometheus","name":"Prometheus","type":"datasource"}]`}
	settings := canned{200, `{"panels":{
		"timeseries":{"id":"timeseries","name":"Time series","hideFromList":false},
		"welcome":{"id":"welcome","name":"Welcome","hideFromList":true},
		"acme-panel":{"id":"acme-panel","name":"Acme","info":{"version":"1.2.3"}}}}`}
	all := []Plugin{
		{ID: "acme-panel", Name: "Acme", Version: "1.2.3"},
		{ID: "timeseries", Name: "Time series"},
		{ID: "welcome", Name: "Welcome", Hidden: true},
	}
	tests := []struct {
		name           string
		list, settings canned
		want           []Plugin
		err            string
	}{
		{"both", list, settings, all, ""},
		{"may not list", canned{403, `{}`}, settings, all, ""},
		{"only the list", list, canned{404, `{}`}, []Plugin{{ID: "timeseries", Name: "Time series"}}, ""},
		{"neither", canned{401, `{"message":"Unauthorized"}`}, canned{401, `{}`}, nil, "GET /api/plugins: HTTP 401 Unauthorized"},
		{"a page", canned{200, `<p>hello`}, settings, nil, "GET /api/plugins: HTTP 200: the answer is not JSON: hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := fake(t, map[string]canned{"GET /api/plugins?type=panel": tt.list, "GET /api/frontend/settings": tt.settings})
			got, err := c.PanelPlugins(t.Context())
			assert.Equal(t, tt.want, got)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestMajor(t *testing.T) {
	for version, want := range map[string]int{
		"10.1.0-pre": 10, "11.6.0+security-01": 11, "v12.0.0": 12, "13.0.0-21456789": 13, "": 0, "main": 0,
	} {
		assert.Equal(t, want, Health{Version: version}.Major(), version)
	}
}

func TestCleanCutsNoRuneInTwo(t *testing.T) {
	got := clean(strings.Repeat("ö", 40000) + "\xff")
	assert.Equal(t, strings.Repeat("ö", 200)+"…", got)
	assert.Equal(t, "a b", clean(" a\r\n\t b\x00\xff "))
}
