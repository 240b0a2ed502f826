package vllm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

// newest is the release that is acted out where none is asked for.
const newest = "0.17.1"

// Versions are the releases acted out, oldest first. A release between two of them is acted out too.
func Versions() []string {
	return []string{"0.4.3", "0.5.5", "0.6.6", "0.7.3", "0.8.5", "0.9.2", "0.10.2", "0.11.0", "0.12.0", "0.14.1", newest}
}

// Build is New for a server that is set up otherwise. An error says what in the setup the real one would not start with.
func Build(w *fakes.World, instance string, setup fakes.Setup) (*Exporter, error) {
	o := defaultOptions()
	if setup.Version != "" {
		r, err := release.Parse(setup.Version)
		if err != nil {
			return nil, fmt.Errorf("version: %w", err)
		}
		if r.Before(oldest) {
			return nil, fmt.Errorf("version: %s is older than %s, the oldest vLLM that is acted out", r, oldest)
		}
		o.release = r
	}
	if err := o.readEnv(setup.Env); err != nil {
		return nil, err
	}
	if err := o.readArgs(setup.Args); err != nil {
		return nil, err
	}
	return newExporter(w, instance, o), nil
}

// oldest is the release that brought the metrics their place in prometheus_client.
const oldest = "0.4"

// options are what of a server's setup its metrics show.
type options struct {
	release         release.Release
	engine          string // "0" or "1" for the first or the second engine, "" for the release's own
	model           string // as the metrics are labelled, "" for that of the world
	contextTokens   int64  // 0 for that of the world's model
	disableLogStats bool
	showHidden      release.Release // metrics hidden since then are shown
	oneProcess      bool            // the first engine runs in the server's own process
	apiServers      int64
	flops           bool // --enable-mfu-metrics
	memoryShare     string
	blockSize       string // "" for that of the world's model
	cacheType       string
	prefixCaching   bool
}

func defaultOptions() options {
	return options{release: release.MustParse(newest), apiServers: 1, memoryShare: "0.9", cacheType: "auto", prefixCaching: true}
}

// multiprocess says whether the metrics are collected from files of several processes, which knows nothing of the process itself.
func (o options) multiprocess() bool {
	if o.apiServers > 1 {
		return true
	}
	return o.v0() && !o.oneProcess && o.release.Since("0.5.5")
}

// v0 says whether the first engine runs, whose metrics differ: the only one before 0.7, the default before 0.8, gone with 0.11.
func (o options) v0() bool {
	switch {
	case o.release.Before("0.7"):
		return true
	case o.release.Since("0.11"):
		return false
	case o.engine != "":
		return o.engine == "0"
	}
	return o.release.Before("0.8")
}

// instrumented says whether the server counts its own HTTP requests.
func (o options) instrumented() bool { return o.release.Since("0.6") }

// shows says whether a metric that is hidden since a release is to be seen: while it is not, or in the minor release after where
// that is asked for.
func (o options) shows(hiddenSince string) bool {
	if hiddenSince == "" || o.release.Before(hiddenSince) {
		return true
	}
	return !o.showHidden.IsZero() && minorOf(o.showHidden)+1 == minorOf(o.release)
}

// minorOf is the second number of a release, that of the next one for the development branch.
func minorOf(r release.Release) int {
	text := r.String()
	if text == release.Tip {
		text = newest
	}
	parts := strings.Split(text, ".")
	n, err := strconv.Atoi(parts[min(1, len(parts)-1)])
	if err != nil {
		return 0 // a release has numbers between its dots
	}
	return n
}

// engineVariable chose between the engines while there were two.
const engineVariable = "VLLM_USE_V1"

func (o *options) readEnv(env map[string]string) error {
	switch value, set := env[engineVariable]; {
	case !set:
	case value == "0" || value == "1":
		o.engine = value
	default:
		return fmt.Errorf("%s: want 0 or 1, have %q", engineVariable, value)
	}
	return nil
}

