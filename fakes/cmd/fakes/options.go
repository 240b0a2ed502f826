package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/beside"
	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/fakes/standard"
)

const helpText = `fakes serves exporters that are not there: GET /metrics of a machine that runs NVIDIA Triton, acted out from a scenario.

Usage:
  fakes triton [flags] [-- ARG...]
                         a Triton Inference Server's metrics    port 8002
  fakes dcgm   [flags] [-- ARG...]
                         a dcgm-exporter                        port 9400
  fakes node   [flags] [-- ARG...]
                         a node_exporter                        port 9100
  fakes vllm   [flags] [-- ARG...]
                         a vLLM server's metrics                port 8000
  fakes all    [flags]   all but vllm, each on its own port
  fakes serve --plan FILE
                         what panelgate's plan says: its side inside a container; "-" is standard input
  fakes beside --listen HOST:PORT [--hosts FILE]
                         run a container's program and tell of it, as panelgate says over HTTP with the token in FAKES_TOKEN
  fakes unpack FILE --into DIR
                         put the files of a tar archive into place, with their modes and owners

Flags:
  --listen HOST:PORT   where to serve; ":8002" is that port on every interface, "127.0.0.1:0" a free port for this machine only
                       (default: the exporter's own port on every interface, as the real one; with all: HOST alone)
  --scenario NAME|FILE what to act out: one of those below, or a YAML file (default %[2]s)
  --machine NAME       the machine to be: decides GPU UUIDs and host names, so that two fakes can differ (default localhost)
  --version RELEASE    which release to be, as 24.07, 3.3.5-3.4.0 or 1.9.1 (default: the newest that is acted out)
  --env NAME=VALUE     a variable that the exporter finds in its environment; may be repeated. The shell's own are none of them
  ARG...               the exporter's own command line, behind "--". Files that it names, as a CSV of counters, are read here.
                       What the real one would not start with is refused. It listens where --listen says all the same
  --help               this text

Examples:
  fakes triton --listen :8002
  fakes all --listen 127.0.0.1
  fakes dcgm --listen 127.0.0.1:9401 --machine gpu-box-2
  fakes all --scenario ./black-friday.yaml
  fakes triton --version 24.07 -- --metrics-config summary_latencies=true
  fakes dcgm --version 3.3.5-3.4.0 -- --collectors ./counters.csv

A scenario says how much traffic each model gets, how long its stages take, what fails, how busy GPUs and host are, and what happens to
them. docs/scenarios.md explains every key. It starts when fakes starts, all counters at 0. Ctrl-C ends it. Built in are
%[1]s.

A plan is JSON: scenario and start, addresses for the loopback interface (they need CAP_NET_ADMIN), and who answers on which port to
which Host header. Once everything listens, serve prints "ready".

Exit code: 0 ended by a signal; 2 wrong usage, scenario or plan; 3 could not serve, such as when the port is taken.
`

func help() string {
	return fmt.Sprintf(helpText, strings.Join(fakes.BuiltinScenarios(), ", "), fakes.DefaultScenario)
}

// errHelp says that the help text was asked for.
var errHelp = errors.New("help wanted")

// Commands beside the exporters' names.
const (
	allExporters = "all"
	servePlan    = "serve"
	superviseIt  = "beside"
	unpackFiles  = "unpack"
)

// options are what a command line asks for.
type options struct {
	plan   *plan.Plan
	ready  bool   // say so once everything listens
	remedy string // what helps when a port is taken
	listen string // of the supervisor, "" for none
	hosts  string // the hosts file that it writes
	unpack string // the archive to unpack, "" for none
	into   string
}

// parse reads a command line, and the plan that it may name. Its errors are wrong usage, errHelp and the end of ctx aside.
func parse(ctx context.Context, args []string, stdin io.Reader) (options, error) {
	if len(args) == 0 {
		return options{}, errors.New("which exporter? " + strings.Join(commands(), ", "))
	}
	command := args[0]
	switch {
	case slices.Contains([]string{"help", "-h", "-help", "--help"}, command):
		return options{}, errHelp
	case command == servePlan:
		return parseServe(ctx, args[1:], stdin)
	case command == superviseIt:
		return parseBeside(args[1:])
	case command == unpackFiles:
		return parseUnpack(args[1:])
	case !slices.Contains(commands(), command):
		return options{}, fmt.Errorf("no exporter %q; there are %s", command, strings.Join(commands(), ", "))
	}
	return parseExporter(command, args[1:])
}

// parseServe reads what follows "serve".
func parseServe(ctx context.Context, args []string, stdin io.Reader) (options, error) {
	flags := newFlags(servePlan)
	file := flags.String("plan", "", "")
	if err := parseFlags(flags, args); err != nil {
		return options{}, err
	}
	if *file == "" {
		return options{}, errors.New("serve wants --plan FILE")
	}
	p, err := readPlan(ctx, *file, stdin)
	return options{plan: p, ready: true, remedy: "end it, or plan for another address"}, err
}

