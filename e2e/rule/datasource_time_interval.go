package rule

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/panelgate/panelgate/e2e/query"
	"github.com/panelgate/panelgate/stack"
	"github.com/panelgate/panelgate/stack/source"
)

// grafanaScrape is what Grafana takes the scrape interval for, unless told.
const grafanaScrape = 15 * time.Second

// datasourceTimeInterval proves that Grafana knows how often Prometheus scrapes,
// from which it works out $__rate_interval and the least step.
func datasourceTimeInterval() Rule {
	return Rule{
		ID:       "datasource/time-interval",
		Severity: Warning,
		Summary:  "jsonData.timeInterval is missing or is not the scrape interval of the jobs",
		Static: func(in *Static) []Finding {
			intervals := scrapeIntervals(in.Stack.Prometheus)
			if len(intervals) == 0 {
				return nil
			}
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				if !query.IsPrometheus(ds) || !ours(in.Stack, ds) || !usedBy(in, ds) {
					continue
				}
				if f := timeInterval(ds, intervals); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
	}
}

// scrapeIntervals are those of the jobs, shortest first, each once.
func scrapeIntervals(p *stack.Prometheus) []time.Duration {
	if p == nil {
		return nil
	}
	var out []time.Duration
	for _, j := range p.Jobs {
		if j.ScrapeInterval > 0 {
			out = append(out, j.ScrapeInterval)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ours says whether a datasource asks the stack's own Prometheus, and not one
// elsewhere whose jobs the files do not tell.
func ours(s *stack.Stack, ds *stack.Datasource) bool {
	u, err := url.Parse(ds.URL.Value)
	if err != nil {
		return false
	}
	if s.Compose == nil || s.Prometheus.Service == nil {
		return true
	}
	return serviceNamed(s.Compose, u.Hostname()) == s.Prometheus.Service
}

func usedBy(in *Static, ds *stack.Datasource) bool {
	for _, b := range in.Boards {
		for _, r := range datasourceRefs(b) {
			if found, err := r.resolve(in.Stack); err == nil && found == ds {
				return true
			}
		}
	}
	return false
}

func timeInterval(ds *stack.Datasource, intervals []time.Duration) *Finding {
	longest := model.Duration(intervals[len(intervals)-1])
	f := &Finding{
		Pos:      ds.TimeInterval.Pos,
		Evidence: []string{"the jobs are scraped every " + durations(intervals)},
		Fix:      fmt.Sprintf("set jsonData.timeInterval: %s", longest),
	}
	if f.Pos.IsZero() {
		f.Pos = jsonDataPos(ds)
	}
	set, err := grafanaInterval(ds.TimeInterval.Value)
	switch {
	case ds.TimeInterval.Value == "" && slices.Contains(intervals, grafanaScrape):
		f.Severity = Info
		f.Message = fmt.Sprintf("datasource %q has no timeInterval: Grafana assumes %s, which happens to be right", ds.Name.Value, model.Duration(grafanaScrape))
	case ds.TimeInterval.Value == "":
		f.Message = fmt.Sprintf("datasource %q has no timeInterval: Grafana assumes a scrape every %s, and %s", ds.Name.Value,
			model.Duration(grafanaScrape), consequence(grafanaScrape, time.Duration(longest)))
	case err != nil:
		f.Severity = Error
		f.Message = fmt.Sprintf("timeInterval %q of datasource %q is no duration: Grafana refuses every query", ds.TimeInterval.Value, ds.Name.Value)
	case !slices.Contains(intervals, set):
		f.Message = fmt.Sprintf("timeInterval of datasource %q is %s, and no job is scraped at that interval: %s", ds.Name.Value,
			ds.TimeInterval.Value, consequence(set, time.Duration(longest)))
	default:
		return nil
	}
	return f
}

// consequence says what a wrong interval does to $__rate_interval, which is four
// times it at the least.
func consequence(set, real time.Duration) string {
	if set < real {
		return fmt.Sprintf("rates over $__rate_interval may see fewer than the four scrapes they count on (%s of %s)",
			model.Duration(4*set), model.Duration(real))
	}
	return fmt.Sprintf("panels are drawn more coarsely than the data is (a point every %s at the most)", model.Duration(set))
}

func durations(ds []time.Duration) string {
	var out []string
	for _, d := range ds {
		out = append(out, model.Duration(d).String())
	}
	return strings.Join(out, ", ")
}

// grafanaInterval reads the ways in which Grafana lets an interval be written:
// "15s", ">15s", "1m30s", "1d", and a bare number of seconds.
func grafanaInterval(text string) (time.Duration, error) {
	text = strings.TrimSpace(strings.TrimLeft(text, "<>"))
	if text != "" && strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("read the interval: %w", err)
	}
	return time.Duration(d), nil
}

// jsonDataPos is where a datasource's jsonData stands, else the datasource.
func jsonDataPos(ds *stack.Datasource) source.Pos {
	if n := ds.Node.Get("jsonData"); n.Exists() {
		return n.Pos()
	}
	return ds.Pos
}
