package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how long a line of help is at the most.
const helpWidth = 92

// exitCodesOf is the annotation of a command whose exit codes mean something of their own.
const exitCodesOf = "panelgate_exit_codes"

// flagGroup are the flags below one heading of the help.
type flagGroup struct {
	heading string
	flags   []string
	of      string // a flag that a command must have for the heading to be its, "" for none
}

// flagGroups are the headings in their order. What has no place here comes last, under
// "Others"; a test sees to it that nothing does.
func flagGroups() []flagGroup {
	return []flagGroup{
		{heading: "What is asked", flags: []string{"range", "instant", "title", "unit"}},
		{heading: "What is mended", flags: []string{"dry-run", "rule"}},
		{heading: "What is recorded", flags: []string{"from", "for", "every", "output", "redact", "header-env"}, of: "redact"},
		{heading: "What is compared", flags: []string{"against", "exporter", "version", "scenario", "setting", "hostname", "partial", "header-env"}, of: "against"},
		{heading: "What is broken", flags: []string{"operator", "most", "list"}},
		{heading: "What is checked", flags: []string{"stack", "config", "dashboard", "service", "since", "shard", "history", "scenario", "fail-on"}},
		{heading: "Where it runs", flags: []string{"env", "instances", "timeout", "cache-dir", "no-cache"}},
		{heading: "In containers (--env docker, --env dagger)", flags: append(containersFlags(), append(dockerFlags(), daggerFlags()...)...)},
		{heading: "A stack that runs already (--env attach)", flags: attachFlags()},
		{heading: "With which versions", flags: append([]string{"exporter"}, matrixFlagNames()...)},
		{heading: "Reports", flags: append(reportFlags(), "listen", "verbose", "no-color")},
		{heading: "Of the script", flags: []string{"no-descriptions"}},
	}
}

// reportFlags are those that say which reports are written, and where.
func reportFlags() []string {
	var out []string
	for _, f := range formats() {
		out = append(out, f.name)
	}
	return append(out, eventStream, "png", "png-theme", "png-scale", "screenshots", "github")
}

// printHelp is the help of every command.
func printHelp(cmd *cobra.Command, _ []string) {
	if _, err := fmt.Fprint(cmd.OutOrStdout(), helpText(cmd)); err != nil {
		cmd.PrintErrln("panelgate: print the help:", err)
	}
}

// printUsage is the same: cobra asks for it where there is no help to be had.
func printUsage(cmd *cobra.Command) error {
	_, err := fmt.Fprint(cmd.OutOrStderr(), helpText(cmd))
	return err
}

func helpText(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage:\n", strings.TrimSpace(about))
	if cmd.Runnable() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	writeCommands(&b, cmd)
	writeFlags(&b, cmd)
	codes := exitCodes
	if cmd.Flags().Lookup("fail-on") == nil {
		codes = plainExitCodes
	}
	if own, ok := cmd.Annotations[exitCodesOf]; ok {
		codes = own
	}
	fmt.Fprintf(&b, "\nExit codes:\n%s", codes)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nMore about a command: %s COMMAND --help\n", cmd.CommandPath())
	}
	return b.String()
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	b.WriteString("\nCommands:\n")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			fmt.Fprintf(b, "  %-*s  %s\n", cmd.NamePadding(), sub.Name(), sub.Short)
		}
	}
}

// writeFlags writes the flags of a command below their headings.
func writeFlags(b *strings.Builder, cmd *cobra.Command) {
	groups := groupsOf(cmd.LocalFlags())
	if len(groups) == 0 {
		return
	}
	for _, group := range groups {
		set := pflag.NewFlagSet(group.heading, pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range group.flags {
			set.AddFlag(cmd.Flags().Lookup(name))
		}
		fmt.Fprintf(b, "\n%s:\n%s", group.heading, set.FlagUsagesWrapped(helpWidth))
	}
	b.WriteString("\nEach flag can be given as " + twinPrefix + "FLAG in the environment as well, as PANELGATE_FAIL_ON for\n" +
		"--fail-on; the command line outranks it. A flag that may be repeated takes its values one a line,\n" +
		"or with commas between them.\n")
}

// groupsOf are the headings that a command's flags need, each with its flags.
func groupsOf(flags *pflag.FlagSet) []flagGroup {
	var out []flagGroup
	placed := []string{"help"}
	shown := func(name string) bool {
		flag := flags.Lookup(name)
		return flag != nil && !flag.Hidden && !slices.Contains(placed, name)
	}
	for _, group := range flagGroups() {
		if group.of != "" && flags.Lookup(group.of) == nil {
			continue
		}
		var here []string
		for _, name := range group.flags {
			if shown(name) {
				here, placed = append(here, name), append(placed, name)
			}
		}
		if len(here) > 0 {
			out = append(out, flagGroup{heading: group.heading, flags: here})
		}
	}
	var left []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if shown(flag.Name) {
			left = append(left, flag.Name)
		}
	})
	if len(left) > 0 {
		out = append(out, flagGroup{heading: "Others", flags: left})
	}
	return out
}