// parseBeside reads what follows "beside".
func parseBeside(args []string) (options, error) {
	flags := newFlags(superviseIt)
	listen := flags.String("listen", "", "")
	hosts := flags.String("hosts", "/etc/hosts", "")
	if err := parseFlags(flags, args); err != nil {
		return options{}, err
	}
	if _, _, err := net.SplitHostPort(*listen); err != nil {
		return options{}, errors.New("beside wants --listen HOST:PORT or :PORT")
	}
	if os.Getenv(beside.TokenVariable) == "" {
		return options{}, fmt.Errorf("beside wants a token in %s: who shows it may run any command here", beside.TokenVariable)
	}
	return options{listen: *listen, hosts: *hosts, remedy: "choose another address with --listen"}, nil
}

// parseUnpack reads what follows "unpack".
func parseUnpack(args []string) (options, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return options{}, errors.New("unpack wants FILE --into DIR")
	}
	flags := newFlags(unpackFiles)
	into := flags.String("into", "", "")
	if err := parseFlags(flags, args[1:]); err != nil {
		return options{}, err
	}
	if *into == "" {
		return options{}, errors.New("unpack wants --into DIR")
	}
	return options{unpack: args[0], into: *into}, nil
}

// parseExporter reads what follows the name of an exporter, or "all", and makes a plan of it.
func parseExporter(command string, args []string) (options, error) {
	var told setupFlags
	args, told.args = cutArgs(args)
	flags := newFlags(command)
	told.add(flags)
	listen := flags.String("listen", "", "")
	scenario := flags.String("scenario", fakes.DefaultScenario, "")
	machine := flags.String("machine", "localhost", "")
	if err := parseFlags(flags, args); err != nil {
		if strings.HasPrefix(err.Error(), "flag provided but not defined") && command != allExporters {
			err = fmt.Errorf("%w; the exporter's own command line stands behind %s", err, endOfFlags)
		}
		return options{}, err
	}
	if *machine == "" {
		return options{}, errors.New("--machine wants a name")
	}
	endpoints, err := endpoints(command, *listen)
	if err != nil {
		return options{}, err
	}
	sc, err := loadScenario(*scenario)
	if err != nil {
		return options{}, err
	}
	p := &plan.Plan{Version: plan.Version, Start: time.Now(), ScenarioName: sc.Name(), Scenario: string(sc.YAML())}
	for _, e := range endpoints {
		p.Listeners = append(p.Listeners, plan.Listener{Listen: e.address, Routes: []plan.Route{{Exporter: e.exporter, Instance: *machine}}})
	}
	if err := p.Validate(); err != nil {
		return options{}, err
	}
	return options{plan: p, remedy: "end it, or choose another address with --listen"}, told.setUp(p, sc)
}

func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

func parseFlags(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return errHelp
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is one word too many", flags.Arg(0))
	}
	return nil
}

func commands() []string {
	return append(standard.Names(), allExporters, servePlan, superviseIt, unpackFiles)
}

// endpoint is an exporter and the address it shall be served on.
type endpoint struct {
	exporter string
	address  string
}

// endpoints says which exporters to serve where.
func endpoints(command, listen string) ([]endpoint, error) {
	if command == allExporters {
		if host, port, err := net.SplitHostPort(listen); err == nil {
			return nil, fmt.Errorf("--listen %s: all serves each exporter on its own port; give the host alone, as in --listen %q, not :%s", listen, host, port)
		}
		host := strings.Trim(listen, "[]")
		var all []endpoint
		for _, name := range standard.Names() {
			if !ownsPort(name) {
				continue // whoever wants it beside others' servers says so
			}
			all = append(all, endpoint{name, net.JoinHostPort(host, defaultPort(name))})
		}
		return all, nil
	}
	if listen == "" {
		listen = ":" + defaultPort(command)
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: want HOST:PORT or :PORT", listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, fmt.Errorf("--listen %s: %q is no port number", listen, port)
	}
	return []endpoint{{command, listen}}, nil
}

// ownsPort says whether an exporter's default port is its own, and not that of half the servers there are.
func ownsPort(exporter string) bool {
	port, _ := standard.Port(exporter)
	of, ok := standard.OfPort(port)
	return ok && of == exporter
}

func defaultPort(exporter string) string {
	port, _ := standard.Port(exporter) // every name given here comes from standard.Names
	return strconv.Itoa(port)
}

// loadScenario takes what is named like a file for a file and everything else for the name of a built-in scenario.
func loadScenario(nameOrFile string) (*fakes.Scenario, error) {
	if strings.ContainsAny(nameOrFile, `/\.`) {
		return fakes.LoadScenario(nameOrFile)
	}
	return fakes.BuiltinScenario(nameOrFile)
}
