package grafana

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Health is what Grafana says of itself.
type Health struct {
	Version  string `json:"version"` // "10.1.0-pre"; "" where it is hidden from this login
	Commit   string `json:"commit"`
	Database string `json:"database"` // "ok" where it is
}

// Health asks whether Grafana is up and which version it is. It needs no login.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var h Health
	if err := c.getOnce(ctx, "/api/health", nil, &h); err != nil {
		return Health{}, fmt.Errorf("ask Grafana for its health: %w", err)
	}
	return h, nil
}

// Datasource is a datasource as Grafana has it.
type Datasource struct {
	ID        int64
	UID       string
	Name      string
	Type      string
	URL       string
	Access    string // "proxy" or "direct"
	IsDefault bool
	ReadOnly  bool // whether a file provisions it
	OrgID     int64
	JSONData  JSONData
}

// JSONData is of a datasource's settings what bears on a query's step.
type JSONData struct {
	TimeInterval string // "15s", as written; "" for none
	HTTPMethod   string
}

// UnmarshalJSON reads the settings as whoever wrote them meant them: `timeInterval: 15` is a number.
func (d *JSONData) UnmarshalJSON(b []byte) error {
	var wire struct {
		TimeInterval text `json:"timeInterval"`
		HTTPMethod   text `json:"httpMethod"`
	}
	// Settings of another shape are those of a plugin that has no step.
	if json.Unmarshal(b, &wire) == nil {
		*d = JSONData{TimeInterval: string(wire.TimeInterval), HTTPMethod: string(wire.HTTPMethod)}
	}
	return nil
}

// Datasources are the organisation's datasources, in Grafana's order. The login
// has to be allowed to read them, which an admin's is.
func (c *Client) Datasources(ctx context.Context) ([]Datasource, error) {
	var out []Datasource
	if err := c.get(ctx, "/api/datasources", nil, &out); err != nil {
		return nil, fmt.Errorf("list Grafana's datasources: %w", err)
	}
	return out, nil
}

// DatasourceHealth is what a datasource's own check says.
type DatasourceHealth struct {
	Status  string `json:"status"` // "OK", "ERROR" or "UNKNOWN"
	Message string `json:"message"`
}

// OK says whether the check passed.
func (h DatasourceHealth) OK() bool { return h.Status == "OK" }

// DatasourceHealth lets Grafana check a datasource. A check that fails is a
// result; the error is ErrNoHealthCheck where there is none to run, and
// ErrUnknownDatasource where there is no such datasource.
func (c *Client) DatasourceHealth(ctx context.Context, uid string) (DatasourceHealth, error) {
	fail := func(err error) (DatasourceHealth, error) {
		return DatasourceHealth{}, fmt.Errorf("check the datasource %q: %w", uid, err)
	}
	seg, err := segment(uid)
	if err != nil {
		return fail(err)
	}
	r, err := c.send(ctx, http.MethodGet, "/api/datasources/uid/"+seg+"/health", nil, nil)
	if err != nil {
		return fail(err)
	}
	var h DatasourceHealth
	err = r.decode(&h)
	switch {
	case err == nil && isVerdict(h.Status):
		return h, nil
	case r.status != http.StatusOK:
		return fail(c.whyNoHealth(ctx, seg, r.refused()))
	case err != nil:
		return fail(err)
	}
	return fail(fmt.Errorf("the answer's status is %q", h.Status))
}

// Hit is a dashboard as a search lists it.
type Hit struct {
	UID         string
	Title       string
	FolderUID   string // "" at the top
	FolderTitle string
}

