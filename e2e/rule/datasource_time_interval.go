package rule

import (
	"fmt"
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
			if in.Stack.Prometheus == nil {
				return nil
			}
			pace := in.pace()
			var out []Finding
			for _, ds := range in.Stack.Datasources {
				if !query.IsPrometheus(ds) || Unreachable(in.Stack, ds) != nil || Elsewhere(in.Stack, ds) != "" || !usedBy(in, ds) {
					continue
				}
				jobs := pace.usedThrough(in, ds)
				if len(jobs.used) == 0 {
					continue
				}
				if f := timeInterval(ds, jobs); f != nil {
					out = append(out, *f)
				}
			}
			return out
		},
	}
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

// usedJobs are the jobs whose series the dashboards show through a datasource.
type usedJobs struct {
	used []*stack.Job // those that are told; all jobs where none is
	told bool         // whether any is told
	// possible are the intervals at which series of the others may come, those of
	// jobs and of recording rules; none where every selector tells its jobs.
	possible []time.Duration
}

// usedThrough finds the jobs behind the selectors of what is asked through ds.
func (p pace) usedThrough(in *Static, ds *stack.Datasource) usedJobs {
	var out usedJobs
	for _, of := range inParallel(in.Boards, func(b *Board) []usedJobs { return []usedJobs{p.usedBy(b, ds)} }) {
		out.join(of)
	}
	if !out.told {
		out.used = slices.Clone(p.jobs)
	}
	slices.SortStableFunc(out.used, func(a, b *stack.Job) int { return int(a.ScrapeInterval - b.ScrapeInterval) })
	return out
}

// usedBy are the jobs whose series one dashboard shows.
func (p pace) usedBy(b *Board, ds *stack.Datasource) usedJobs {
	var out usedJobs
	for _, q := range b.Questions {
		if q.Datasource != ds || !q.Asks() {
			continue
		}
		root, err := Parse(q.Requests[0].Expr)
		if err != nil {
			continue // panel/syntax
		}
		for _, vs := range Selectors(root) {
			jobs, told := p.jobsOf(vs)
			switch {
			case told:
				out.join(usedJobs{used: jobs, told: len(jobs) > 0})
			default:
				out.possible = append(out.possible, p.evaluation)
				for _, j := range jobs {
					out.possible = append(out.possible, j.ScrapeInterval)
				}
			}
		}
	}
	slices.Sort(out.possible)
	out.possible = slices.Compact(out.possible)
	return out
}

// join adds what else is used.
func (u *usedJobs) join(other usedJobs) {
	for _, j := range other.used {
		if !slices.Contains(u.used, j) {
			u.used = append(u.used, j)
		}
	}
	for _, d := range other.possible {
		if !slices.Contains(u.possible, d) {
			u.possible = append(u.possible, d)
		}
	}
	u.told = u.told || other.told
}

// slowest is the interval that is right for all of the jobs: windows of four times
// less would be too short for the slowest of them.
func (u usedJobs) slowest() time.Duration { return u.used[len(u.used)-1].ScrapeInterval }

// agree says whether it is certain which interval is right: the jobs are told, or
// they all have the same.
func (u usedJobs) agree() bool { return u.told || u.used[0].ScrapeInterval == u.slowest() }

// suits says whether an interval is right as far as anyone can tell.
func (u usedJobs) suits(set time.Duration) bool {
	if !u.told {
		return slices.ContainsFunc(u.used, func(j *stack.Job) bool { return j.ScrapeInterval == set })
	}
	return set == u.slowest() || set > u.slowest() && slices.Contains(u.possible, set)
}

// evidence says how often the jobs are scraped.
func (u usedJobs) evidence() string {
	var said []string
	for _, j := range u.used {
		said = append(said, fmt.Sprintf("%q every %s", j.Name.Value, model.Duration(j.ScrapeInterval)))
	}
	if !u.told {
		return "the jobs are scraped: " + strings.Join(said, ", ")
	}
	return "the jobs that the dashboards use are scraped: " + strings.Join(said, ", ")
}

func timeInterval(ds *stack.Datasource, jobs usedJobs) *Finding {
	right := jobs.slowest()
	f := &Finding{
		Pos:      ds.TimeInterval.Pos,
		Evidence: []string{jobs.evidence()},
		Fix:      fmt.Sprintf("set jsonData.timeInterval: %s", model.Duration(right)),
	}
	if f.Pos.IsZero() {
		f.Pos = jsonDataPos(ds)
	}
	set, err := grafanaInterval(ds.TimeInterval.Value)
	switch {
	case ds.Node.At("jsonData", "timeInterval").Kind() == source.Number:
		f.Severity = Error
		f.Message = fmt.Sprintf("timeInterval of datasource %q is a number: Grafana wants a string, and refuses every query", ds.Name.Value)
	case ds.TimeInterval.Value == "" && jobs.suits(grafanaScrape):
		f.Message = fmt.Sprintf("datasource %q has no timeInterval: Grafana assumes %s, which happens to be right", ds.Name.Value, model.Duration(grafanaScrape))
	case ds.TimeInterval.Value == "":
		f.Message = fmt.Sprintf("datasource %q has no timeInterval: Grafana assumes a scrape every %s, and %s", ds.Name.Value,
			model.Duration(grafanaScrape), consequence(grafanaScrape, right))
	case err != nil:
		f.Severity = Error
		f.Message = fmt.Sprintf("timeInterval %q of datasource %q is no duration: Grafana refuses every query", ds.TimeInterval.Value, ds.Name.Value)
	case !jobs.suits(set):
		f.Message = fmt.Sprintf("timeInterval of datasource %q is %s, and its slowest job in use is scraped every %s: %s", ds.Name.Value,
			ds.TimeInterval.Value, model.Duration(right), consequence(set, right))
		if !jobs.told {
			f.Message = fmt.Sprintf("timeInterval of datasource %q is %s, and no job is scraped at that interval: %s", ds.Name.Value,
				ds.TimeInterval.Value, consequence(set, right))
		}
	default:
		return nil
	}
	if jobs.agree() {
		f.Repair = &Repair{
			What: fmt.Sprintf("jsonData.timeInterval becomes %s", model.Duration(right)),
			Set:  &Setting{Datasource: ds, InJSONData: true, Key: "timeInterval", Value: model.Duration(right).String()},
		}
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
