package picture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/panelgate/panelgate/ci/browser"
	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/grafana"
	"github.com/panelgate/panelgate/e2e/rule"
)

// Screenshots writes an image of each dashboard into dir, as the Grafana of the stack
// shows it over the range that was asked for. Remarks say what there is no image of, and
// why: a Grafana without a front end is no error.
func Screenshots(ctx context.Context, b *browser.Browser, instance env.Instance, boards []*rule.Board, dir string) (remarks []string, err error) {
	if instance.Grafana == nil {
		return []string{"no screenshots: no Grafana is up"}, nil
	}
	g := gallery{browser: b, dir: dir, names: names{}}
	served, err := uids(ctx, instance.Grafana)
	if err != nil {
		return nil, fmt.Errorf("take screenshots: %w", err)
	}
	var errs []error
	for _, board := range boards {
		name := report.Clean(cmp.Or(board.Title.Value, board.File))
		uid, ok := served.of(board)
		if !ok {
			g.remarks = append(g.remarks, fmt.Sprintf("no screenshot of %s: Grafana does not serve it", name))
			continue
		}
		page := pageOf(instance, board, uid)
		if why := noFrontEnd(ctx, instance.Grafana, page); why != "" {
			return append(g.remarks, "no screenshots: this Grafana serves no front end: "+why), errors.Join(errs...)
		}
		err := g.hang(ctx, called(board.UID.Value, board.File), browser.Shot{
			URL: page, Ready: drawn(board), Inside: panels, Relay: instance.Grafana.Relay,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("take a screenshot of %s: %w", name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return g.remarks, errors.Join(errs...)
}

// catalogue is what a Grafana serves: uids, and the uid of a title that has one.
type catalogue struct {
	uids    map[string]bool
	byTitle map[string]string
}

func uids(ctx context.Context, g *grafana.Client) (*catalogue, error) {
	hits, err := g.Dashboards(ctx)
	if err != nil {
		return nil, err
	}
	c := &catalogue{map[string]bool{}, map[string]string{}}
	for _, h := range hits {
		c.uids[h.UID] = true
		c.byTitle[h.Title] = h.UID
	}
	return c, nil
}

// of is the uid under which a dashboard is served: its own, or what Grafana made up
// where its file has none.
func (c *catalogue) of(b *rule.Board) (string, bool) {
	if b.UID.Value != "" {
		return b.UID.Value, c.uids[b.UID.Value]
	}
	uid, ok := c.byTitle[b.Title.Value]
	return uid, ok
}

// pageOf is the URL of a dashboard without anything around it, over the range of its
// questions.
func pageOf(instance env.Instance, b *rule.Board, uid string) string {
	from, to := instance.Now.Add(-time.Hour), instance.Now
	if r, err := b.Range(instance.Now); err == nil {
		from, to = r.From, r.To
	}
	q := url.Values{"from": {milliseconds(from)}, "to": {milliseconds(to)}, "theme": {"light"}}
	return instance.Grafana.URL() + "/d/" + url.PathEscape(uid) + "?" + q.Encode() + "&kiosk"
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// panels are what Grafana 10 to 13 know a panel by.
const panels = `[data-viz-panel-key], [data-panelid], .panel-container, section[data-testid^="data-testid Panel header"]`

// drawn says, in the page, whether all panels are there and have their data. The number
// of queries under way is what Grafana's own renderer looks at; older versions do not
// tell it, and show that they are loading.
func drawn(b *rule.Board) string {
	const loading = `.preloader, .panel-loading, [aria-label="Panel loading bar"], [aria-label="Loading indicator"], [data-testid="data-testid Loading indicator"], [data-testid="Spinner"]`
	expression := fmt.Sprintf(`document.readyState === "complete" && !(window.__grafanaRunningQueryCount > 0) && !document.querySelector(%s)`, strconv.Quote(loading))
	if shows(b) {
		expression += fmt.Sprintf(" && document.querySelector(%s) !== null", strconv.Quote(panels))
	}
	return expression
}

// shows says whether a dashboard has a panel that is not hidden in a row.
func shows(b *rule.Board) bool {
	for _, p := range b.Panels {
		if !p.IsRow() && (p.Row == nil || !p.Row.Collapsed) {
			return true
		}
	}
	return false
}

// noFrontEnd says why there is nothing to see of a page of Grafana, "" where there is:
// a back end alone answers it without the programs that would draw it.
func noFrontEnd(ctx context.Context, g *grafana.Client, page string) string {
	body, why := fetched(ctx, g, page)
	if why != "" {
		return why
	}
	script := firstScript(body)
	if script == "" {
		return "its pages have no program in them"
	}
	base, err := url.Parse(page)
	if err != nil {
		return err.Error()
	}
	at, err := base.Parse(script)
	if err != nil {
		return "the program of its pages cannot be found: " + err.Error()
	}
	_, why = fetched(ctx, g, at.String())
	return why
}

// fetched is what Grafana answers, and why it does not.
func fetched(ctx context.Context, g *grafana.Client, page string) (body, why string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return "", err.Error()
	}
	req.Header.Set("Accept", "text/html, */*")
	resp, err := g.Relay(req)
	if errors.Is(err, grafana.ErrElsewhere) {
		return "", "the program of its pages is on another server, " + req.URL.Host
	}
	if err != nil {
		return "", err.Error()
	}
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return "", err.Error()
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Sprintf("GET %s: HTTP %d %s", req.URL.Path, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return string(text), ""
}

// firstScript is the address of the first program that a page loads.
func firstScript(page string) string {
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken: // its end, too
			return ""
		case html.StartTagToken:
			t := tokens.Token()
			for _, a := range t.Attr {
				if t.Data == "script" && a.Key == "src" {
					return a.Val
				}
			}
		}
	}
}
