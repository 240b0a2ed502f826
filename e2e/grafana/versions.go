package grafana

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What differs between Grafana 10, 11, 12 and 13 is told by the answer, never by
// the version: feature toggles and back ports blur the lines between them, and
// the version may be hidden. Of these, the tests try 10.1; the rest is what
// Grafana's documentation and source say.
//
//	                        10 and 11                    12                13
//	a query fails           400, or 207 by a toggle      400               400
//	whose failure it is     results.X.errorSource, from 11 on
//	unknown uid, query      404 {message}
//	unknown uid, health     500 {message}
//	type without a plugin   query 404 plugin.notRegistered; health 500, later 404
//	an expression fails     500 {message} in 10, later results.X.error or {message}
//	dashboard of schema v2  there are none               406, naming the path under /apis
//	datasource by its id    yes                          yes               off by default
//
// Datasources are always asked by uid, so the last line is no matter here. An
// unknown uid as one query's own error is read as well, though no version is
// known for sure to say it there.

// Major is the major version, 0 where it is not told.
func (h Health) Major() int {
	major, _, _ := strings.Cut(strings.TrimPrefix(h.Version, "v"), ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	return n
}

// isVerdict tells a health check's answer from an error's: HTTP 400 and 503 have
// been used for a check that fails, and both are used for errors, too.
func isVerdict(status string) bool {
	return status == "OK" || status == "ERROR" || status == "UNKNOWN"
}

// whyNoHealth says what an answer means that is no verdict. A uid that no
// datasource has answers 500, as other failures do, so that is asked for.
func (c *Client) whyNoHealth(ctx context.Context, seg string, e *StatusError) error {
	switch e.Status {
	case http.StatusNotFound, http.StatusInternalServerError, http.StatusNotImplemented:
	default:
		return e
	}
	var found struct{}
	err := c.get(ctx, "/api/datasources/uid/"+seg, nil, &found)
	lookup, refused := errors.AsType[*StatusError](err)
	switch {
	case refused && unknownDatasource(lookup):
		return fmt.Errorf("%w: %w", ErrUnknownDatasource, e)
	case refused && lookup.Status == http.StatusNotFound:
		return e // whoever answers has no such path: it is no Grafana
	}
	if e.Status != http.StatusInternalServerError || strings.Contains(e.Message, "find datasource plugin") {
		return fmt.Errorf("%w: %w", ErrNoHealthCheck, e)
	}
	return e
}

// classed gives a refused query the name of what it means.
func classed(e *StatusError) error {
	switch {
	case e.Status == http.StatusNotFound && strings.HasPrefix(e.ID, "plugin."):
		return fmt.Errorf("%w: %w", ErrNoPlugin, e)
	case unknownDatasource(e):
		return fmt.Errorf("%w: %w", ErrUnknownDatasource, e)
	}
	return e
}

// Is makes one query's error ErrUnknownDatasource where it says so: newer
// versions may answer the other queries of the request.
func (e *QueryError) Is(target error) bool {
	return target == ErrUnknownDatasource && notFound(e.Status, e.Message, "datasource")
}

func unknownDatasource(e *StatusError) bool { return notFound(e.Status, e.Message, "datasource") }

func unknownDashboard(e *StatusError) bool { return notFound(e.Status, e.Message, "dashboard") }

// notFound keeps a thing that is not there apart from a path that is not, which
// a proxy, or Grafana under another sub path, answers with 404 as well. It is
// "Data source not found" and "datasource not found", by version.
func notFound(status int, message, thing string) bool {
	m := strings.ReplaceAll(strings.ToLower(message), "data source", "datasource")
	return status == http.StatusNotFound && strings.Contains(m, thing) && strings.Contains(m, "not found")
}

// v2Path is where a dashboard of schema v2 is to be had: /api refuses it and
// names the path, with version and namespace. "" is any other refusal.
func v2Path(e *StatusError) string {
	if e.Status != http.StatusNotAcceptable {
		return ""
	}
	return regexp.MustCompile(`/apis/dashboard\.grafana\.app/v\d\w*/namespaces/[\w-]+/dashboards/[\w-]+`).FindString(e.Message)
}

// byFile is the manager of a dashboard that the file provisioning put there.
const byFile = "classic-file-provisioning"

// v2Dashboard reads a dashboard of schema v2, from the path that /api named.
func (c *Client) v2Dashboard(ctx context.Context, path string) (*Dashboard, error) {
	var wire struct {
		APIVersion string `json:"apiVersion"`
		Metadata   struct {
			Name        string            `json:"name"`
			Generation  int64             `json:"generation"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Title text `json:"title"`
		} `json:"spec"`
	}
	if err := c.get(ctx, path, nil, &wire); err != nil {
		return nil, err
	}
	_, version, _ := strings.Cut(wire.APIVersion, "/")
	notes := wire.Metadata.Annotations
	d := &Dashboard{
		UID: wire.Metadata.Name, Title: string(wire.Spec.Title),
		Provisioned: notes["grafana.app/managedBy"] == byFile,
		FolderUID:   notes["grafana.app/folder"],
		Version:     wire.Metadata.Generation, APIVersion: version,
	}
	if d.Provisioned {
		d.ProvisionedFrom = notes["grafana.app/sourcePath"]
	}
	var err error
	d.FolderTitle, err = c.folderTitle(ctx, d.FolderUID)
	return d, err
}

// folderTitle is the title of a folder, which an object of /apis does not have.
// A folder that may not be seen has none.
func (c *Client) folderTitle(ctx context.Context, uid string) (string, error) {
	if uid == "" {
		return "", nil
	}
	var folder struct {
		Title string `json:"title"`
	}
	err := c.get(ctx, "/api/folders/"+url.PathEscape(uid), nil, &folder)
	if _, refused := errors.AsType[*StatusError](err); refused {
		return "", nil
	}
	return folder.Title, err
}
