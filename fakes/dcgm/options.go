package dcgm

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/commandline"
)

// options are what the command line and the environment say that a scrape shows.
type options struct {
	counters      string
	configMap     string
	interval      time.Duration
	kubernetes    bool
	podLabels     bool
	podUID        bool
	allowedLabels []*regexp.Regexp
	oldNamespace  bool
	noHostname    bool
	remote        string // host of a remote host engine, "" for none
	plainModel    bool   // no blanks in modelName
	jobDir        string
	xidWindow     time.Duration
	clockWindow   time.Duration
	devices       devices
}

// flag is a flag of dcgm-exporter, with the environment variable that says the same.
type flag struct {
	names []string // the long one first
	env   string
	bool  bool
	set   func(o *options, value string) error
}

// defaultInterval is how often dcgm-exporter asks its GPUs; scrapes in between see the values of the last time.
const defaultInterval = 30 * time.Second

// defaultWindow is how far back XID errors and clock events are counted.
const defaultWindow = 5 * time.Minute

// flags are those that a scrape shows. All others are passed over, with their values.
func flags() []flag {
	return []flag{
		{[]string{"collectors", "f"}, "DCGM_EXPORTER_COLLECTORS", false, text(func(o *options) *string { return &o.counters })},
		{[]string{"configmap-data", "m"}, "DCGM_EXPORTER_CONFIGMAP_DATA", false, text(func(o *options) *string { return &o.configMap })},
		{[]string{"collect-interval", "c"}, "DCGM_EXPORTER_INTERVAL", false, millis(func(o *options) *time.Duration { return &o.interval })},
		{[]string{"kubernetes", "k"}, "DCGM_EXPORTER_KUBERNETES", true, yes(func(o *options) *bool { return &o.kubernetes })},
		{[]string{"kubernetes-enable-pod-labels"}, "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS", true,
			yes(func(o *options) *bool { return &o.podLabels })},
		{[]string{"kubernetes-enable-pod-uid"}, "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_UID", true,
			yes(func(o *options) *bool { return &o.podUID })},
		{[]string{"kubernetes-pod-label-allowlist-regex"}, "DCGM_EXPORTER_KUBERNETES_POD_LABEL_ALLOWLIST_REGEX", false,
			(*options).allowLabels},
		{[]string{"kubernetes-gpu-id-type"}, "DCGM_EXPORTER_KUBERNETES_GPU_ID_TYPE", false, (*options).idType},
		{[]string{"use-old-namespace", "o"}, "DCGM_EXPORTER_USE_OLD_NAMESPACE", true, yes(func(o *options) *bool { return &o.oldNamespace })},
		{[]string{"no-hostname", "n"}, "DCGM_EXPORTER_NO_HOSTNAME", true, yes(func(o *options) *bool { return &o.noHostname })},
		{[]string{"remote-hostengine-info", "r"}, "DCGM_REMOTE_HOSTENGINE_INFO", false, (*options).remoteHost},
		{[]string{"replace-blanks-in-model-name", "rbmn"}, "DCGM_EXPORTER_REPLACE_BLANKS_IN_MODEL_NAME", true,
			yes(func(o *options) *bool { return &o.plainModel })},
		{[]string{"hpc-job-mapping-dir"}, "DCGM_HPC_JOB_MAPPING_DIR", false, text(func(o *options) *string { return &o.jobDir })},
		{[]string{"xid-count-window-size", "x"}, "DCGM_EXPORTER_XID_COUNT_WINDOW_SIZE", false,
			millis(func(o *options) *time.Duration { return &o.xidWindow })},
		{[]string{"clock-events-count-window-size"}, "DCGM_EXPORTER_CLOCK_EVENTS_COUNT_WINDOW_SIZE", false,
			millis(func(o *options) *time.Duration { return &o.clockWindow })},
		{[]string{"devices", "d"}, "DCGM_EXPORTER_DEVICES_STR", false, (*options).setDevices},
	}
}

// switches are the flags without a value that a scrape does not show; what follows them is a flag of its own.
func switches() []string {
	return []string{"fake-gpus", "debug", "enable-dcgm-log", "container-labels", "kubernetes-virtual-gpus", "dump-enabled", "dump-compression",
		"kubernetes-enable-dra", "disable-startup-validate", "enable-gpu-bind-unbind-watch", "enable-pprof", "web-systemd-socket", "help", "h", "version", "v"}
}

