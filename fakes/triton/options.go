package triton

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes/catalogue"
	"github.com/panelgate/panelgate/fakes/release"
)

// options is what a Triton was started as, as far as its metrics show it.
type options struct {
	release   release.Release
	catalogue *catalogue.Catalogue

	metrics, gpuMetrics, cpuMetrics  bool
	interval                         time.Duration // between polls
	counters, histograms, summaries  bool          // of latencies
	quantiles                        []float64     // of summaries
	pinned                           float64       // bytes of the pinned memory pool
	cache                            cacheOptions
	namespace                        string // of all models; "" without namespacing
	namespacing                      bool
	repository                       string
	responseCacheBytes, cacheConfigs int // how often each way to have a response cache was named
}

type cacheOptions struct {
	on    bool
	bytes float64
}

// unsaid is how large the response cache is where nothing says so.
const unsaid = 64 << 20

// caching is the first release in which the response cache shows.
const caching = "22.02"

// readOptions reads a command line. A whole one that names no response cache has none; of an excerpt that does not, nothing follows, and
// then the cache is on: the scenario's models say whether they use it. Flags that say nothing about metrics are passed over, and so are
// those that the release does not know yet: what a newer release would do with them is not there either.
func readOptions(r release.Release, args []string) (*options, error) {
	o := &options{
		release: r, catalogue: catalogue.New(), metrics: true, gpuMetrics: true, cpuMetrics: true, counters: true, pinned: pinnedPool,
		quantiles: []float64{0.5, 0.9, 0.95, 0.99, 0.999}, interval: pollInterval(defaultInterval), repository: "/models",
	}
	if r.Before("22.02") {
		o.interval = defaultInterval
	}
	words, whole, err := commandLine(args)
	if err != nil {
		return nil, err
	}
	o.cache = cacheOptions{on: !r.Before(caching) && !whole, bytes: unsaid}
	flags, err := o.split(words)
	if err != nil {
		return nil, err
	}
	for _, f := range flags {
		if err := f.read(f.value); err != nil {
			return nil, fmt.Errorf("--%s=%s: %w", f.name, f.value, err)
		}
	}
	if o.responseCacheBytes > 0 && o.cacheConfigs > 0 {
		return nil, errors.New("--response-cache-byte-size and --cache-config are both there; Triton takes one of them")
	}
	if o.namespacing {
		o.namespace = o.repository
	}
	return o, nil
}

// metric is what the catalogue knows of a metric.
func (o *options) metric(name string) catalogue.Metric {
	m, _, _ := o.catalogue.Series(name)
	return m
}

// defaultInterval is --metrics-interval-ms where it is not set.
const defaultInterval = 2 * time.Second

// pollInterval is how long the poll thread sleeps: half of what the flag says, in whole milliseconds. Up to 22.01 it slept two
// seconds.
func pollInterval(flag time.Duration) time.Duration { return (flag / 2).Truncate(time.Millisecond) }

// setting is a flag that is about metrics: since when it is known, and how its value is read.
type setting struct {
	since string // "" for all releases
	read  func(value string) error
}

func (o *options) settings() map[string]setting {
	return map[string]setting{
		"allow-metrics":                {read: boolean(&o.metrics)},
		"allow-gpu-metrics":            {read: boolean(&o.gpuMetrics)},
		"allow-cpu-metrics":            {"22.09", boolean(&o.cpuMetrics)},
		"metrics-interval-ms":          {"22.02", o.readInterval},
		"metrics-config":               {"23.04", o.readMetricsConfig},
		"response-cache-byte-size":     {caching, o.readCacheBytes},
		"cache-config":                 {"23.03", o.readCacheConfig},
		"pinned-memory-pool-byte-size": {read: o.readPinned},
		"model-namespacing":            {namespaces, boolean(&o.namespacing)},
		"model-repository":             {read: o.readRepository},
		"model-store":                  {read: o.readRepository},
		"model-control-mode":           {read: oneOf("none", "poll", "explicit")},
	}
}

// boolean reads a truth value as Triton does.
func boolean(to *bool) func(string) error {
	return func(value string) error {
		switch strings.ToLower(value) {
		case "true", "on", "1":
			*to = true
		case "false", "off", "0":
			*to = false
		default:
			return errors.New("want true, on, 1, false, off or 0")
		}
		return nil
	}
}

