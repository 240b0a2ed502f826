// Package sweep is what a team writes that wants to know whether its panels have data and has no panelgate: read the dashboards' JSON,
// put something into the variables, ask Prometheus for each target, one after the other, and list those without an answer. It is the
// peer that benchmarks compare with, written plainly and not slowed down on purpose. It knows nothing of datasources, of what a variable
// may be, of units, of the truth, or of why an answer is empty.
package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Result is what a sweep has found.
type Result struct {
	Targets int           // that the dashboards have
	Asked   int           // of them; fewer where the time ran out
	Empty   []string      // dashboard › panel › refId of those without a sample
	Failed  []string      // of those that Prometheus did not answer, with its error
	Took    time.Duration // of reading and asking
}

// Run asks the Prometheus at url every target of the dashboards in and below dir, until all are asked or limit is over, 0 for none.
// That time runs out is no error. Queries are not asked side by side and none is asked for less because it was asked before.
func Run(ctx context.Context, dir, url string, limit time.Duration) (*Result, error) {
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return nil, fmt.Errorf("ask Prometheus: %w", err)
	}
	began := time.Now()
	all, err := read(dir)
	if err != nil {
		return nil, err
	}
	prom, r := promv1.NewAPI(client), &Result{Targets: len(all)}
	for _, t := range all {
		if limit > 0 && time.Since(began) > limit {
			break
		}
		r.Asked++
		now := time.Now()
		v, _, err := prom.QueryRange(ctx, t.expr, promv1.Range{Start: now.Add(-t.over), End: now, Step: t.step})
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("ask %s: %w", t.name, ctx.Err())
		case err != nil:
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", t.name, err))
		case empty(v):
			r.Empty = append(r.Empty, t.name)
		}
	}
	r.Took = time.Since(began)
	return r, nil
}

func empty(v model.Value) bool {
	matrix, ok := v.(model.Matrix)
	return ok && len(matrix) == 0
}

// target is one query, ready to be asked.
type target struct {
	name string
	expr string
	over time.Duration // the dashboard's range
	step time.Duration
}

// dashboard is as much of Grafana's JSON as this needs.
type dashboard struct {
	Title      string
	Time       struct{ From string }
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type string
			Current    struct{ Value any } // a string, or several
		}
	}
}

type panel struct {
	Title   string
	Panels  []panel // of a row that is closed
	Targets []struct{ Expr, RefID string }
}

// read reads the targets of all dashboards below a directory.
func read(dir string) ([]target, error) {
	var all []target
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".json" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var b dashboard
		if err := json.Unmarshal(text, &b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, b.targets(b.Panels)...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dashboards: %w", err)
	}
	return all, nil
}

func (b *dashboard) targets(panels []panel) []target {
	over := time.Hour
	if d, err := model.ParseDuration(strings.TrimPrefix(b.Time.From, "now-")); err == nil {
		over = time.Duration(d)
	}
	const scrape, points = 15 * time.Second, 1000
	step := max(scrape, (over / points).Round(scrape))
	fill := b.filler(over, step, max(step+scrape, 4*scrape))
	var all []target
	for _, p := range panels {
		for _, t := range p.Targets {
			if t.Expr != "" {
				all = append(all, target{b.Title + " › " + p.Title + " › " + t.RefID, fill(t.Expr), over, step})
			}
		}
		all = append(all, b.targets(p.Panels)...)
	}
	return all
}

// filler puts values in the place of variables: what is chosen where that is one value, else anything at all.
func (b *dashboard) filler(over, step, rate time.Duration) func(expr string) string {
	values := map[string]string{
		"__interval": model.Duration(step).String(), "__rate_interval": model.Duration(rate).String(), "__range": model.Duration(over).String(),
	}
	for _, v := range b.Templating.List {
		values[v.Name] = ".+"
		if s, ok := v.Current.Value.(string); ok && s != "" && s != "$__all" && v.Type != "query" {
			values[v.Name] = s
		}
	}
	reference := regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]`)
	return func(expr string) string {
		return reference.ReplaceAllStringFunc(expr, func(found string) string {
			m := reference.FindStringSubmatch(found)
			if v, ok := values[m[1]+m[2]+m[3]]; ok {
				return v
			}
			return found
		})
	}
}
