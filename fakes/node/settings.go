package node

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/release"
)

// settings are how a node_exporter was built and started.
type settings struct {
	release release.Release
	// known says of each collector of the release whether it is enabled.
	known         map[string]bool
	telemetryPath string
	// ownMetrics says that it tells of its own process: go_*, process_*, promhttp_*.
	ownMetrics bool
	maxThreads float64 // how many threads of it may run at once
	// unwanted are the families that a collector leaves out, by flags about them alone.
	unwanted map[string]bool
	filters  []filter
}

// filter is what a flag leaves of a collector's series.
type filter struct {
	collector string
	// label is the one whose value is looked at, "" for what stands behind prefix in the family's name.
	label, prefix string
	exclude       *regexp.Regexp // nil excludes nothing
	include       *regexp.Regexp // nil includes everything
}

func (f filter) keeps(value string) bool {
	return (f.exclude == nil || !f.exclude.MatchString(value)) && (f.include == nil || f.include.MatchString(value))
}

// read takes a setup for what the real one would, and refuses what it would not start with.
func read(setup fakes.Setup) (settings, error) {
	r, err := parseRelease(setup.Version)
	if err != nil {
		return settings{}, err
	}
	flags := allFlags()
	own, err := ownArguments(setup.Args)
	if err != nil {
		return settings{}, fmt.Errorf("args: %w", err)
	}
	args, err := takeApart(own, r, flags)
	if err == nil {
		var s settings
		if s, err = settled(r, flags, args, setup.Env); err == nil {
			return s, nil
		}
	}
	return settings{}, fmt.Errorf("args: node_exporter %s does not start: %w", r, err)
}

func settled(r release.Release, flags map[string]flag, args arguments, env map[string]string) (settings, error) {
	s := settings{release: r, known: map[string]bool{}, telemetryPath: "/metrics", ownMetrics: !args.switches["web.disable-exporter-metrics"],
		unwanted: unwanted(args)}
	for _, f := range flags {
		if name := f.collector(); name != "" && f.of(r) {
			enabled, said := args.switches[f.name]
			if !said {
				enabled = f.standard == "enabled" && !args.switches["collector.disable-defaults"]
			}
			s.known[name] = enabled
		}
	}
	threads := cmp.Or(args.values["runtime.gomaxprocs"], env["GOMAXPROCS"], "1")
	var err error
	if s.maxThreads, err = strconv.ParseFloat(threads, 64); err != nil {
		return s, fmt.Errorf("--runtime.gomaxprocs: %w", err)
	}
	if path, said := args.values["web.telemetry-path"]; said {
		s.telemetryPath = path
	}
	switch {
	case !strings.HasPrefix(s.telemetryPath, "/"):
		return s, fmt.Errorf("--web.telemetry-path=%s does not begin with /", s.telemetryPath)
	case s.telemetryPath == "/" && r.Before("1.6.0"):
		return s, errors.New("--web.telemetry-path=/ is where the landing page is, before 1.6.0 always")
	}
	s.filters, err = filters(args)
	return s, err
}

func unwanted(args arguments) map[string]bool {
	guests, said := args.switches["collector.cpu.guest"]
	out := map[string]bool{guestTime: said && !guests, processorInfo: !args.switches["collector.cpu.info"]}
	for family, name := range onlyAsked() {
		out[family] = !args.switches[name]
	}
	return out
}

// filterFlags are the flags that leave series out: those that exclude by a label and those that include, each by all of its
// spellings. Two spellings of one thing exclude each other, and so do excluding and including.
type filterFlags struct {
	collector, label, prefix string
	exclude, include         []string
	whole                    bool // the patterns match whole values, and excluding and including go together
}

func allFilterFlags() []filterFlags {
	return []filterFlags{
		{collector: "arp", label: "device", exclude: []string{"arp.device-exclude"}, include: []string{"arp.device-include"}},
		{collector: "diskstats", label: "device", exclude: []string{"diskstats.device-exclude", "diskstats.ignored-devices"},
			include: []string{"diskstats.device-include"}},
		{collector: "filesystem", label: "mountpoint", exclude: []string{"filesystem.mount-points-exclude", "filesystem.ignored-mount-points"},
			include: []string{"filesystem.mount-points-include"}},
		{collector: "filesystem", label: "fstype", exclude: []string{"filesystem.fs-types-exclude", "filesystem.ignored-fs-types"},
			include: []string{"filesystem.fs-types-include"}},
		{collector: "hwmon", label: "chip", exclude: []string{"hwmon.chip-exclude"}, include: []string{"hwmon.chip-include"}},
		{collector: "netclass", label: "device", exclude: []string{"netclass.ignored-devices"}},
		{collector: "netdev", label: "device", exclude: []string{"netdev.device-exclude", "netdev.device-blacklist"},
			include: []string{"netdev.device-include", "netdev.device-whitelist"}},
		{collector: "netstat", prefix: "node_netstat_", include: []string{"netstat.fields"}},
		{collector: "systemd", label: "name", whole: true, exclude: []string{"systemd.unit-exclude", "systemd.unit-blacklist"},
			include: []string{"systemd.unit-include", "systemd.unit-whitelist"}},
		{collector: "vmstat", prefix: "node_vmstat_", include: []string{"vmstat.fields"}},
	}
}

func filters(args arguments) ([]filter, error) {
	var found []filter
	for _, f := range allFilterFlags() {
		exclude, excluding, err := pattern(args, f.exclude, f.whole)
		if err != nil {
			return nil, err
		}
		include, including, err := pattern(args, f.include, f.whole)
		if err != nil {
			return nil, err
		}
		if exclude != nil && include != nil && !f.whole {
			return nil, fmt.Errorf("--collector.%s and --collector.%s are mutually exclusive", excluding, including)
		}
		if exclude != nil || include != nil {
			found = append(found, filter{collector: f.collector, label: f.label, prefix: f.prefix, exclude: exclude, include: include})
		}
	}
	return found, nil
}

// pattern is what the one of the spellings says that is given, nil where none is or where it is empty.
func pattern(args arguments, spellings []string, whole bool) (*regexp.Regexp, string, error) {
	given := slices.DeleteFunc(slices.Clone(spellings), func(s string) bool { return args.values["collector."+s] == "" })
	switch len(given) {
	case 0:
		return nil, "", nil
	case 1:
		text := args.values["collector."+given[0]]
		if whole {
			text = "^(?:" + text + ")$"
		}
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, "", fmt.Errorf("--collector.%s: %w", given[0], err)
		}
		return re, given[0], nil
	}
	return nil, "", fmt.Errorf("--collector.%s and --collector.%s are mutually exclusive", given[1], given[0])
}