func oneOf(values ...string) func(string) error {
	return func(value string) error {
		for _, v := range values {
			if value == v {
				return nil
			}
		}
		return fmt.Errorf("want one of %s", strings.Join(values, ", "))
	}
}

// wholeNumber is what std::stoi reads: digits, whatever stands behind them.
var wholeNumber = regexp.MustCompile(`^\s*([+-]?\d+)`)

func integer(value string) (int64, error) {
	m := wholeNumber.FindStringSubmatch(value)
	if m == nil {
		return 0, errors.New("want a whole number")
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, errors.New("the number is too large")
	}
	return n, nil
}

const maxInterval = 1<<31 - 1 // of an int

func (o *options) readInterval(value string) error {
	ms, err := integer(value)
	if err != nil {
		return err
	}
	if ms < 0 || ms > maxInterval {
		return fmt.Errorf("want 0 to %d milliseconds", maxInterval)
	}
	o.interval = pollInterval(time.Duration(ms) * time.Millisecond)
	return nil
}

func (o *options) readPinned(value string) error {
	n, err := integer(value)
	o.pinned = max(float64(n), 0)
	return err
}

func (o *options) readRepository(value string) error {
	o.repository = value
	return nil
}

func (o *options) readCacheBytes(value string) error {
	n, err := integer(value)
	if err != nil {
		return err
	}
	o.responseCacheBytes++
	o.cache = cacheOptions{on: n > 0, bytes: float64(n)}
	return nil
}

// readCacheConfig reads "name,setting=value". Only the size of the cache in Triton's own memory is looked at.
func (o *options) readCacheConfig(value string) error {
	cache, rest, named := strings.Cut(value, ",")
	key, text, set := strings.Cut(rest, "=")
	if !named || cache == "" || !set || key == "" || text == "" {
		return errors.New("want <cache name>,<setting>=<value>, such as local,size=1048576")
	}
	o.cacheConfigs++
	o.cache.on = true
	if cache != "local" || key != "size" {
		return nil
	}
	n, err := integer(text)
	if err == nil && n <= 0 {
		err = errors.New("want a size above 0")
	}
	o.cache.bytes = float64(n)
	return err
}

// readMetricsConfig reads "setting=value". Triton looks for the very words true and false: any other value leaves the setting as it
// is, and so does a second one that says the opposite.
func (o *options) readMetricsConfig(value string) error {
	key, text, ok := strings.Cut(value, "=")
	if !ok || key == "" || text == "" || strings.Contains(key, ",") {
		return errors.New("want <setting>=<value>, such as summary_latencies=true")
	}
	switch {
	case key == "counter_latencies" && text == "false":
		o.counters = false
	case key == "histogram_latencies" && text == "true":
		o.histograms = true
	case key == "summary_latencies" && text == "true":
		o.summaries = true
	case key == "summary_quantiles":
		return o.readQuantiles(text)
	}
	return nil
}

// leadingFloat is what std::stod reads: a number, whatever stands behind it.
var leadingFloat = regexp.MustCompile(`(?i)^\s*([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan))`)

// readQuantiles reads "quantile:error,...". Pairs that are none are passed over; where nothing is left, the quantiles stay as they are.
func (o *options) readQuantiles(text string) error {
	var quantiles []float64
	for pair := range strings.SplitSeq(text, ",") {
		q, margin, ok := strings.Cut(pair, ":")
		first, second := leadingFloat.FindStringSubmatch(q), leadingFloat.FindStringSubmatch(margin)
		if !ok || first == nil || second == nil {
			continue
		}
		v, err := strconv.ParseFloat(first[1], 64)
		if err != nil {
			return fmt.Errorf("%q: a number out of range, which ends Triton as it loads its first model", pair)
		}
		if _, err := strconv.ParseFloat(second[1], 64); err != nil {
			return fmt.Errorf("%q: a number out of range, which ends Triton as it loads its first model", pair)
		}
		quantiles = append(quantiles, v)
	}
	if len(quantiles) > 0 {
		o.quantiles = quantiles
	}
	return nil
}
