package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/env/dagger"
	"github.com/panelgate/panelgate/e2e/env/docker"
	"github.com/panelgate/panelgate/e2e/env/embedded"
	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/e2e/nearest"
)

// twinPrefix begins the name of every variable that the command reads.
const twinPrefix = "PANELGATE_"

// envName is the variable that gives a flag where the command line does not.
func envName(flag string) string {
	return twinPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// byTwin marks a flag that its variable has set, so that errors can name that.
const byTwin = "panelgate_by_twin"

// twins sets the flags of a command that the environment gives and the command line
// does not. What means nothing where the stack runs is passed over: a pipeline has one
// environment for all of its steps.
func twins(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if err := whereByTwin(cmd); err != nil {
		return err
	}
	var err error
	set := func(pass func(flag *pflag.Flag) bool) {
		flags.VisitAll(func(flag *pflag.Flag) {
			if err == nil && flag.Name != "env" && pass(flag) && !elsewhere(flags, flag.Name) {
				err = twinned(flags, flag)
			}
		})
	}
	modes := howMatrixRuns()
	if flags.Lookup("matrix") == nil {
		modes = nil // what is called so is of the command itself
	}
	set(func(flag *pflag.Flag) bool { return !slices.Contains(modes, flag.Name) })
	if varied(flags.Changed) {
		set(func(flag *pflag.Flag) bool { return slices.Contains(modes, flag.Name) })
	}
	return err
}

// runsIn is the annotation of a command that does not run in every environment: it lists
// those in which it does.
const runsIn = "panelgate_runs_in"

// whereByTwin sets where the stack runs: everything else depends on it. A variable or a
// Dagger session that leads where the command does not run is for other steps.
func whereByTwin(cmd *cobra.Command) error {
	where := cmd.Flags().Lookup("env")
	if where == nil {
		return nil
	}
	able := func(place string) bool {
		places, limited := cmd.Annotations[runsIn]
		return !limited || !slices.Contains([]string{docker.Name, dagger.Name, attach.Name}, place) || slices.Contains(strings.Fields(places), place)
	}
	if able(os.Getenv(envName(where.Name))) {
		if err := twinned(cmd.Flags(), where); err != nil {
			return err
		}
	}
	if where.Changed || !able(dagger.Name) || !dagger.Available() {
		return nil
	}
	if err := where.Value.Set(dagger.Name); err != nil { // and it stays a default
		return fmt.Errorf("run in the Dagger session: %w", err)
	}
	return nil
}

// twinless are flags that the environment does not give: those by which the gate calls
// itself, and the question for help.
func twinless() []string { return append(insideFlags(), "help") }

// twinned sets one flag. An empty variable is as good as none.
func twinned(flags *pflag.FlagSet, flag *pflag.Flag) error {
	key := envName(flag.Name)
	text := os.Getenv(key)
	if text == "" || flag.Changed || slices.Contains(twinless(), flag.Name) {
		return nil
	}
	for _, value := range twinValues(flag, text) {
		if err := flags.Set(flag.Name, value); err != nil {
			return fmt.Errorf("%s=%s: %w", key, text, err)
		}
	}
	if !flag.Changed {
		return nil // nothing but separators
	}
	return flags.SetAnnotation(flag.Name, byTwin, []string{key})
}

// byLines are the flags that are repeated and whose values may have commas in them.
func byLines() []string { return []string{"setting", "exporter"} }

// twinValues are the values of a variable: of a flag that may be repeated one a line,
// or in one line with commas between them.
func twinValues(flag *pflag.Flag, text string) []string {
	if flag.Value.Type() != "stringArray" {
		return []string{text}
	}
	separator := "\n"
	if !strings.Contains(text, "\n") && !slices.Contains(byLines(), flag.Name) {
		separator = ","
	}
	var values []string
	for one := range strings.SplitSeq(text, separator) {
		if one = strings.TrimSpace(one); one != "" {
			values = append(values, one)
		}
	}
	return values
}

// elsewhere says whether the variable of a flag is meant for another environment than
// the one that the stack runs in. Commands that run no stack know only one.
func elsewhere(flags *pflag.FlagSet, name string) bool {
	where := flags.Lookup("env")
	if where == nil {
		return false
	}
	here := where.Value.String()
	if name == matrix.Grafana || name == matrix.Prometheus {
		value := os.Getenv(envName(name))
		switch here {
		case attach.Name:
			return isVersion(name, value)
		case docker.Name, dagger.Name:
			// Commands that take no matrix have no use for versions.
			return strings.Contains(value, "://") || flags.Lookup("matrix") == nil
		}
		return true // embedded has a Prometheus of its own, and no Grafana
	}
	for _, group := range []struct{ flags, places []string }{
		{embeddedFlags(), []string{embedded.Name}},
		{containersFlags(), []string{docker.Name, dagger.Name}},
		{dockerFlags(), []string{docker.Name}},
		{daggerFlags(), []string{dagger.Name}},
		{attachFlags(), []string{attach.Name}},
		{screenshotFlags(), []string{docker.Name, dagger.Name, attach.Name}},
		{append(matrixFlagNames(), "history", "scenario"), []string{embedded.Name, docker.Name, dagger.Name}},
	} {
		if slices.Contains(group.flags, name) {
			return !slices.Contains(group.places, here)
		}
	}
	return false
}

// isVersion says whether a value of --prometheus or --grafana is one to try, and not
// the URL of a server that runs.
func isVersion(flag, value string) bool {
	axis, err := matrix.ParseAxis(flag, value)
	return err == nil && axis.Values[0].Tag != ""
}

// fromTwins says of an error which of the flags that it names were given by variables.
func fromTwins(cmd *cobra.Command, message string) string {
	var by []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		key := flag.Annotations[byTwin]
		if len(key) == 1 && names(message, "--"+flag.Name) {
			by = append(by, fmt.Sprintf("--%s is given by %s", flag.Name, key[0]))
		}
	})
	if len(by) == 0 {
		return message
	}
	return message + " (" + strings.Join(by, ", ") + ")"
}

