package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

	rulepages "github.com/panelgate/panelgate/docs/rules"
	"github.com/panelgate/panelgate/e2e/nearest"
	"github.com/panelgate/panelgate/e2e/rule"
)

func rulesCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "rules",
		Short:   "List the rules: id, when it is checked, default severity, meaning",
		Example: "  go run ./ci rules",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
			for _, r := range rule.All() {
				if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, when(r), r.Severity, r.Summary); err != nil {
					return notRun(err)
				}
			}
			if err := w.Flush(); err != nil {
				return notRun(err)
			}
			return nil
		},
	}
}

// when says what a rule needs: the files, a running stack, or either.
func when(r rule.Rule) string {
	switch {
	case r.Static != nil && r.Live != nil, r.Review != nil:
		return "files, live"
	case r.Static != nil:
		return "files"
	default:
		return "live"
	}
}

func explainCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "explain RULE",
		Short:   "Print a rule's page: what it says, why it matters, an example and its remedy",
		Example: "  go run ./ci explain panel/no-data",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return ruleCompletions(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if _, ok := rule.Lookup(args[0]); !ok {
				var ids []string
				for _, r := range rule.All() {
					ids = append(ids, r.ID)
				}
				return usage(fmt.Errorf("no rule %q%s", args[0], nearest.Hint(args[0], ids)))
			}
			page, err := rulepages.Page(args[0])
			if err != nil {
				return notRun(err)
			}
			if _, err := io.WriteString(stdout, page); err != nil {
				return notRun(err)
			}
			return nil
		},
	}
}

func versionCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  go run ./ci version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(stdout, "panelgate %s (Prometheus %s, %s)\n", version(), dependency("github.com/prometheus/prometheus"), runtime.Version())
			if err != nil {
				return notRun(err)
			}
			return nil
		},
	}
}

// version is the module's version, or the commit of a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}

func dependency(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == path {
				return d.Version
			}
		}
	}
	return "unknown"
}