func readOptions(setup fakes.Setup) (*options, error) {
	o := &options{
		counters: defaultCounters, configMap: "none", interval: defaultInterval, xidWindow: defaultWindow, clockWindow: defaultWindow,
		devices: devices{flex: true},
	}
	known := flags()
	for _, f := range known {
		value, ok := setup.Env[f.env]
		if !ok || value == "" {
			continue
		}
		if err := f.set(o, value); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", f.env, err)
		}
	}
	args, _, err := commandline.Arguments(setup.Args, func(word string) bool { return path.Base(word) == "dcgm-exporter" })
	if err != nil {
		return o, fmt.Errorf("args: %w", err)
	}
	return o, o.readArgs(known, args)
}

func (o *options) readArgs(known []flag, args []string) error {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, isFlag := strings.CutPrefix(arg, "-")
		if !isFlag || name == "" {
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		at := slices.IndexFunc(known, func(f flag) bool { return slices.Contains(f.names, name) })
		switch {
		case given: // --name=value
		case at < 0 && slices.Contains(switches(), name), at >= 0 && known[at].bool:
			value = "true"
		case len(args) == 0 && at >= 0:
			return fmt.Errorf("flag %s: its value is missing", arg)
		case len(args) > 0 && (at >= 0 || !strings.HasPrefix(args[0], "-")):
			value, args = args[0], args[1:]
		}
		if at < 0 {
			continue
		}
		if err := known[at].set(o, value); err != nil {
			return fmt.Errorf("flag %s: %w", arg, err)
		}
	}
	return nil
}

func text(to func(*options) *string) func(*options, string) error {
	return func(o *options, v string) error { *to(o) = v; return nil }
}

func yes(to func(*options) *bool) func(*options, string) error {
	return func(o *options, v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", v)
		}
		*to(o) = b
		return nil
	}
}

func millis(to func(*options) *time.Duration) func(*options, string) error {
	return func(o *options, v string) error {
		n, err := strconv.ParseInt(v, 0, 32)
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is no number of milliseconds", v)
		}
		*to(o) = time.Duration(n) * time.Millisecond
		return nil
	}
}

func (o *options) allowLabels(v string) error {
	for pattern := range strings.SplitSeq(v, ",") {
		r, err := regexp.Compile(strings.TrimSpace(pattern))
		if err != nil {
			return fmt.Errorf("%q: %w", pattern, err)
		}
		o.allowedLabels = append(o.allowedLabels, r)
	}
	return nil
}

func (o *options) idType(v string) error {
	if v != "uid" && v != "device-name" {
		return fmt.Errorf("%q is neither uid nor device-name", v)
	}
	return nil
}

// remoteHost reads the address of a host engine elsewhere: host, host:port, or a URI.
func (o *options) remoteHost(v string) error {
	if _, address, ok := strings.Cut(v, "://"); ok {
		v = address
	}
	o.remote = v
	if host, _, err := net.SplitHostPort(v); err == nil {
		o.remote = host
	}
	return nil
}

// devices are the GPUs that are looked at: flex is all of them, of those in MIG mode their instances.
type devices struct {
	flex            bool
	gpus, instances bool
	gpuIDs          []int // nil for all
	instanceIDs     []int
}

func (o *options) setDevices(v string) error {
	d, err := readDevices(v)
	o.devices = d
	return err
}

// readDevices reads f, g, i, or g and i together, each with or without the numbers of those that are meant: g:0,2-3+i:1.
func readDevices(v string) (devices, error) {
	if v == "f" {
		return devices{flex: true}, nil
	}
	var d devices
	for part := range strings.SplitSeq(v, "+") {
		letter, list, some := strings.Cut(part, ":")
		ids, err := readIDs(list, some)
		switch {
		case err != nil:
			return devices{}, fmt.Errorf("%q: %w", v, err)
		case letter == "g":
			d.gpus, d.gpuIDs = true, ids
		case letter == "i":
			d.instances, d.instanceIDs = true, ids
		default:
			return devices{}, fmt.Errorf("%q is none of f, g, i and g+i", v)
		}
	}
	return d, nil
}

func readIDs(list string, some bool) ([]int, error) {
	const most = 64 // more than a machine has
	if !some {
		return nil, nil
	}
	ids := []int{}
	for span := range strings.SplitSeq(list, ",") {
		first, last, isSpan := strings.Cut(span, "-")
		if !isSpan {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", first)
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", last)
		}
		for n := range min(max(to, from-1)-from, most-1) + 1 { // none where they stand the wrong way round
			ids = append(ids, from+n)
		}
	}
	return ids, nil
}
