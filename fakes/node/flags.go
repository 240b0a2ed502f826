package node

import (
	_ "embed" // the flags' table
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/panelgate/panelgate/fakes/release"
)

//go:embed flags.csv
var flagTable string

// flag is an option of node_exporter's command line.
type flag struct {
	name         string
	takes        string // "switch" is on by its name and off by "no-" before it; "value" takes one, "values" may stand again
	since, until string // the first release that knows it and the first that does not any more, "" for as far as 1.x goes
	standard     string // of a collector's switch whether it is "enabled" or "disabled" by default
}

func (f flag) of(r release.Release) bool {
	return (f.since == "" || r.Since(f.since)) && (f.until == "" || r.Before(f.until))
}

// collector is the name of the collector that the flag switches, "" for other flags.
func (f flag) collector() string {
	if f.standard == "" {
		return ""
	}
	return strings.TrimPrefix(f.name, "collector.")
}

// allFlags are the flags of all releases by name. The table was taken from what the binaries of eleven releases say of themselves,
// and from the sources for what they hide; what came between two of those has the release that the change log tells.
func allFlags() map[string]flag {
	rows, err := csv.NewReader(strings.NewReader(flagTable)).ReadAll()
	if err != nil {
		panic("node: the embedded table of flags: " + err.Error()) // every test reads it
	}
	flags := make(map[string]flag, len(rows))
	for _, row := range rows[1:] {
		flags[row[0]] = flag{name: row[0], takes: row[1], since: row[2], until: row[3], standard: row[4]}
	}
	return flags
}

// arguments are a command line taken apart.
type arguments struct {
	switches map[string]bool
	values   map[string]string // the last of those that may stand again
}

// takeApart reads a command line as the given release does. The errors have the words of the real one.
func takeApart(args []string, r release.Release, flags map[string]flag) (arguments, error) {
	a := arguments{switches: map[string]bool{}, values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, long := strings.CutPrefix(arg, "--")
		switch {
		case !long && strings.HasPrefix(arg, "-") && arg != "-":
			return a, fmt.Errorf("unknown short flag '%.2s'", arg)
		case !long || name == "":
			return a, fmt.Errorf("unexpected %s", arg)
		}
		name, value, assigned := strings.Cut(name, "=")
		f, on, err := find(name, r, flags)
		if err != nil {
			return a, err
		}
		switch {
		case f.takes == "switch" && assigned:
			return a, fmt.Errorf("unexpected %s", value)
		case f.takes != "switch" && !assigned:
			if i+1 == len(args) || strings.HasPrefix(args[i+1], "-") {
				return a, fmt.Errorf("expected argument for flag '--%s'", f.name)
			}
			i++
			value = args[i]
		}
		if err := a.add(f, on, value); err != nil {
			return a, err
		}
	}
	return a, nil
}

// find is the flag of that name, and whether it is switched on.
func find(name string, r release.Release, flags map[string]flag) (flag, bool, error) {
	f, known := flags[name]
	if known && f.of(r) {
		return f, true, nil
	}
	if negated, ok := strings.CutPrefix(name, "no-"); ok && !known {
		f, known = flags[negated]
		if known && f.of(r) && f.takes == "switch" {
			return f, false, nil
		}
	}
	why := ""
	switch {
	case known && f.since != "" && r.Before(f.since):
		why = "; it came with " + f.since
	case known && f.until != "" && r.Since(f.until):
		why = "; it went with " + f.until
	}
	return f, false, fmt.Errorf("unknown long flag '--%s'%s", name, why)
}

func (a *arguments) add(f flag, on bool, value string) error {
	_, switched := a.switches[f.name]
	_, valued := a.values[f.name]
	if (switched || valued) && f.takes != "values" {
		return fmt.Errorf("flag '%s' cannot be repeated", f.name)
	}
	if f.takes == "switch" {
		a.switches[f.name] = on
		return nil
	}
	a.values[f.name] = value
	return check(f.name, value)
}

// check refuses values that are no number, level or format where one of those is wanted.
func check(name, value string) error {
	switch name {
	case "web.max-requests", "runtime.gomaxprocs":
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
	case "log.level":
		if !slices.Contains([]string{"debug", "info", "warn", "error"}, value) {
			return fmt.Errorf("unrecognized log level %s", value)
		}
	case "log.format":
		if !slices.Contains([]string{"logfmt", "json"}, value) {
			return fmt.Errorf("unrecognized log format %s", value)
		}
	}
	return nil
}
