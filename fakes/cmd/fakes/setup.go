package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/plan"
	"github.com/panelgate/panelgate/fakes/standard"
)

// endOfFlags stands between this program's flags and the command line of the exporter itself.
const endOfFlags = "--"

// setupFlags are how an exporter is built and started, as a command line says it.
type setupFlags struct {
	version string
	args    []string
	env     environment
}

func (s *setupFlags) add(flags *flag.FlagSet) {
	flags.StringVar(&s.version, "version", "", "")
	flags.Var(&s.env, "env", "")
}

// environment are variables for the exporter; this program's own are none of them, as a fake is to be the same on every machine.
type environment map[string]string

func (e *environment) String() string { return "" }

// Set takes one NAME=VALUE.
func (e *environment) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("want NAME=VALUE")
	}
	if *e == nil {
		*e = environment{}
	}
	(*e)[name] = value
	return nil
}

// cutArgs parts this program's words from those of the exporter's own command line.
func cutArgs(args []string) (own, exporters []string) {
	if i := slices.Index(args, endOfFlags); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

// setup is what was said, with the files that it names.
func (s *setupFlags) setup() (fakes.Setup, error) {
	out := fakes.Setup{Version: s.version, Args: s.args, Env: s.env}
	named := slices.Clone(s.args)
	for _, value := range s.env {
		named = append(named, value)
	}
	for _, word := range named {
		if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
			word = value
		}
		content, ok, err := smallFile(word)
		if err != nil {
			return fakes.Setup{}, fmt.Errorf("read what the exporter is told to: %w", err)
		}
		if !ok {
			continue
		}
		if out.Files == nil {
			out.Files = map[string]string{}
		}
		out.Files[word] = content
	}
	return out, nil
}

// smallFile reads what a word names, false where that is no file, or one too large to be read as a setting.
func smallFile(name string) (string, bool, error) {
	const most = 1 << 20
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return "", false, nil //nolint:nilerr // most words name no file
	}
	data, err := os.ReadFile(name)
	return string(data), err == nil, err
}

// setUp says in a plan how its exporters are set up. What the real one would not start with is wrong usage.
func (s *setupFlags) setUp(p *plan.Plan, sc *fakes.Scenario) error {
	if s.version == "" && len(s.args) == 0 && len(s.env) == 0 {
		return nil
	}
	if len(p.Listeners) > 1 {
		return fmt.Errorf("--version, --env and a command line behind -- are of one exporter, and %s serves several: start each by itself", allExporters)
	}
	setup, err := s.setup()
	if err != nil {
		return err
	}
	r := &p.Listeners[0].Routes[0]
	r.Setup = setup
	_, err = standard.ByName(r.Exporter, r.Instance, fakes.NewWorld(sc, p.Start), setup)
	return err
}