// share is a number as --gpu-memory-utilization takes it.
var share = regexp.MustCompile(`^(0?\.\d+|1(\.0*)?)$`)

// readArgs reads the command line. Of the flags that metrics show nothing of only the value is passed over with them.
func (o *options) readArgs(args []string) error {
	args, err := commandLine(args)
	if err != nil {
		return err
	}
	for _, arg := range args {
		if !utf8.ValidString(arg) { // labels have to be, and a scrape fails where one is not
			return fmt.Errorf("%q is no UTF-8", arg)
		}
	}
	served := false
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(flag, "--") {
			if i == 0 && flag != "" && !strings.HasPrefix(flag, "-") && o.model == "" {
				o.model = args[i] // vllm serve MODEL
			}
			continue
		}
		if !joined && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			value = args[i+1]
		}
		switch flag = strings.ReplaceAll(flag, "_", "-"); flag {
		case "--model":
			if !served {
				o.model = value
			}
		case "--served-model-name":
			o.model, served = value, true // of several the first
		}
		if err := o.readFlag(flag, value); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

func (o *options) readFlag(flag, value string) error {
	var err error
	switch flag {
	case "--model", "--served-model-name":
		if value == "" {
			err = fmt.Errorf("want a name")
		}
	case "--disable-log-stats":
		o.disableLogStats = true
	case "--disable-frontend-multiprocessing":
		o.oneProcess = true
	case "--enable-mfu-metrics":
		o.flops = true
	case "--enable-prefix-caching":
		o.prefixCaching = true
	case "--no-enable-prefix-caching":
		o.prefixCaching = false
	case "--show-hidden-metrics-for-version":
		o.showHidden, err = release.Parse(value)
	case "--max-model-len":
		o.contextTokens, err = positive(value)
	case "--api-server-count":
		o.apiServers, err = positive(value)
	case "--block-size":
		_, err = positive(value)
		o.blockSize = value
	case "--kv-cache-dtype":
		o.cacheType = value
	case "--gpu-memory-utilization":
		if !share.MatchString(value) {
			err = fmt.Errorf("want a number above 0 and up to 1, have %q", value)
		}
		o.memoryShare = value
	}
	return err
}

// positive reads a whole number above 0; 32k is 32000 and 32K is 32768, as vLLM has it.
func positive(value string) (int64, error) {
	digits, factor := value, int64(1)
	for suffix, by := range map[string]int64{"k": 1000, "K": 1 << 10, "m": 1_000_000, "M": 1 << 20} {
		if cut, ok := strings.CutSuffix(value, suffix); ok {
			digits, factor = cut, by
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("want a whole number above 0, have %q", value)
	}
	return n * factor, nil
}

// traits are what follows from a server's setup for every scrape.
type traits struct {
	firstEngine, multiprocess, instrumented bool
	contentType                             string
	labels                                  []label // of every series of the engine's
	config                                  []label // of vllm:cache_config_info
	reasons                                 []string
	python                                  python
}

func (o options) traits(kvBlocks int64) traits {
	t := traits{
		firstEngine: o.v0(), multiprocess: o.multiprocess(), instrumented: o.instrumented(), contentType: textFormat,
		labels: []label{{"model_name", o.model}}, config: o.cacheConfig(kvBlocks), reasons: []string{"stop", "length", "abort"}, python: o.python(),
	}
	if !t.firstEngine && o.release.Since("0.9") { // when there could be several of them
		t.labels = with(t.labels, label{"engine", "0"})
	}
	if o.release.Since("0.11") { // whose images have the release of prometheus_client that took the new format for its own
		t.contentType = newTextFormat
	}
	if o.release.Since("0.13") {
		t.reasons = append(t.reasons, "error")
	}
	if o.release.Since("0.17") {
		t.reasons = append(t.reasons, "repetition")
	}
	return t
}