// names says whether a text has a flag in it, and not just the beginning of another.
func names(text, flag string) bool {
	for rest := text; ; {
		_, after, found := strings.Cut(rest, flag)
		if !found {
			return false
		}
		if after == "" || !strings.ContainsAny(after[:1], "-abcdefghijklmnopqrstuvwxyz0123456789") {
			return true
		}
		rest = after
	}
}

// otherVariables are what the command and its tests read besides the flags' twins.
// Those that end in _ are the beginnings of many.
func otherVariables() []string {
	return append(loginVariables(), "PANELGATE_CHROMIUM", "PANELGATE_CHROMIUM_NO_SANDBOX", "PANELGATE_IMAGE_", "PANELGATE_REQUIRE", "PANELGATE_RUN", "PANELGATE_TEST_")
}

// loginVariables are the secrets, and what leads to them. They have no flag, since a
// command line is seen by everybody on the machine.
func loginVariables() []string {
	var out []string
	for _, server := range []string{"GRAFANA", "PROMETHEUS"} {
		for _, part := range []string{"TOKEN", "USER", "PASSWORD"} {
			name := twinPrefix + server + "_" + part
			out = append(out, name, name+"_FILE")
		}
	}
	return out
}

// twinNames are the variables of all flags of all commands.
func twinNames(root *cobra.Command) []string {
	var out []string
	for _, cmd := range commandsOf(root) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if key := envName(flag.Name); !slices.Contains(twinless(), flag.Name) && !slices.Contains(out, key) {
				out = append(out, key)
			}
		})
	}
	return out
}

// commandsOf are a command and all below it.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		out = append(out, commandsOf(sub)...)
	}
	return out
}

// warnOfMisspelt tells of variables that are nobody's and look like a flag's.
func warnOfMisspelt(root *cobra.Command, environ []string, stderr io.Writer) error {
	known := append(twinNames(root), loginVariables()...)
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, twinPrefix) || slices.Contains(known, name) || isOther(name) {
			continue
		}
		if meant := nearestTwin(name, known); meant != "" {
			if _, err := fmt.Fprintf(stderr, "panelgate: warning: nothing reads %q: is %s meant?\n", name, meant); err != nil {
				return err
			}
		}
	}
	return nil
}

func isOther(name string) bool {
	return slices.ContainsFunc(otherVariables(), func(other string) bool {
		return name == other || strings.HasSuffix(other, "_") && strings.HasPrefix(name, other)
	})
}

// nearestTwin is the variable that a name resembles, "" for none. What all names begin
// with is left out of the comparison.
func nearestTwin(name string, known []string) string {
	var short []string
	for _, k := range known {
		short = append(short, strings.TrimPrefix(k, twinPrefix))
	}
	near := nearest.Names(strings.TrimPrefix(name, twinPrefix), short, 1)
	if len(near) == 0 {
		return ""
	}
	return twinPrefix + near[0]
}
