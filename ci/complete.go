package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/panelgate/panelgate/ci/report"
	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/config"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// completeFlag has the shell offer values for a flag. A tab parts a value from what is
// said of it.
func completeFlag(cmd *cobra.Command, flag string, values ...string) {
	complete(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // the flag was added before
	}
}

// completeChoice has the shell offer what there is in the stack.
func (c *checkFlags) completeChoice(cmd *cobra.Command) {
	if err := cmd.MarkFlagDirname("stack"); err != nil {
		panic(err) // the flag was added before
	}
	complete(cmd, "dashboard", c.offered(dashboardCompletions))
	complete(cmd, "service", c.offered(serviceCompletions))
}

// offered reads the stack that the rest of the command line names, for what there is to
// choose from in it. Nobody wants to read about a broken stack while typing: it offers
// nothing, and the command that is being typed says why.
func (c *checkFlags) offered(in func(*stack.Stack) []cobra.Completion) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if err := twins(cmd); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		s, err := stack.Load(cmd.Context(), c.stackDir, c.rolesForCompletion()...)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return in(s), cobra.ShellCompDirectiveNoFileComp
	}
}

// rolesForCompletion are the services that panelgate.yml names: those of the command
// line may be half typed.
func (c *checkFlags) rolesForCompletion() []stack.Option {
	cfg, err := e2e.Source{Dir: c.stackDir, Config: c.configFile}.Configuration()
	if err != nil {
		cfg = &config.Config{}
	}
	var out []stack.Option
	for role, name := range cfg.Services {
		out = append(out, stack.WithService(role, name))
	}
	return out
}

// dashboardCompletions are the uids, which no shell has to quote.
func dashboardCompletions(s *stack.Stack) []cobra.Completion {
	var out []cobra.Completion
	for _, b := range s.Dashboards {
		if b.UID.Value != "" {
			out = append(out, cobra.CompletionWithDesc(oneLine(b.UID.Value), oneLine(b.Title.Value)))
		}
	}
	return out
}

func serviceCompletions(s *stack.Stack) []cobra.Completion {
	if s.Compose == nil {
		return nil
	}
	var out []cobra.Completion
	for _, role := range []string{stack.RolePrometheus, stack.RoleGrafana} {
		for _, service := range s.Compose.Services {
			out = append(out, cobra.CompletionWithDesc(role+"="+service.Name, oneLine(service.Image.Value)))
		}
	}
	return out
}

// ruleCompletions are the rules with what they say.
func ruleCompletions() []cobra.Completion {
	var out []cobra.Completion
	for _, r := range rule.All() {
		out = append(out, cobra.CompletionWithDesc(r.ID, r.Summary))
	}
	return out
}

// oneLine is a text from a file as it can stand beside a value that a shell offers.
func oneLine(text string) string { return strings.Join(strings.Fields(report.Clean(text)), " ") }