// Dashboards are all dashboards that the login may see.
func (c *Client) Dashboards(ctx context.Context) ([]Hit, error) {
	// Far below every version's own bound, so that a page is never cut short
	// and the next one starts where this one ended.
	const limit = 500
	var all []Hit
	seen := map[string]bool{}
	for page := 1; ; page++ {
		var hits []Hit
		q := url.Values{"type": {"dash-db"}, "limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(page)}}
		if err := c.get(ctx, "/api/search", q, &hits); err != nil {
			return nil, fmt.Errorf("list Grafana's dashboards: %w", err)
		}
		before := len(all)
		for _, h := range hits {
			if !seen[h.UID] {
				seen[h.UID] = true
				all = append(all, h)
			}
		}
		// A page that is not full may still not be the last: permissions are
		// filtered afterwards. One that brings nothing new is.
		if len(all) == before {
			return all, nil
		}
	}
}

// Dashboard is a dashboard as Grafana has it.
type Dashboard struct {
	UID   string
	Title string
	// Provisioned says whether it comes from a file. ProvisionedFrom is that
	// file, relative to the provider's path; in full, of a dashboard of schema v2.
	Provisioned     bool
	ProvisionedFrom string
	FolderUID       string // "" at the top
	FolderTitle     string
	Version         int64  // grows with each change
	SchemaVersion   int64  // 0 of a dashboard of schema v2
	APIVersion      string // "v2beta1" of a dashboard of schema v2, else ""
}

// Dashboard is one dashboard. The error is ErrUnknownDashboard where there is none.
func (c *Client) Dashboard(ctx context.Context, uid string) (*Dashboard, error) {
	seg, err := segment(uid)
	if err != nil {
		return nil, fmt.Errorf("get the dashboard: %w", err)
	}
	d, err := c.legacyDashboard(ctx, "/api/dashboards/uid/"+seg)
	refused, ok := errors.AsType[*StatusError](err)
	if ok {
		if path := v2Path(refused); path != "" {
			d, err = c.v2Dashboard(ctx, path)
		} else if unknownDashboard(refused) {
			err = fmt.Errorf("%w: %w", ErrUnknownDashboard, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("get the dashboard %q: %w", uid, err)
	}
	return d, nil
}

func (c *Client) legacyDashboard(ctx context.Context, path string) (*Dashboard, error) {
	var wire struct {
		Meta struct {
			Provisioned           bool   `json:"provisioned"`
			ProvisionedExternalID string `json:"provisionedExternalId"`
			FolderUID             string `json:"folderUid"`
			FolderTitle           string `json:"folderTitle"`
			Version               int64  `json:"version"`
		} `json:"meta"`
		Dashboard struct {
			UID           text `json:"uid"`
			Title         text `json:"title"`
			SchemaVersion text `json:"schemaVersion"`
		} `json:"dashboard"`
	}
	if err := c.get(ctx, path, nil, &wire); err != nil {
		return nil, err
	}
	return &Dashboard{
		UID: string(wire.Dashboard.UID), Title: string(wire.Dashboard.Title),
		Provisioned: wire.Meta.Provisioned, ProvisionedFrom: wire.Meta.ProvisionedExternalID,
		FolderUID: wire.Meta.FolderUID, FolderTitle: wire.Meta.FolderTitle,
		Version: wire.Meta.Version, SchemaVersion: wire.Dashboard.SchemaVersion.whole(),
	}, nil
}

// Plugin is a panel plugin.
type Plugin struct {
	ID      string
	Name    string
	Version string // "" of a core panel in some versions
	Hidden  bool   // whether it is left out of the list to choose from; false where only the plugin list tells of it
}

// PanelPlugins are the panels that Grafana has, core ones included, by id.
//
// Two lists are asked. The plugin list keeps what is no core plugin from logins
// that may not install any, and answers 200 all the same; the settings that the
// front end starts with have every panel that it would draw. So one list is
// enough, and the error is that of the plugin list where neither answers.
func (c *Client) PanelPlugins(ctx context.Context) ([]Plugin, error) {
	found := map[string]Plugin{}
	listErr := c.listedPanels(ctx, found)
	settingsErr := c.settingsPanels(ctx, found)
	for _, err := range []error{listErr, settingsErr} {
		if _, refused := errors.AsType[*StatusError](err); err != nil && !refused {
			return nil, fmt.Errorf("list Grafana's panel plugins: %w", err)
		}
	}
	if listErr != nil && settingsErr != nil {
		return nil, fmt.Errorf("list Grafana's panel plugins: %w", listErr)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Plugin) int { return cmp.Compare(a.ID, b.ID) }), nil
}

func (c *Client) listedPanels(ctx context.Context, into map[string]Plugin) error {
	var list []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	if err := c.get(ctx, "/api/plugins", url.Values{"type": {"panel"}}, &list); err != nil {
		return err
	}
	for _, p := range list {
		if p.Type == "panel" {
			into[p.ID] = Plugin{ID: p.ID, Name: p.Name, Version: p.Info.Version}
		}
	}
	return nil
}

func (c *Client) settingsPanels(ctx context.Context, into map[string]Plugin) error {
	var settings struct {
		Panels map[string]struct {
			Name         string `json:"name"`
			HideFromList bool   `json:"hideFromList"`
			Info         struct {
				Version string `json:"version"`
			} `json:"info"`
		} `json:"panels"`
	}
	if err := c.get(ctx, "/api/frontend/settings", nil, &settings); err != nil {
		return err
	}
	for id, p := range settings.Panels {
		into[id] = Plugin{ID: id, Name: p.Name, Version: p.Info.Version, Hidden: p.HideFromList}
	}
	return nil
}
